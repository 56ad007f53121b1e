"""How far a run has come, and what that makes of the learning rate."""

import math
import time

from hrmlab.training.config import TrainingConfig


class Budget:
    """Steps and seconds spent, of those allowed. The clock stands still while paused."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.step = 0
        self.rate = 1.0
        """Of the learning rates; below 1 after a roll back."""
        self._spent = 0.0
        self._since: float | None = None
        self._agreed: float | None = None

    @property
    def seconds(self) -> float:
        """Of training: by this clock, or by the one that several processes agree on."""
        return self.clock if self._agreed is None else self._agreed

    @property
    def clock(self) -> float:
        """Seconds of training by this process's clock."""
        running = 0.0 if self._since is None else time.perf_counter() - self._since
        return self._spent + running

    def agree(self, seconds: float) -> None:
        """From now on the time is what it is told to be."""
        self._agreed = seconds

    def go(self) -> None:
        self._since = time.perf_counter()

    def pause(self) -> None:
        self._spent, self._since = self.clock, None

    def restore(self, step: int, seconds: float) -> None:
        self.step, self._spent, self._since = step, seconds, None
        self._agreed = None if self._agreed is None else seconds

    @property
    def progress(self) -> float:
        """Share of the budget spent, 0 to 1: of steps or of seconds, whichever is further on."""
        shares = [0.0]
        if self.config.steps is not None:
            shares.append(self.step / max(self.config.steps, 1))
        if self.config.seconds is not None:
            shares.append(self.seconds / max(self.config.seconds, 1e-9))
        return min(max(shares), 1.0)

    def lr_factor(self) -> float:
        """What the peak learning rates are multiplied by at the coming step: the warm-up, then the decay."""
        return self.rate * self._course()

    def _course(self) -> float:
        config = self.config
        if self.step < config.warmup_steps:
            return (self.step + 1) / config.warmup_steps
        warm = min(config.warmup_steps / config.steps, 1.0) if config.steps else 0.0
        progress = max(self.progress - warm, 0.0) / (1 - warm) if warm < 1 else 1.0
        shape = {
            "constant": 1.0,
            "linear": 1 - progress,
            "cosine": (1 + math.cos(math.pi * progress)) / 2,
        }[config.decay]
        return config.min_lr_ratio + (1 - config.min_lr_ratio) * shape
