"""What happens after a step: metrics about every second, evaluations and checkpoints when due, and the progress bar."""

import math
from collections.abc import Callable
from typing import Any

from hrmlab.core.weights import write_atomically
from hrmlab.errors import HrmLabError
from hrmlab.reading import parsed
from hrmlab.terminal import Meter
from hrmlab.training.checkpoint import KEPT, checkpoints, restore, save_checkpoint
from hrmlab.training.folder import RunFolder
from hrmlab.training.loop import Trainer
from hrmlab.training.tensorboard import Mirror

EVERY = 1.0
"""Seconds of training between two lines of metrics.jsonl."""

Evaluate = Callable[[Trainer], dict[str, Any]]


class Monitor:
    """The `after_step` of a run on disk.

    Args:
        evaluate: measures the averaged weights on held-out puzzles; called every `training.evaluate_every` seconds.
        stop: asked after each step; the run ends when it says True.
    """

    def __init__(
        self,
        folder: RunFolder,
        meter: Meter,
        evaluate: Evaluate,
        stop: Callable[[], bool],
        trainer: Trainer,
        keep: int = KEPT,
    ) -> None:
        self.folder, self.meter, self.evaluate, self.stop, self.keep = folder, meter, evaluate, stop, keep
        self._logged_at = self._evaluated_at = trainer.budget.seconds
        self._logged_step = trainer.budget.step
        self._facts: dict[str, float] = {}
        wanted = trainer.config.training.tensorboard and trainer.ranks.leads
        self._mirror = Mirror(folder.path / "tensorboard", trainer.budget.step) if wanted else None

    def __call__(self, trainer: Trainer) -> bool:
        """Whether to go on.

        Raises:
            HrmLabError: the loss is no longer a number.
            CheckpointError: the disk is full.
        """
        training, budget = trainer.config.training, trainer.budget
        if trainer.guard.why is not None:
            self._mend(trainer, trainer.guard.why)
        save = training.checkpoint_every is not None and budget.step % training.checkpoint_every == 0
        if save or budget.seconds - self._logged_at >= EVERY:
            self.log(trainer)
        if save:
            save_checkpoint(trainer, self.folder.checkpoints, self.keep)
        if training.evaluate_every is not None and budget.seconds - self._evaluated_at >= training.evaluate_every:
            self._evaluated_at = budget.seconds
            self._record(trainer, {"evaluation": self.evaluate(trainer)})
        return not self.stop()

    def _mend(self, trainer: Trainer, why: str) -> None:
        """Record a step that diverged, and go back to the last checkpoint where `training.guard` says so.

        Raises:
            HrmLabError: the run ends here.
        """
        guard, at = trainer.guard, trainer.budget.step
        config, event = guard.config, {"diverged": why, "at": at, "action": guard.config.action}
        back = config.action == "roll_back" and guard.rolled_back < config.most and checkpoints(self.folder.checkpoints)
        if back:
            times, rate = guard.rolled_back + 1, trainer.budget.rate * config.rate
            restore(trainer, self.folder.last_checkpoint())
            guard.rolled_back, trainer.budget.rate = times, rate
            trainer.measures()
            self._logged_at = self._evaluated_at = trainer.budget.seconds
            self._logged_step = trainer.budget.step
            if trainer.ranks.leads:
                forget_after(self.folder, trainer.budget.step)
            event |= {"rate": rate}
        self._record(trainer, event)
        guard.why = None
        if not back and (config.action != "skip" or guard.skipped > config.most):
            raise HrmLabError(
                f"{why} by step {at}, after {guard.skipped} steps left out and {guard.rolled_back} ways back; lower "
                "training.optimiser.lr or set training.clip=1, and train anew (the run so far is in "
                f"{self.folder.path})"
            )

    def log(self, trainer: Trainer) -> None:
        """Write the measures since the last call as a line of metrics.jsonl, and show them."""
        measures = trainer.measures()
        if not measures:
            return
        budget = trainer.budget
        if not math.isfinite(measures["loss"]):
            raise HrmLabError(
                f"the loss became {measures['loss']} by step {budget.step}; lower training.optimiser.lr or set "
                f"training.clip=1, and train anew (the run so far is in {self.folder.path})"
            )
        rate = (budget.step - self._logged_step) / max(budget.seconds - self._logged_at, 1e-9)
        self._logged_at, self._logged_step = budget.seconds, budget.step
        self._record(trainer, measures | {"steps_per_second": rate, "lr_factor": budget.lr_factor()})
        self._facts |= measures | {"rate": rate}
        self.meter.update(budget.progress, self._words(budget.step))

    def _record(self, trainer: Trainer, values: dict[str, Any]) -> None:
        if not trainer.ranks.leads:
            return
        budget = trainer.budget
        record = {"step": budget.step, "seconds": round(budget.seconds, 3)} | values
        self.folder.log(record)
        if self._mirror is not None:
            self._mirror.add(budget.step, values)

    def close(self) -> None:
        """Write out what TensorBoard has not been given yet."""
        if self._mirror is not None:
            self._mirror.close()

    def _words(self, step: int) -> str:
        facts = self._facts
        words = [f"step {step}", f"{facts['rate']:.1f}/s", f"loss {facts['loss']:.3f}"]
        if "exact" in facts:
            words += [f"exact {facts['exact']:.1%}", f"{facts['segments']:.1f} segments"]
        return "  ".join(words)


def forget_after(folder: RunFolder, step: int) -> None:
    """Drop the lines of metrics.jsonl after a step: a resumed run goes through those steps again."""
    file = folder.path / "metrics.jsonl"
    if not file.is_file():
        return
    kept = []
    for line in file.read_bytes().splitlines(keepends=True):
        try:
            if parsed(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            continue  # a line cut short by a crash
    write_atomically(file, b"".join(kept))
