"""Which arms a study has: the reference, and what each other arm changes of it."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Literal

from hrmlab.errors import ConfigError

Design = Literal["one_factor", "leave_one_out", "factorial"]
Factors = Mapping[str, Mapping[str, tuple[str, ...]]]
Arms = dict[str, tuple[str, ...]]
"""By the arm's name, the overrides of the study's base. The first is the reference."""

BASE = "base"
COMPLETE = "complete"


def arms_of(design: Design, factors: Factors) -> Arms:
    """The arms of a design.

    one_factor: the base, and each level of each factor alone.
    leave_one_out: all factors together, and all but one at a time; each has one level.
    factorial: every combination of levels, the base's own among them.

    Raises:
        ConfigError: a factor without levels, or with several where factors are left out.
    """
    if empty := [name for name, levels in factors.items() if not levels]:
        raise ConfigError(f"factor '{empty[0]}' has no levels; wanted at least one, as name: [dotted.key=value, ...]")
    return dict({"one_factor": _one_factor, "leave_one_out": _leave_one_out, "factorial": _factorial}[design](factors))


def _one_factor(factors: Factors) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield BASE, ()
    for name, levels in factors.items():
        for level, overrides in levels.items():
            yield f"{name}={level}", overrides


def _leave_one_out(factors: Factors) -> Iterator[tuple[str, tuple[str, ...]]]:
    if several := [name for name, levels in factors.items() if len(levels) > 1]:
        raise ConfigError(f"leave_one_out takes factors of one level; '{several[0]}' has {len(factors[several[0]])}")
    changes = {name: next(iter(levels.values())) for name, levels in factors.items()}
    yield COMPLETE, sum(changes.values(), ())
    for left_out in changes:
        yield f"without {left_out}", sum((some for name, some in changes.items() if name != left_out), ())


def _factorial(factors: Factors) -> Iterator[tuple[str, tuple[str, ...]]]:
    choices = [[(), *((name, level) for level in levels)] for name, levels in factors.items()]
    for chosen in product(*choices):
        changed = [pair for pair in chosen if pair]
        overrides = sum((factors[name][level] for name, level in changed), ())
        yield " ".join(f"{name}={level}" for name, level in changed) or BASE, overrides
