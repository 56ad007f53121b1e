"""D-07: whether the losses pull the shared weights in the same direction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.gradients import Gradients, by_group, cosine, dense, flat, learn, training_gradient
from hrmlab.analysis.probes.maths.slots import fresh_slots, pick, training_batch, training_slots
from hrmlab.analysis.probes.subject import Subject
from hrmlab.core.act import objective
from hrmlab.core.carry import Batch, Carry
from hrmlab.halting import Fixed
from hrmlab.halting.base import Outcome as Rightness
from hrmlab.results.probes import Finding


@PROBES.register(source="Yu et al. 2020, arXiv 2001.06782; Sankararaman et al. 2019, arXiv 1904.06963")
@dataclass(frozen=True, kw_only=True)
class LossConflict(Probe):
    """Angles between the gradients of the loss's terms, of segments, and of small batches, on the shared weights.

    puzzles: how many. segments: of how many to compare the gradients. parts: how many small batches.
    undone: share of the answer's descent that a halting loss may undo.
    learnt: share of puzzles solved from which on the answer has little left to learn, and the terms balance.
    """

    code = "D-07"
    question = "Do the halting losses, or late segments, work against learning the answer?"
    definition = (
        "cos(g_a, g_b) and |g_b| / |g_a|; a term undoes -(g_answer . g_term) / |g_answer|^2 of the answer's descent."
    )
    caveats = ("Where training has converged the terms' gradients cancel: that is what convergence means.",)
    cost = "backward"
    preset = "standard"
    kind: Literal["loss_conflict"] = "loss_conflict"
    puzzles: int = 32
    segments: int = 8
    parts: int = 4
    undone: float = 1.0
    learnt: float = 0.5

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("share of the descent undone", self.undone, "D", "from 1 on the sum no longer descends"),
            Threshold("puzzles solved", self.learnt, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch = training_batch(subject, self.puzzles)
        carry = training_slots(subject, batch)
        terms = {name: trunk(found) for name, found in term_gradients(subject, carry).items()}
        answer = terms.pop("answer")
        table = [row for name, found in terms.items() for row in _by_group("answer", name, answer, found)]
        halves = dict(self._parts(subject, carry))
        table += _pairs("batch", halves)
        along = dict(segment_gradients(subject, batch, min(self.segments, subject.segments)))
        table += _pairs("segment", along)
        undone = {name: _undone(flat(answer), flat(found)) for name, found in terms.items()}
        scalars: dict[str, float | None] = {f"undone_{name}": value for name, value in undone.items()}
        scalars |= {
            f"share_{row['b']}": row["ratio"] for row in table if row["group"] == "all" and row["a"] == "answer"
        }
        scalars |= {"confusion": _least(table, "batch"), "segments": _least(table, "segment")}
        solved = float(subject.course.right[:, -1].float().mean())
        found = [] if solved >= self.learnt else self._findings(subject, undone)
        return Outcome(len(batch), scalars | {"solved": solved}, table, found)

    def _parts(self, subject: Subject, carry: Carry) -> Iterator[tuple[str, Gradients]]:
        order = torch.randperm(len(carry.batch), generator=subject.generator(2)).to(carry.steps.device)
        for number, rows in enumerate(order.chunk(self.parts)):
            yield f"batch {number}", trunk(training_gradient(subject, pick(carry, rows)))

    def _findings(self, subject: Subject, undone: dict[str, float | None]) -> list[Finding]:
        halting = subject.settings.get("halting", {})
        weight = halting.get("weight")
        return [
            self.finding(
                "halting",
                "warn",
                f"the gradient of '{name}' undoes {value:.0%} of the answer's descent",
                "weigh the halting losses less",
                observed=value,
                threshold=self.undone,
                evidence="D",
                patch={"halting.weight": float(f"{weight / (2 * value):.1g}")} if weight else {},
            )
            for name, value in undone.items()
            if value is not None and value >= self.undone
        ]


def term_gradients(subject: Subject, carry: Carry) -> dict[str, Gradients]:
    """Of each term of a training segment's mean loss, the token loss as "answer"."""
    step, goal = learn(subject, subject.model, carry)
    with torch.enable_grad():
        labels = carry.batch.labels
        each = subject.loss(step.output.logits, labels).sum(-1) / (labels >= 0).sum(-1).clamp_min(1)
        terms = {"answer": objective(step, subject.loss, Fixed()).total}
        terms |= subject.halting.losses(step.view, Rightness(goal.exact, each.detach()))
    count, rows = len(carry.batch), step.output.puzzle_rows
    return {name: by_group([term / count], subject.model, rows, keep=True) for name, term in terms.items()}


def segment_gradients(subject: Subject, batch: Batch, segments: int) -> Iterator[tuple[str, Gradients]]:
    """Of each segment's loss, every puzzle going on whatever its halting values say."""
    carry = fresh_slots(subject, batch)
    for number in range(segments):
        step, goal = learn(subject, subject.model, carry)
        yield f"segment {number}", trunk(by_group([goal.total / len(batch)], subject.model, step.output.puzzle_rows))
        carry = replace(step.carry, halted=torch.zeros_like(carry.halted))


def trunk(gradients: Gradients) -> Gradients:
    """Of the weights that several losses share: all but the halting head's and single puzzles' rows."""
    return {group: gradient for group, gradient in dense(gradients).items() if group != "halting_head"}


def _by_group(a: str, b: str, first: Gradients, second: Gradients) -> list[dict[str, Any]]:
    pairs = {"all": (flat(first), flat(second))} | {group: (first[group], second[group]) for group in first}
    return [_row("term", a, b, group, x, y) for group, (x, y) in pairs.items()]


def _pairs(what: str, found: dict[str, Gradients]) -> list[dict[str, Any]]:
    vectors = {name: flat(gradients) for name, gradients in found.items()}
    return [_row(what, a, b, "all", vectors[a], vectors[b]) for a, b in combinations(vectors, 2)]


def _row(what: str, a: str, b: str, group: str, x: Tensor, y: Tensor) -> dict[str, Any]:
    length = float(x.norm())
    return {"what": what, "a": a, "b": b, "group": group} | {
        "cosine": cosine(x, y),
        "ratio": float(y.norm()) / length if length else None,
    }


def _undone(answer: Tensor, term: Tensor) -> float | None:
    square = float(answer @ answer)
    return 0.0 - float(answer @ term) / square if square else None


def _least(table: list[dict[str, Any]], what: str) -> float | None:
    return min((row["cosine"] for row in table if row["what"] == what and row["cosine"] is not None), default=None)
