"""How much a run computes, and which of that is alike in all arms of a study."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from hrmlab.core.cost import Costs, costs
from hrmlab.training.config import RunConfig

ALIKE = 0.01
"""Arms whose quantities differ by less than this share count as matched: a whole number of steps cannot do better."""


@dataclass(frozen=True)
class Work:
    """Of one run. None where the budget does not fix it.

    parameters: of the model, a sparse puzzle table not counted. segment_flops: one segment of inference, one puzzle.
    step_flops: one optimiser step of the whole batch, looks ahead counted.
    """

    parameters: int
    segment_flops: int
    step_flops: int
    steps: int | None
    seconds: float | None
    flops: int | None

    def limited(self, steps: int | None, seconds: float | None) -> "Work":
        """The same under another budget."""
        return replace(self, steps=steps, seconds=seconds, flops=None if steps is None else self.step_flops * steps)


def work_of(config: RunConfig, cost: Costs | None = None) -> Work:
    """What a configuration computes under its own budget, counted without making its weights.

    Args:
        cost: of its model, if that is known.

    Raises:
        ConfigError: parts that do not fit each other or the data.
    """
    schedule, training = config.model.schedule.build(), config.training
    cost = cost or costs(config.model, config.task.spec())
    puzzle = cost.step(schedule, config.halting, training.segments_per_step)
    work = Work(cost.parameters, cost.segment(schedule), puzzle * training.batch_size, None, None, None)
    return work.limited(training.steps, training.seconds)


def matched(arms: Iterable[Work]) -> list[str]:
    """The quantities that are alike, within a hundredth, in all arms; what is not named here was not matched."""
    rows = list(arms)
    return [field.name for field in fields(Work) if _alike([getattr(row, field.name) for row in rows])]


def _alike(values: list[float | None]) -> bool:
    known = [value for value in values if value is not None]
    return len(known) == len(values) and max(known) <= (1 + ALIKE) * min(known)
