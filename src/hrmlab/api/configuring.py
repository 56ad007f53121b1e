"""From a preset or file, overrides and a budget to the configuration of a run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hrmlab.api.puzzles import resolved
from hrmlab.api.rules import spelled_out
from hrmlab.api.targets import find_config
from hrmlab.errors import ConfigError
from hrmlab.training.config import RunConfig
from hrmlab.training.overrides import override_run


def configure(
    target: str | Path,
    overrides: Sequence[str] = (),
    seconds: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
) -> RunConfig:
    """The configuration that `train` would run.

    Raises:
        ConfigError, DataError: an unknown name, key or value, or no data set at `data.path`.
    """
    config = with_budget(override_run(find_config(target), spelled_out(overrides)), seconds, steps)
    if seed is not None:
        config = replace(config, training=replace(config.training, seed=seed))
    return resolved(config)


def with_budget(config: RunConfig, seconds: float | None, steps: int | None) -> RunConfig:
    """A configuration with another budget; either number given alone is the only limit."""
    for name, value in (("seconds", seconds), ("steps", steps)):
        if value is not None and value <= 0:
            raise ConfigError(f"--{name} {value} came; wanted more than 0")
    if seconds is None and steps is None:
        return config
    return replace(config, training=replace(config.training, seconds=seconds, steps=steps))
