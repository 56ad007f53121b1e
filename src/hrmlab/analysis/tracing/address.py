"""Addresses of activations under weight-tied recurrence: `seg3/h1/l0/low.2.attn.pattern`.

`seg3` is the segment, `h1/l0` where in it: one count for each level down to the one that is updated, of its updates
since the next slower level was last updated. `low` is the level that the row updates (in TRM one network updates two),
`2.attn.pattern` a place in its network. Names of what belongs to the segment as a whole stand alone: `seg3/logits`.
Standard library only.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from hrmlab.core.schedule import Schedule
from hrmlab.errors import ConfigError

Count = tuple[str, int]
"""A level's short name and a number."""


@dataclass(frozen=True, order=True)
class Address:
    """One activation of one run.

    segment: from 0. row: of the schedule, -1 for what belongs to the whole segment. counts: the row in words.
    site: level and place, `low.2.attn.pattern`; or `input`, `logits`, `values`.
    """

    segment: int
    row: int
    counts: tuple[Count, ...]
    site: str

    def __str__(self) -> str:
        return "/".join((f"seg{self.segment}", *(f"{name}{number}" for name, number in self.counts), self.site))

    @property
    def level(self) -> str:
        """The level that the row updates; empty for what belongs to the whole segment."""
        return self.site.partition(".")[0] if self.row >= 0 else ""


def short_names(levels: Sequence[str]) -> dict[str, str]:
    """How each level's count is written: by its initial where that tells them apart, else `name_`."""
    initials = [level[0] for level in levels]
    return {level: level[0] if initials.count(level[0]) == 1 else f"{level}_" for level in levels}


def clocks(schedule: Schedule) -> list[tuple[Count, ...]]:
    """For each row, the counts of its address."""
    short, found = short_names(schedule.levels), []
    since = dict.fromkeys(schedule.levels, 0)
    for update in schedule.updates:
        depth = schedule.levels.index(update.target)
        found.append(tuple((short[level], since[level]) for level in schedule.levels[: depth + 1]))
        since[update.target] += 1
        for faster in schedule.levels[depth + 1 :]:
            since[faster] = 0
    return found


_PART = re.compile(r"([a-z_]\w*?_|[a-z]+)(\*|-?\d+|-?\d*:-?\d*)")


@dataclass(frozen=True)
class Pattern:
    """Which addresses are meant: `seg3/h1/low.2.attn.pattern`, `seg-1/*.state`, `seg0:4/l0/low.*.out`, `logits`.

    Parts before the last are numbers (negative ones from the end, for segments), ranges as in Python, or `*`; those
    left out match everything. `row5` names a row of the schedule. In the last part `*` matches anything, dots too.
    """

    text: str
    counts: tuple[tuple[str, str], ...]
    site: str

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        """Raises ConfigError where the text is no pattern."""
        *parts, site = text.strip().split("/")
        found = [_PART.fullmatch(part) for part in parts if part != "*"]
        if not site or None in found:
            raise ConfigError(
                f"'{text}' is no address; wanted e.g. seg3/h1/l0/low.2.attn.pattern, seg-1/*.state or logits"
            )
        return cls(text, tuple((match[1], match[2]) for match in found if match), site)

    def fits_site(self, site: str) -> bool:
        """Whether the last part matches, whatever the numbers."""
        return fnmatchcase(site, self.site)

    def fits(self, address: Address, segments: int) -> bool:
        """Whether the address is meant, in a run of so many segments."""
        if not self.fits_site(address.site):
            return False
        numbers = dict(address.counts) | {"seg": address.segment, "row": address.row}
        return all(name in numbers and _within(numbers[name], wanted, segments if name == "seg" else 0)
                   for name, wanted in self.counts)  # fmt: skip


def _within(number: int, wanted: str, length: int) -> bool:
    if wanted == "*":
        return True
    if ":" in wanted:
        low, high = (int(end) if end else None for end in wanted.split(":"))
        start, stop, _ = slice(low, high).indices(length or 10**9)
        return start <= number < stop
    return number == (int(wanted) + length if wanted.startswith("-") else int(wanted))


def patterns(texts: str | Iterable[str]) -> tuple[Pattern, ...]:
    """One or several patterns, parsed."""
    return tuple(Pattern.parse(text) for text in ((texts,) if isinstance(texts, str) else texts))


def no_match(pattern: Pattern, known: Iterable[str]) -> ConfigError:
    """The error for a pattern that matches nothing, with the nearest names."""
    names = sorted(set(known))
    near = get_close_matches(pattern.site, names, n=3, cutoff=0.4)
    hint = f"the nearest are {', '.join(near)}" if near else f"there are e.g. {', '.join(names[:6])}"
    return ConfigError(f"'{pattern.text}' matches no activation of this model; {hint}")
