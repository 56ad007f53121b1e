"""Base and change in the sandbox: for changes that bring code. Accuracy is computed here, from answers, not there."""

import json
import math
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from hrmlab.api.puzzles import both
from hrmlab.config import encode
from hrmlab.errors import ConfigError
from hrmlab.specialist.gates.base import Scores
from hrmlab.specialist.gates.here import PUZZLES, depth
from hrmlab.specialist.plugins.child import JOB, OUT, PLUGIN
from hrmlab.specialist.plugins.leavings import own, read_integers, read_result
from hrmlab.specialist.sandbox import Ended, Limits, launch
from hrmlab.studies.plan import Allowance
from hrmlab.tasks import dataset
from hrmlab.tasks.base import IGNORE, Examples, Split
from hrmlab.terminal import Meter
from hrmlab.training.config import RunConfig

MEASURES = ("build", "numerics", "cost")
SLACK = 1.5
"""CPU seconds may exceed what operations explain by so much before they count in their place."""
NOTABLE = 10.0
"""CPU seconds; starting alone varies by some."""
FRESH, MISLED = -1, -2
"""Names of sets of puzzles, and seeds of the runs on them."""
PATIENCE = 10.0
"""A change may take so many times the base's seconds, and a minute."""


@dataclass
class Confined:
    """See `Place`.

    changes: as typed. source: the plug-in's. Puzzles are of seeds that nobody knows before they are asked, one for each
    set of runs, and that no child is ever told.
    """

    base: RunConfig
    changes: Sequence[str]
    source: str
    limits: Limits
    quiet: bool
    _known: dict[str, Any] = field(default_factory=dict)
    _puzzles: dict[int, tuple[int, Split]] = field(default_factory=dict)
    _start: float = 0.0
    """CPU seconds of a run without steps."""
    _cpu_ratio: float = 0.0

    def measure(self, what: str) -> dict[str, Any]:
        """All at once, in one child."""
        if not self._known:
            self._known = self._one({"do": "measure", "measures": MEASURES, "plugged": True})
        found = self._known.get(what)
        if not isinstance(found, dict):
            raise ConfigError(f"the run measured no {what}")
        return found

    def ratio(self) -> float:
        """Cost of a step as a multiple of the base's: operations as the child counts them, or CPU seconds as the kernel
        does, where these are so many more that operations do not explain them. Never less than 1: saying that it is
        cheaper buys a child no steps."""
        counted = float(self.measure("cost")["ratio"]["operations_training_step"])
        if not math.isfinite(counted):
            raise ConfigError("the run measured no cost")
        return max(self._cpu_ratio if self._cpu_ratio > SLACK * counted else counted, 1.0)

    def check(self) -> str | None:
        """Why the changed model cannot be built, or None."""
        try:
            self._one({"do": "measure", "measures": ["build"], "plugged": True})
        except ConfigError as error:
            return str(error)
        return None

    def compare(self, budget: Allowance, first_seed: int, seeds: int) -> Scores:
        """Train and answer in children of their own; a change that crashes or runs over its time scores nothing."""
        exact: tuple[list[float], list[float]] = ([], [])
        segments: tuple[list[float], list[float]] = ([], [])
        cpu: tuple[list[float], list[float]] = ([], [])
        failures: list[str] = []
        with Meter(f"{2 * seeds} confined runs", self.quiet) as meter:
            for number in range(2 * seeds):
                seed, plugged = first_seed + number // 2, bool(number % 2)
                limits = self._patient(cpu[0]) if plugged else self.limits
                try:
                    steps = self._steps(budget, plugged)
                    score, depth_taken, used = self._scored(steps, seed, plugged, limits, first_seed)
                except ConfigError as error:
                    if not plugged:
                        raise
                    failures.append(str(error))
                    score, depth_taken, used = 0.0, float(depth(self.base)), 0.0
                for lists, value in ((exact, score), (segments, depth_taken), (cpu, used)):
                    lists[plugged].append(value)
                meter.update((number + 1) / (2 * seeds), f"{number + 1} of {2 * seeds}")
        if budget.steps is not None and not failures:
            self._cpu_ratio = _times(cpu, self._start)
        about: dict[str, Any] = {"seeds": seeds, "first_seed": first_seed, "puzzles_seed": self._split(first_seed)[0]}
        about |= {"failures": failures}
        return Scores(exact, segments, 0, about | {"cpu_seconds": {"base": cpu[0], "changed": cpu[1]}})

    def unlearnt(self) -> float:
        """See `Place`."""
        exact, _, self._start = self._scored(0, FRESH, True, self.limits, FRESH)
        return exact

    def misled(self, steps: int) -> float:
        """See `Place`."""
        return self._scored(steps, MISLED, True, self.limits, MISLED, permuted=True)[0]

    def _steps(self, budget: Allowance, plugged: bool) -> int:
        """At equal operations fewer of dearer steps."""
        if budget.steps is not None:
            return budget.steps
        steps = float(budget.flops or 0) / float(self.measure("cost")["base"]["operations_training_step"])
        return max(round(steps / (self.ratio() if plugged else 1.0)), 1)

    def _patient(self, base: list[float]) -> Limits:
        return replace(self.limits, seconds=min(60 + PATIENCE * max(base, default=60.0), self.limits.seconds))

    def _scored(
        self, steps: int, seed: int, plugged: bool, limits: Limits, of: int, *, permuted: bool = False
    ) -> tuple[float, float, float]:
        """Exact answers and segments of a run on the puzzles of a set, and its CPU seconds, answering included.

        Args:
            permuted: every training puzzle has another one's labels, from which nothing can be learnt.
        """
        puzzles, job = self._split(of)[1], {"seed": seed, "plugged": plugged, "segments": depth(self.base)}
        train = puzzles.train
        if permuted:
            train = replace(train, labels=np.roll(train.labels, len(train) // 2, axis=0))
        with TemporaryDirectory() as place:
            weights = Path(place) / "weights.safetensors"
            learning = self._trained(train, puzzles, weights, {"steps": steps, **job}, limits)
            answers, taken, answering = self._answered(weights, puzzles.test, job, limits)
        exact = ((answers == puzzles.test.labels) | (puzzles.test.labels == IGNORE)).all(axis=1)
        return float(exact.mean()), float(taken.clip(1, depth(self.base)).mean()), learning + answering

    def _trained(self, train: Examples, of: Split, to: Path, job: dict[str, Any], limits: Limits) -> float:
        """Train in a child on puzzles written out for it, keep its weights, and return its CPU seconds."""
        # A protocol tells the seed of its puzzles, and whoever reads it could make them again.
        learnt = replace(of, train=train, test=train.part(slice(1)), protocol="")
        with TemporaryDirectory() as place:
            scratch = Path(place)
            dataset.write(scratch / "data", self.base.task, learnt, None)
            ended = self._run(scratch, {"do": "train", **job}, limits)
            weights = scratch / OUT / "weights.safetensors"
            if not own(weights):
                raise ConfigError("training left no weights")
            shutil.copyfile(weights, to)
        return ended.cpu

    def _answered(
        self, weights: Path, asked: Examples, job: dict[str, Any], limits: Limits
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], float]:
        """Answers (N, S) and segments (N,) of a child that has weights and puzzles, no labels; and its CPU seconds."""
        with TemporaryDirectory() as place:
            scratch = Path(place)
            shutil.copyfile(weights, scratch / weights.name)
            np.save(scratch / "inputs.npy", asked.inputs)
            np.save(scratch / "identifiers.npy", asked.identifiers)
            ended = self._run(scratch, {"do": "answer", **job}, limits)
            answers = read_integers(scratch / OUT / "answers.npy", asked.inputs.shape)
            return answers, read_integers(scratch / OUT / "segments.npy", (len(asked),)), ended.cpu

    def _split(self, of: int) -> tuple[int, Split]:
        """Puzzles for one set of runs alone, and their seed; of the data set where the base has one."""
        if of not in self._puzzles:
            base, seed = self.base, secrets.randbits(60)
            if base.data.path is None:
                test = min(base.data.test, PUZZLES)
                base = replace(base, data=replace(base.data, seed=seed, test=test))
            self._puzzles[of] = seed, both(base, self.quiet)
        return self._puzzles[of]

    def _one(self, job: dict[str, Any]) -> dict[str, Any]:
        with TemporaryDirectory() as place:
            self._run(Path(place), job, self.limits)
            return read_result(Path(place))

    def _run(self, scratch: Path, job: dict[str, Any], limits: Limits) -> Ended:
        """One child with a fresh result folder.

        Raises:
            ConfigError: it crashed, was ended, or says itself that it cannot.
        """
        shutil.rmtree(scratch / OUT, ignore_errors=True)
        (scratch / OUT).mkdir()
        (scratch / PLUGIN).write_text(self.source, encoding="utf-8", errors="replace")
        (scratch / JOB).write_text(json.dumps({"base": encode(self.base), "changes": list(self.changes), **job}))
        ended = launch("hrmlab.specialist.plugins.child", [], scratch, limits)
        if ended.why:
            raise ConfigError(ended.why)
        if error := read_result(scratch).get("error"):
            raise ConfigError(str(error)[:500])
        return ended


def _times(cpu: tuple[list[float], list[float]], start: float) -> float:
    """CPU seconds of the change as a multiple of the base's, without what starting takes; 0 if they hardly differ."""
    before, after = (max(median(seconds) - start, 0.01) for seconds in cpu)
    return after / before if after - before > NOTABLE else 0.0
