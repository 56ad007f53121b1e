"""Schedules by name, for configuration files: each kind holds the arguments of a builder in `core.schedule`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from hrmlab.core import recurrences
from hrmlab.core.schedule import Schedule
from hrmlab.registry import Part, Registry

SCHEDULES = Registry("schedule")


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig(Part, ABC):
    """Base of all schedule configurations.

    grad_window: how many last rows carry gradient; None keeps the builder's own choice.
    input_to: "fastest" keeps the builder's rows; "every" adds the input to the rows of all levels.
    neumann: the gradient of a fixed point, by so many more terms than the one-step gradient has (`core.implicit`).
        Eager engines only.
    """

    registry: ClassVar[Registry] = SCHEDULES
    kind: str
    grad_window: int | None = None
    input_to: Literal["fastest", "every"] = "fastest"
    neumann: int = 0

    @abstractmethod
    def table(self) -> Schedule:
        """The builder's table, before what all kinds have in common."""

    def build(self) -> Schedule:
        """The table of updates.

        Raises:
            ConfigError: a count below one, a window outside the table, or an incoherent table.
        """
        table = replace(self.table().with_grad_window(self.grad_window), neumann=self.neumann)
        return table.with_input_everywhere() if self.input_to == "every" else table


@SCHEDULES.register(source="Wang et al. 2025, arXiv 2506.21734")
@dataclass(frozen=True, kw_only=True)
class HRMSchedule(ScheduleConfig):
    """Two networks, high and low; one-step gradient."""

    kind: Literal["hrm"] = "hrm"
    high_cycles: int = 2
    low_cycles: int = 2

    def table(self) -> Schedule:
        return recurrences.hrm(self.high_cycles, self.low_cycles)


@SCHEDULES.register(source="Jolicoeur-Martineau 2025, arXiv 2510.04871")
@dataclass(frozen=True, kw_only=True)
class TRMSchedule(ScheduleConfig):
    """One network for both states; gradient through the last high cycle."""

    kind: Literal["trm"] = "trm"
    high_cycles: int = 3
    low_cycles: int = 6

    def table(self) -> Schedule:
        return recurrences.trm(self.high_cycles, self.low_cycles)


@SCHEDULES.register(source="HRM-Text, arXiv 2605.20613; model type hrm_text of transformers")
@dataclass(frozen=True, kw_only=True)
class HRMTextSchedule(ScheduleConfig):
    """Two networks; the input is where the high state begins, not added again; gradient at the end of every cycle.

    low_grad: of the last high cycles, how many last low updates carry gradient; 1 in the cycles before.
    """

    kind: Literal["hrm_text"] = "hrm_text"
    high_cycles: int = 2
    low_cycles: int = 3
    low_grad: tuple[int, ...] = (2,)

    def table(self) -> Schedule:
        return recurrences.hrm_text(self.high_cycles, self.low_cycles, self.low_grad)


@SCHEDULES.register(source="hrm-lab; TRM's single-state ablation, arXiv 2510.04871, table 2")
@dataclass(frozen=True, kw_only=True)
class SingleState(ScheduleConfig):
    """One state and one network; gradient through every update."""

    kind: Literal["single_state"] = "single_state"
    cycles: int = 4

    def table(self) -> Schedule:
        return recurrences.single_state(self.cycles)


@SCHEDULES.register(source="URM, arXiv 2512.14693")
@dataclass(frozen=True, kw_only=True)
class Universal(ScheduleConfig):
    """Looped transformer with gradient through its last loops."""

    kind: Literal["universal"] = "universal"
    loops: int = 8
    grad_loops: int = 6

    def table(self) -> Schedule:
        return recurrences.universal(self.loops, self.grad_loops)


@SCHEDULES.register(source="hrm-lab; generalises arXiv 2506.21734, section 2")
@dataclass(frozen=True, kw_only=True)
class Levels(ScheduleConfig):
    """Any number of levels with their own networks and relative periods, slowest first."""

    kind: Literal["levels"] = "levels"
    periods: tuple[int, ...] = (2, 2, 2)

    def table(self) -> Schedule:
        return recurrences.levels(self.periods)
