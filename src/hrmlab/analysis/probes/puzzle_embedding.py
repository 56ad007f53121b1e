"""D-08: whether the table of puzzle vectors is alive, and whether puzzles carry the right identifiers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import answering, batch_of
from hrmlab.core.carry import Batch
from hrmlab.results.probes import Finding
from hrmlab.tasks.base import Examples

SAMPLE = 1024
"""Most rows of the table whose singular values are computed."""


@PROBES.register(source="Wang et al. 2025, arXiv 2506.21734; ablation of identifiers: ARC Prize 2025 on HRM")
@dataclass(frozen=True, kw_only=True)
class PuzzleEmbedding(Probe):
    """The state of the puzzle table, and the answers under each puzzle's own identifier, none, or another's.

    puzzles: how many to answer. steps: of training, to see how steadily rows move.
    matters: share of cells whose answer must change with the identifier before anything is said about identifiers.
    margin: by how much of the cells the own identifier must beat another's.
    """

    code = "D-08"
    question = "Does the puzzle table help, and does each puzzle look up its own row?"
    definition = (
        "Share of right cells with own, blank (0), random and shuffled identifiers; effective rank e^H of the rows' "
        "singular values; share of signs that turn between a row's successive changes."
    )
    caveats = ("A flip rate near 0.5 is that of noise.",)
    preset = "standard"
    kind: Literal["puzzle_embedding"] = "puzzle_embedding"
    puzzles: int = 64
    steps: int = 8
    matters: float = 0.05
    margin: float = 0.01

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("cells changed by the identifier", self.matters, "H", "hrm-lab"),
            Threshold("cells won by the own identifier", self.margin, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        if subject.model.puzzles is None:
            raise NotApplicable("the model has no puzzle table")
        if not subject.model.puzzles.learned:
            raise NotApplicable("the model makes its puzzle vectors of demonstrations; no rows are learned")
        rows = subject.model.puzzles.rows
        held = self._ablated(subject, "held out", subject.examples)
        table = held + ([] if subject.train is None else self._ablated(subject, "training", subject.train))
        used = rows[subject.model.puzzles.at(torch.unique(subject.batch.identifiers))]
        decay = subject.settings.get("training", {}).get("puzzle_weight_decay")
        scalars = {f"cells_{row['ids']}": row["cells"] for row in held}
        health = {
            "rows": len(rows),
            "identifiers": len(used),
            "untouched": float((used == 0).all(1).float().mean()),
            "largest": float(rows.abs().amax()),
            "bound": 1 / decay if decay else None,
            "effective_rank": effective_rank(rows[:SAMPLE]),
            "flip_rate": self._flips(subject),
        }
        return Outcome(min(self.puzzles, len(subject.examples)), health | scalars, table, self._findings(table))

    def _ablated(self, subject: Subject, which: str, examples: Examples) -> list[dict[str, Any]]:
        batch = batch_of(subject.model, examples.part(slice(min(self.puzzles, len(examples)))))
        assert subject.model.puzzles is not None
        own = answering(subject.model, batch, subject.segments).tokens[:, -1]
        rows = [_scored(which, "own", batch, own, own, batch.identifiers)]
        for name, ids in others(batch.identifiers, subject.model.spec.num_identifiers, subject.generator(8)).items():
            tokens = answering(subject.model, replace(batch, identifiers=ids), subject.segments).tokens[:, -1]
            rows.append(_scored(which, name, batch, tokens, own, ids))
        return rows

    def _flips(self, subject: Subject) -> float | None:
        """Over the rows that are visited twice or more; None where there are none, or no training to repeat."""
        if subject.learner is None:
            return None
        learner, last = subject.learner(), dict[int, Tensor]()
        turned, seen = 0.0, 0
        for _ in range(self.steps):
            before = learner.model.puzzles.rows.clone()
            learner.step()
            for number in learner.model.puzzles.at(learner.carry.batch.identifiers).unique().tolist():
                sign = (learner.model.puzzles.rows[number] - before[number]).sign()
                if number in last:
                    turned += float((sign != last[number]).float().mean())
                    seen += 1
                last[number] = sign
        return turned / seen if seen else None

    def _findings(self, table: list[dict[str, Any]]) -> list[Finding]:
        by = {(row["puzzles"], row["ids"]): row for row in table}
        swapped = by["held out", "shuffled"]
        gain = by["held out", "own"]["cells"] - swapped["cells"]
        trained = ("training", "own") not in by or (
            by["training", "own"]["cells"] - by["training", "shuffled"]["cells"] >= self.margin
        )
        if swapped["moved"] < 0.5 or swapped["changed"] < self.matters or not trained or gain >= self.margin:
            return []
        return [
            self.finding(
                "ids_do_not_fit",
                "fail",
                f"held-out puzzles are answered no better with their own identifiers than with each other's "
                f"({gain:+.1%} of the cells), though identifiers change {swapped['changed']:.0%} of the answers",
                "compare the identifiers of the held-out data with those of the training data: the same puzzle must "
                "have the same number in both",
                observed=gain,
                threshold=self.margin,
            )
        ]


def others(own: Tensor, rows: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Identifiers in place of the own ones: the blank, any of the table's, and another puzzle's of the same batch."""
    order = own.argsort(stable=True)
    shift = int(own.bincount().amax())  # so that equal ones pass each other, where no identifier has the majority
    shuffled = torch.empty_like(own)
    shuffled[order] = own[order].roll(shift)
    drawn = torch.randint(min(1, rows - 1), rows, own.shape, generator=generator).to(own.device)
    return {"blank": torch.zeros_like(own), "random": drawn, "shuffled": shuffled}


def effective_rank(rows: Tensor) -> float | None:
    """e to the entropy of the singular values' shares (Roy and Vetterli 2007); None of a table of zeros."""
    values = torch.linalg.svdvals(rows.float())
    share = values / values.sum()
    return float(torch.exp(-torch.xlogy(share, share).sum())) if float(values.sum()) else None


def _scored(which: str, name: str, batch: Batch, tokens: Tensor, own: Tensor, ids: Tensor) -> dict[str, Any]:
    scored = batch.labels >= 0
    hit = tokens == batch.labels
    return {
        "puzzles": which,
        "ids": name,
        "cells": float(hit[scored].float().mean()),
        "exact": float((hit | ~scored).all(1).float().mean()),
        "changed": float((tokens != own)[scored].float().mean()),
        "moved": float((ids != batch.identifiers).float().mean()),
    }
