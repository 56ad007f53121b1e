"""The published recurrences, each written down as a schedule."""

from collections.abc import Sequence
from math import prod

from hrmlab.core.schedule import INPUT, Schedule, Update
from hrmlab.errors import ConfigError

MOST = 10_000
"""Updates that a segment may have."""


def _positive(**cycles: int) -> None:
    for name, value in cycles.items():
        if value < 1:
            raise ConfigError(f"{name}={value}; wanted 1 or more")
    if prod(cycles.values()) > MOST:
        came = ", ".join(f"{name}={value}" for name, value in cycles.items())
        raise ConfigError(f"{came}; wanted at most {MOST:,} updates in a segment")


def hrm(high_cycles: int, low_cycles: int) -> Schedule:
    """HRM: two networks; the low level steps `low_cycles` times for each step of the high one; one-step gradient.

    Wang et al. 2025 (arXiv 2506.21734), section 2: gradient through the last low and the last high update only.
    """
    return _two_level(high_cycles, low_cycles, low_network="low").with_grad_window(2)


def trm(high_cycles: int, low_cycles: int) -> Schedule:
    """TRM: one network for both states; gradient through the whole last high cycle.

    Jolicoeur-Martineau 2025 (arXiv 2510.04871), figure 3: `low_cycles` + 1 rows with gradient.
    """
    return _two_level(high_cycles, low_cycles, low_network="high").with_grad_window(low_cycles + 1)


def _two_level(high_cycles: int, low_cycles: int, low_network: str) -> Schedule:
    _positive(high_cycles=high_cycles, low_cycles=low_cycles)
    low = Update("low", ("high", INPUT), low_network)
    high = Update("high", ("low",), "high")
    return Schedule(("high", "low"), (*[low] * low_cycles, high) * high_cycles, answer="high")


def hrm_text(high_cycles: int, low_cycles: int, low_grad: Sequence[int] = (2,)) -> Schedule:
    """HRM-Text: the high state begins as the input, which is not added again; nothing is carried between segments.

    arXiv 2605.20613. A state that begins at zero and is given the input by its first rows is the same: in the first
    cycle the rows read the input where later ones read the high state, so `high` must begin at zero.

    Args:
        low_grad: of the last high cycles, how many last low updates carry gradient; 1 in the cycles before. High
            updates always do.
    """
    _positive(high_cycles=high_cycles, low_cycles=low_cycles)
    if len(low_grad) > high_cycles or not all(0 <= count <= low_cycles for count in low_grad):
        wanted = f"at most {high_cycles} numbers from 0 to {low_cycles}"
        raise ConfigError(f"low_grad={list(low_grad)}; wanted {wanted}, one for each of the last high cycles")
    rows: list[Update] = []
    for cycle, count in enumerate([1] * (high_cycles - len(low_grad)) + list(low_grad)):
        slow = INPUT if cycle == 0 else "high"
        rows += [Update("low", (slow,), "low", i >= low_cycles - count) for i in range(low_cycles)]
        rows.append(Update("high", ("low", INPUT) if cycle == 0 else ("low",), "high"))
    return Schedule(("high", "low"), tuple(rows), answer="high")


def single_state(cycles: int) -> Schedule:
    """One state, one network, the input added at each of `cycles` updates; gradient through all of them."""
    _positive(cycles=cycles)
    return Schedule(("state",), (Update("state", (INPUT,), "state"),) * cycles, answer="state")


def universal(loops: int, grad_loops: int) -> Schedule:
    """Universal (looped) transformer with truncated back-propagation: the last `grad_loops` of `loops` carry gradient.

    URM, arXiv 2512.14693, section 3 and table 3.
    """
    return single_state(loops).with_grad_window(grad_loops)


def levels(periods: Sequence[int]) -> Schedule:
    """Any number of levels, slowest first, each with its own network.

    Args:
        periods: for each level but the slowest, how often it is updated for one update of the level above; the
            slowest level's entry is its number of updates in a segment. `levels((2, 2))` recurs as `hrm(2, 2)` does.

    Each level reads the one above and the one below; the input enters at the fastest. One-step gradient: the last
    update of each level.
    """
    if len(periods) < 2:
        raise ConfigError(f"levels({list(periods)}) needs two or more periods; for one level use single_state")
    _positive(**{f"periods[{i}]": period for i, period in enumerate(periods)})
    names = ("high", "low") if len(periods) == 2 else tuple(f"level{i}" for i in range(len(periods)))

    def rows(depth: int) -> tuple[Update, ...]:
        above = (names[depth - 1],) if depth else ()
        below = (names[depth + 1],) if depth + 1 < len(names) else (INPUT,)
        one = Update(names[depth], (*above, *below), names[depth])
        inner = rows(depth + 1) if depth + 1 < len(names) else ()
        return (*inner, one) * periods[depth]

    return Schedule(names, rows(0), answer=names[0]).with_grad_window(len(names))
