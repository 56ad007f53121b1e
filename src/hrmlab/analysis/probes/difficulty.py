"""D-27: how answers go with the difficulty of puzzles, and what the task's own rules say of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.lenses import last_changes, solve_steps
from hrmlab.analysis.probes.maths.summary import mean, median
from hrmlab.analysis.probes.rules import BLANK, by_task
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.replay import spearman
from hrmlab.results.probes import Finding
from hrmlab.tasks.sudoku import Sudoku
from hrmlab.tasks.sudoku.singles import rounds


@PROBES.register(source="hrm-lab; readings of Wang et al. 2025, arXiv 2506.21734, section 3.3, turned into numbers")
@dataclass(frozen=True, kw_only=True)
class Difficulty(Probe):
    """Segments to the right answer against the puzzles' rating, and numbers of the task's own about the answers.

    bins: groups of equally many puzzles by rating. givens: share of answers that change the question, when it is said.
    """

    code = "D-27"
    question = "Do harder puzzles take more segments, and what is wrong with the wrong answers?"
    definition = (
        "Spearman's correlation of the first right segment (one past the last where there is none) with the rating; "
        "climb: of all segments that change the number of wrong cells, the share that lowers it."
    )
    caveats = ("Ratings are the task's own: guesses of our solver for Sudoku, steps of the path for mazes.",)
    preset = "economy"
    kind: Literal["difficulty"] = "difficulty"
    bins: int = 5
    givens: float = 0.05

    def thresholds(self) -> Sequence[Threshold]:
        return (Threshold("givens", self.givens, "H", "hrm-lab"),)

    def measure(self, subject: Subject) -> Outcome:
        course, examples = subject.course, subject.examples
        rating = torch.from_numpy(np.asarray(examples.rating).astype(np.int64))
        solved = (solve_steps(course.right) + 1).cpu()
        right = course.right[:, -1].cpu()
        answers = course.tokens[:, -1].cpu().numpy()
        scalars: dict[str, float | str | None] = {
            "spearman": _correlation(solved, rating, rating >= 0),
            "spearman_solved": _correlation(solved, rating, (rating >= 0) & (solved <= course.right.shape[1])),
            "climb": climb(course.tokens, subject.batch.labels),
        }
        own = by_task(subject.task, examples, answers.astype(np.int32))
        scalars |= own
        if isinstance(subject.task, Sudoku):
            scalars["spearman_singles"] = self._singles(subject, subject.task, right)
        table: list[dict[str, Any]] = [
            {"rating_low": int(rating[rows].min()), "rating_high": int(rating[rows].max()), "puzzles": len(rows)}
            | {"accuracy": mean(right[rows].float()), "segments": median(solved[rows][right[rows]].double())}
            for rows in equal_bins(rating, self.bins)
        ]
        return Outcome(len(right), scalars, table, self._findings(own))

    def _singles(self, subject: Subject, task: Sudoku, right: Tensor) -> float | None:
        """Correlation of a cell's last change with the round in which singles fill it, over cells answered rightly."""
        givens = np.maximum(np.asarray(subject.examples.inputs) - BLANK, 0)
        order = torch.from_numpy(rounds(task.board, givens))
        chosen = (order > 0) & right[:, None]
        return _correlation(last_changes(subject.course.tokens).cpu(), order, chosen)

    def _findings(self, own: dict[str, float | None]) -> list[Finding]:
        share = own.get("givens_changed")
        if share is None or share <= self.givens:
            return []
        return [
            self.finding(
                "givens_changed",
                "warn",
                f"{share:.0%} of the answers change a cell that the puzzle gives",
                "the input hardly reaches the answer: train longer, or look at what `forward_residual` says of it",
                observed=share,
                threshold=self.givens,
            )
        ]


def climb(tokens: Tensor, labels: Tensor) -> float | None:
    """Of answers by segment, (n, T, N), and labels, (n, N): see `Difficulty.definition`; None where nothing changes."""
    wrong = ((tokens != labels[:, None]) & (labels >= 0)[:, None]).sum(-1)
    fewer, more = (int(found.sum()) for found in (wrong[:, 1:] < wrong[:, :-1], wrong[:, 1:] > wrong[:, :-1]))
    return fewer / (fewer + more) if fewer + more else None


def equal_bins(rating: Tensor, bins: int) -> list[Tensor]:
    """Rows by rating, in about equal numbers; those of one rating stay together, those without one are left out."""
    known = torch.arange(len(rating))[rating >= 0]
    values = rating[known].double()
    if not len(known):
        return []
    edges = torch.from_numpy(np.unique(np.quantile(values.numpy(), np.linspace(0, 1, bins + 1)[1:-1])))
    which = torch.bucketize(values, edges)
    return [known[which == number] for number in range(len(edges) + 1) if (which == number).any()]


def _correlation(a: Tensor, b: Tensor, rows: Tensor) -> float | None:
    first, second = a[rows].double().numpy(), b[rows].double().numpy()
    return spearman(first, second) if len(first) > 2 else None
