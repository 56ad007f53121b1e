"""D-17: the different ends that a puzzle's runs have, and how to choose among them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import mean, median
from hrmlab.analysis.probes.path_independence import noisy_beginning
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import beginning, unroll
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.spec import Symbols


@dataclass(frozen=True)
class Ends:
    """Of R runs of n puzzles: `answers` (R, n, N), `right` (R, n), `halt` (R, n) halting logits, and `unrest` (R, n):
    mean change of the logits over the last segments."""

    answers: Tensor
    right: Tensor
    halt: Tensor
    unrest: Tensor


@PROBES.register(source="EqR, arXiv 2605.21488, for choosing by the smallest late change; census by hrm-lab")
@dataclass(frozen=True, kw_only=True)
class Attractors(Probe):
    """Runs from the model's own start, then from noise; where symbols are interchangeable, with these permuted too.

    puzzles: how many. restarts: runs of each.
    """

    code = "D-17"
    question = "How many answers does the model have for one puzzle, and does a vote among them help?"
    definition = (
        "Distinct final answers; share of runs that end in the commonest (its basin); entropy of the shares, nats; "
        "accuracy of R runs by any, majority, smallest late change of the logits, largest halting value."
    )
    caveats = ("'Any' looks at the solution: it bounds what choosing could reach and is no method.",)
    preset = "full"
    kind: Literal["attractors"] = "attractors"
    puzzles: int = 32
    restarts: int = 8

    def thresholds(self) -> Sequence[Threshold]:
        return ()

    def measure(self, subject: Subject) -> Outcome:
        batch = subject.some(self.puzzles)
        ends = self._ends(subject, batch)
        shares = [basins(ends.answers[:, at]) for at in range(len(batch))]
        distinct = torch.tensor([len(share) for share in shares]).float()
        largest = torch.tensor([share[0] for share in shares])
        entropy = torch.tensor([-sum(p * log(p) for p in share) for share in shares])
        table = [
            {"part": "vote", "line": way, "x": count, "y": share, "right": None}
            for count in range(1, self.restarts + 1)
            for way, share in chosen(ends, count).items()
        ]
        order = sorted(range(len(batch)), key=lambda at: (-shares[at][0], at))
        table += [
            {"part": "basin", "line": rank + 1, "x": place, "y": share, "right": bool(ends.right[0, at])}
            for place, at in enumerate(order)
            for rank, share in enumerate(shares[at])
        ]
        last: dict[str, Any] = {f"right_{way}": share for way, share in chosen(ends, self.restarts).items()}
        scalars = last | {
            "right_first": mean(ends.right[0]),
            "distinct": mean(distinct),
            "basin": median(largest),
            "entropy": mean(entropy),
        }
        return Outcome(len(batch), scalars, table)

    def _ends(self, subject: Subject, batch: Batch) -> Ends:
        """The first run begins as the model does."""
        generator, model = subject.generator(17), subject.model
        symbols = model.spec.symbols
        runs = []
        for run in range(self.restarts):
            start = noisy_beginning(model, batch, generator) if run else beginning(model, batch)
            table = permutation(symbols, model.spec.vocab_size, generator) if run and symbols else None
            runs.append(_run(model, batch, start, subject.segments, table))
        return Ends(*(torch.stack(column).cpu() for column in zip(*runs, strict=True)))


@torch.no_grad()
def _run(
    model: HRM, batch: Batch, start: States, segments: int, table: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Answers, right, halting logit and unrest of a run with the tokens renamed by `table`, (V,), and back."""
    asked = batch if table is None else replace(batch, inputs=table.to(batch.inputs.device)[batch.inputs])
    before: Tensor | None = None
    changes: list[Tensor] = []
    for output in unroll(model, asked, segments, states=start):
        if before is not None:
            changes.append((output.logits - before).float().flatten(1).norm(dim=1))
        before = output.logits
    answers = output.logits.argmax(-1)
    if table is not None:
        answers = table.argsort().to(answers.device)[answers]
    scored = batch.labels >= 0
    answers = torch.where(scored, answers, -1)
    right = ((answers == batch.labels) | ~scored).all(-1)
    unrest = torch.stack(changes[-3:]).mean(0) if changes else torch.zeros_like(output.values[:, 0])
    return answers, right, output.values[:, 0], unrest


def permutation(symbols: Symbols, vocabulary: int, generator: torch.Generator) -> Tensor:
    """A random renaming of the interchangeable tokens, (V,)."""
    table, tokens = torch.arange(vocabulary), torch.tensor(symbols.tokens)
    table[tokens] = tokens[torch.randperm(len(tokens), generator=generator)]
    return table


def basins(answers: Tensor) -> list[float]:
    """Share of the runs that end in each distinct answer, (R, N), largest first."""
    counts = Counter(tuple(row) for row in answers.tolist())
    return [count / len(answers) for _, count in counts.most_common()]


def chosen(ends: Ends, count: int) -> dict[str, float | None]:
    """Accuracy of the first `count` runs by each way of choosing one answer. Of equal votes the earlier answer wins."""
    right = ends.right[:count]
    everyone = torch.arange(right.shape[1])
    rows = [[tuple(row) for row in ends.answers[:count, at].tolist()] for at in everyone.tolist()]
    winners = torch.tensor([row.index(Counter(row).most_common(1)[0][0]) for row in rows])
    return {
        "any": mean(right.any(0)),
        "majority": mean(right[winners, everyone]),
        "least change": mean(right[ends.unrest[:count].argmin(0), everyone]),
        "halting value": mean(right[ends.halt[:count].argmax(0), everyone]),
    }
