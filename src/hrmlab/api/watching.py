"""Probes on a model while it is being trained: what they find is recorded, and a run that is lost ends."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from hrmlab.analysis.probes import Probe, Subject
from hrmlab.api.diagnosing import chosen, copied_trainer, measured, worst_first
from hrmlab.config import encode
from hrmlab.results import Finding
from hrmlab.tasks.base import Split
from hrmlab.training.config import RunConfig
from hrmlab.training.folder import RunFolder
from hrmlab.training.loop import Trainer

SHARE = 0.1
"""Of the time since the start, the most that watching may take."""
FIRST = 10.0
"""Seconds of training before the first look: until then everything changes too fast to be judged."""
PUZZLES = 32
AT_ONCE = ("numerics.", "gradient_path.", "data.")
"""Rules about which a second look would say the same."""


class Watch:
    """Asked after each step; looks now and then, and says whether to go on.

    A look costs as long as the probes take; the next one waits until watching is again below a tenth of the run.

    Args:
        preset: of probes, "economy" for the cheap ones.

    Attributes:
        lost: the findings that ended the run: a failure seen by two looks running, or at once where time mends nothing.
    """

    def __init__(self, preset: Any, config: RunConfig, split: Split, folder: RunFolder) -> None:
        self.probes: Sequence[Probe] = chosen(preset)
        self.config, self.split, self.folder = config, split, folder
        self.spent = 0.0
        self.lost: list[Finding] = []
        self._before: set[str] = set()

    def __call__(self, trainer: Trainer) -> bool:
        seconds = trainer.budget.seconds
        if seconds < FIRST or self.spent > SHARE * seconds:
            return True
        start = time.perf_counter()
        findings = self.look(trainer)
        self.spent += time.perf_counter() - start
        failures = [finding for finding in findings if finding.severity == "fail"]
        self.lost = [f for f in failures if f.rule in self._before or f.rule.startswith(AT_ONCE)]
        self._before = {finding.rule for finding in failures}
        line = {"step": trainer.budget.step, "seconds": round(seconds, 3)}
        self.folder.log(line | {"watch": [asdict(finding) for finding in findings]})
        return not self.lost

    def look(self, trainer: Trainer) -> list[Finding]:
        """What the probes find in the weights as they are now (not their average); nothing of the run is changed."""
        config, model = self.config, trainer.model
        state, training = torch.random.get_rng_state(), model.training
        gradients = [parameter.grad for parameter in model.parameters()]
        subject = Subject(
            model=model.eval(),
            task=config.task,
            examples=self.split.test.part(slice(min(PUZZLES, len(self.split.test)))),
            loss=config.loss,
            halting=config.halting,
            evaluation=config.evaluation,
            segments=config.halting.max_segments,
            settings=encode(config),
            train=self.split.train,
            learner=lambda: copied_trainer(config, self.split.train, model),
        )
        try:
            return worst_first(measured(subject, self.probes, quiet=True))
        finally:
            model.train(training)
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter.grad = gradient
            torch.random.set_rng_state(state)
