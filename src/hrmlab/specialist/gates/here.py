"""Base and change in this process and in those of studies: for changes that are settings of parts we know."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrmlab import api
from hrmlab.results.study import Study
from hrmlab.specialist.gates.base import Scores
from hrmlab.specialist.gates.build import measured as build
from hrmlab.specialist.gates.cost import measured as cost
from hrmlab.specialist.gates.numerics import measured as numerics
from hrmlab.studies import plan as plans
from hrmlab.studies.plan import Allowance
from hrmlab.studies.verdict import Question
from hrmlab.training.config import RunConfig

MEASURES = {"build": build, "numerics": numerics, "cost": cost}
PUZZLES = 300
DEPTH = 4
"""Evaluations may take so many times the segments of training: a model trained for seconds uses up what it gets."""


@dataclass(frozen=True)
class Here:
    """Args:
    target: what the base is called. changes: as typed, of the proposal `name`. folder: of the consultation.
    """

    target: str
    name: str
    changes: Sequence[str]
    base: RunConfig
    changed: RunConfig
    folder: Path
    quiet: bool
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def measure(self, what: str) -> dict[str, Any]:
        """See `Place`."""
        if what not in self._known:
            self._known[what] = MEASURES[what](self.base, self.changed)
        return self._known[what]

    def ratio(self) -> float:
        """By operations."""
        return float(self.measure("cost")["ratio"]["operations_training_step"])

    def unlearnt(self) -> float | None:
        """Parts of ours solve nothing by themselves."""
        return None

    def misled(self, steps: int) -> float:
        """See `unlearnt`."""
        return 0.0

    def compare(self, budget: Allowance, first_seed: int, seeds: int) -> Scores:
        """A study. All of a consultation's lie in one folder, so that the base is trained once for each seed."""
        most = depth(self.base)
        shared = [f"evaluation.max_segments={most}"]
        if self.base.data.path is None:
            shared.append(f"data.test={min(self.base.data.test, PUZZLES)}")
        study = plans.Study(
            name="runs",
            base=self.target,
            overrides=tuple(shared),
            factors={"change": {self.name: tuple(within(self.changes, most))}},
            budget=budget,
            seeds=tuple(range(first_seed, first_seed + seeds)),
            questions=(Question(predicted="gain"), Question(measure="mean_segments", better="lower")),
        )
        ran = api.ablate(study, out=self.folder / "runs", quiet=self.quiet)
        arm = ran.arms[1].name
        exact, segments = (_paired(ran, arm, measure) for measure in ("exact", "mean_segments"))
        return Scores(exact, segments, len(ran.missing), {"seeds": ran.seeds, "command": ran.command})


def depth(base: RunConfig) -> int:
    """Segments that evaluations may take."""
    return min(DEPTH * base.halting.max_segments, base.evaluation.max_segments)


def within(changes: Sequence[str], most: int) -> list[str]:
    """The changes, their evaluation as deep as the base's."""
    return [*changes, f"evaluation.max_segments={most}"]


def _paired(study: Study, arm: str, measure: str) -> tuple[list[float], list[float]]:
    own = {(cell.arm, cell.seed): cell.results["own"][measure] for cell in study.cells if cell.state == "done"}
    both = [seed for seed in study.seeds if (study.reference, seed) in own and (arm, seed) in own]
    return [float(own[study.reference, seed]) for seed in both], [float(own[arm, seed]) for seed in both]
