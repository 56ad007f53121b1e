"""D-12: whether a solved puzzle stays solved, and whether easier puzzles are easier."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.course import record_course
from hrmlab.analysis.probes.maths.summary import mean, median
from hrmlab.analysis.probes.settling import drift
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import batch_of
from hrmlab.intervals import wilson
from hrmlab.results.probes import Finding
from hrmlab.tasks.base import Examples


@PROBES.register(source="arXiv 2601.10679: violations of the fixed point; the ladder of blanks, ibid.")
@dataclass(frozen=True, kw_only=True)
class FixedPoint(Probe):
    """Whether the right answer is a fixed point: stays when it is reached, and is found from next to it.

    puzzles: how many. beyond: how many times as deep as the run to look for answers that are lost again.
    ladder: numbers of cells left blank, the others filled in from the solution.
    lost: share of solved puzzles that may be lost again; judged by the lower end of its 95% interval.
    easy: share of puzzles with one blank that may fail.
    """

    code = "D-12"
    question = "Does a solved puzzle stay solved, and does the model solve puzzles that are almost solved?"
    definition = (
        "Lost = P(wrong at some later segment | right at one); stays(k) = share of puzzles still right k segments "
        "after their first right answer; relative change of the answer level in the segment after it; failures with k "
        "blank cells at the run's last segment."
    )
    caveats = ("Filled-in puzzles are unlike those of training: failures on them are the point, not a surprise.",)
    preset = "standard"
    kind: Literal["fixed_point"] = "fixed_point"
    puzzles: int = 32
    beyond: int = 2
    ladder: tuple[int, ...] = (0, 1, 2, 5, 10, 20)
    lost: float = 0.1
    easy: float = 0.02

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("lost", self.lost, "H", "hrm-lab"),
            Threshold("easy", self.easy, "A", "arXiv 2601.10679: a failure with one blank is a violated fixed point"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch, depth = subject.some(self.puzzles), subject.segments
        course = record_course(subject.model, batch, depth * self.beyond)
        right, moved = course.right, drift(course)
        solved = right[:, :depth].any(1)
        first = right.float().argmax(1)
        at = torch.arange(len(right))
        curve = stays(right[solved], first[solved])
        fallen = ~_after(right, first).all(1)[solved]
        scalars: dict[str, float | str | None] = {
            "solved": mean(solved),
            "lost": mean(fallen),
            "residual_when_solved": median(moved[at, (first + 1).clamp_max(right.shape[1] - 1)][solved]),
            "right_at_depth": mean(right[:, depth - 1]),
            "right_beyond": mean(right[:, -1]),
        }
        table = [_row("stays", k, share, count) for k, (share, count) in enumerate(curve)]
        table += [_row("depth", t + 1, mean(right[:, t]), len(right)) for t in range(right.shape[1])]
        findings, caveats = self._lost(fallen), []
        blank = subject.model.spec.symbols.blank if subject.model.spec.symbols else None
        if blank is None:
            caveats.append("the task has no blank cells to fill in: no ladder")
        else:
            examples = subject.examples.part(slice(len(batch)))
            rungs = self._rungs(subject, examples, blank)
            scalars |= {f"failures_{int(row['x'])}_blanks": 1 - row["y"] for row in rungs if row["x"] < 2}
            blanks = float((examples.inputs == blank).sum(1).mean())
            table += [*rungs, _row("ladder", blanks, mean(right[:, depth - 1]), len(right))]
            findings += self._easy(rungs)
        return Outcome(len(right), scalars, table, findings, caveats)

    def _rungs(self, subject: Subject, examples: Examples, blank: int) -> list[dict[str, Any]]:
        """A row for each number of blanks that leaves something filled in, in every puzzle."""
        least = int((examples.inputs == blank).sum(1).min())
        found = []
        for blanks in (k for k in self.ladder if k < least):
            filled = with_blanks(examples, blanks, blank, subject.rng(12))
            right = record_course(subject.model, batch_of(subject.model, filled), subject.segments).right[:, -1]
            found.append(_row("ladder", blanks, mean(right), len(right)))
        return found

    def _lost(self, fallen: Tensor) -> list[Finding]:
        share = mean(fallen)
        if share is None or wilson(int(fallen.sum()), len(fallen))[0] <= self.lost:
            return []
        return [
            self.finding(
                "lost",
                "warn",
                f"{int(fallen.sum())} of {len(fallen)} puzzles that were right were wrong again at a later segment",
                "stop by a rule that sees the right answer (`hrm halting`), and let training go on after it is reached",
                observed=share,
                threshold=self.lost,
            )
        ]

    def _easy(self, rungs: list[dict[str, Any]]) -> list[Finding]:
        worst = [row for row in rungs if row["x"] == 1 and 1 - row["y"] > self.easy]
        return [
            self.finding(
                "easy",
                "warn",
                f"{1 - row['y']:.0%} of {row['n']} puzzles with a single blank cell fail",
                "train on easier copies too: some of the blank cells filled in from the solution",
                observed=1 - row["y"],
                threshold=self.easy,
                evidence="A",
            )
            for row in worst
        ]


def stays(right: Tensor, first: Tensor) -> list[tuple[float | None, int]]:
    """For k = 0, 1, ...: share still right, at every segment so far, k segments after the first right answer; and of
    how many puzzles. right: (n, T); first: (n,)."""
    found: list[tuple[float | None, int]] = []
    length = right.shape[1]
    for k in range(length):
        there = first + k < length
        if not there.any():
            break
        steps = torch.arange(length)
        window = (steps >= first[there, None]) & (steps <= first[there, None] + k)
        found.append((mean((right[there] | ~window).all(1)), int(there.sum())))
    return found


def with_blanks(examples: Examples, count: int, blank: int, rng: np.random.Generator) -> Examples:
    """The puzzles with `count` of their blank cells left, at random, and the others filled in from the solution.

    Cells whose answer is not known stay as they are, and do not count.
    """
    unknown = (examples.inputs == blank) & (examples.labels >= 0)
    draws = np.where(unknown, rng.random(unknown.shape), 2.0)
    stay = np.argsort(np.argsort(draws, axis=1), axis=1) < count
    filled = np.where(unknown & ~stay, examples.labels, examples.inputs)
    return replace(examples, inputs=filled.astype(examples.inputs.dtype))


def _after(right: Tensor, first: Tensor) -> Tensor:
    return right | (torch.arange(right.shape[1]) < first[:, None])


def _row(part: str, x: float, y: float | None, n: int) -> dict[str, Any]:
    return {"part": part, "x": x, "y": y, "n": n}
