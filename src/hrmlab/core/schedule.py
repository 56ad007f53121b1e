"""The table of updates: how a model recurs, as plain data.

HRM, TRM, single-state and multi-level models and looped transformers are one loop over rows

    state[target] <- network(state[target] + sum of the sources)        gradient on / off

and differ in nothing else. The forward pass, the FLOP count, the gradient audit, every trace address and the diagram
read this table. Standard library only.

Vocabulary: a *level* is a state and the network that updates it; an *update* is one row; a *segment* is one pass
through all rows (one step of adaptive computation time).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hrmlab.errors import ConfigError

INPUT = "input"
"""The source that stands for the embedded puzzle."""


@dataclass(frozen=True)
class Update:
    """One row: `state[target] <- network(state[target] + (sources[0] + sources[1] + ...))`, added in that order.

    The order is the papers' (`z_L + (z_H + input)`), so that low precision rounds as theirs does.
    """

    target: str
    sources: tuple[str, ...]
    network: str
    grad: bool = True

    @property
    def site(self) -> str:
        """A name that rows share which do the same, for parts that belong to rows: no dots in it."""
        return "_".join((self.target, "from", *self.sources, "by", self.network))


@dataclass(frozen=True)
class Schedule:
    """The rows of one segment.

    levels: names of the states, slowest first.
    updates: rows in order of execution.
    answer: the level that the heads read.
    neumann: the rows with gradient, the last ones, count as a map that has arrived at its fixed point, and the backward
        pass sums so many more terms of its Neumann series (`core.implicit`); 0 for plain back-propagation.
    """

    levels: tuple[str, ...]
    updates: tuple[Update, ...]
    answer: str
    neumann: int = 0

    def __post_init__(self) -> None:
        """Raises ConfigError with every reason why the table is not coherent."""
        if problems := incoherences(self):
            raise ConfigError("the schedule is not coherent: " + "; ".join(problems))

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks in order of first use."""
        return tuple(dict.fromkeys(update.network for update in self.updates))

    def calls(self) -> Counter[str]:
        """Network calls in one segment, by network."""
        return Counter(update.network for update in self.updates)

    def grad_calls(self) -> Counter[str]:
        """Network calls in one segment that carry gradient, by network."""
        return Counter(update.network for update in self.updates if update.grad)

    def cost(self, of_a_call: Mapping[str, float], calls: Mapping[str, int] | None = None) -> float:
        """What one segment costs, in whatever unit a call is counted.

        Args:
            of_a_call: by network.
            calls: which calls count, by network: `calls()`, the default, or `grad_calls()` for the backward pass.
        """
        return sum(n * of_a_call[name] for name, n in (self.calls() if calls is None else calls).items())

    def with_grad_window(self, rows: int | None) -> "Schedule":
        """The same table with plain gradient in its last `rows` rows only (None: as it is)."""
        if rows is None:
            return self
        if not 1 <= rows <= len(self.updates):
            raise ConfigError(f"grad_window={rows} is outside 1..{len(self.updates)}, the rows of this schedule")
        first = len(self.updates) - rows
        updates = tuple(replace(u, grad=i >= first) for i, u in enumerate(self.updates))
        return replace(self, updates=updates, neumann=0)

    def with_input_everywhere(self) -> "Schedule":
        """The same table, every row reading the input as its last source."""
        rows = (u if INPUT in u.sources else replace(u, sources=(*u.sources, INPUT)) for u in self.updates)
        return replace(self, updates=tuple(rows))

    def describe(self) -> str:
        """The table as text, a line a row."""
        width = max(len(level) for level in self.levels)
        lines = [
            f"{i:>3}  {u.target:<{width}} <- {u.network}({' + '.join((u.target, *u.sources))})"
            f"{'   gradient' if u.grad else ''}"
            for i, u in enumerate(self.updates)
        ]
        grad = sum(self.grad_calls().values())
        more = f", of a fixed point by {self.neumann} more terms" if self.neumann else ""
        total = f"{len(self.updates)} updates, {grad} with gradient{more}; the answer is read from '{self.answer}'"
        return "\n".join([*lines, total])


def incoherences(schedule: Schedule) -> list[str]:
    """Every reason why a schedule cannot learn or does not mean what it says; empty if it is coherent."""
    problems = []
    levels, updates = set(schedule.levels), schedule.updates
    if not updates:
        return ["it has no updates"]
    for i, update in enumerate(updates):
        if update.target not in levels:
            problems.append(f"row {i} updates '{update.target}', which is no level ({', '.join(schedule.levels)})")
        strangers = [source for source in update.sources if source != INPUT and source not in levels]
        problems += [f"row {i} reads '{source}', which is neither a level nor '{INPUT}'" for source in strangers]
        if update.target in update.sources:
            problems.append(f"row {i} adds '{update.target}' to itself twice")
    problems += [f"level '{level}' is never updated" for level in schedule.levels if level not in _targets(updates)]
    if schedule.answer not in levels:
        problems.append(f"the answer is read from '{schedule.answer}', which is no level")
    elif updates[-1].target != schedule.answer:
        problems.append(f"the last row updates '{updates[-1].target}', so the answer of '{schedule.answer}' comes late")
    if not _reaches(updates, schedule.answer):
        problems.append(f"the input never reaches '{schedule.answer}'")
    if schedule.neumann < 0:
        problems.append(f"neumann={schedule.neumann}; wanted 0 or more terms")
    if schedule.neumann and [update.grad for update in updates] != sorted(update.grad for update in updates):
        problems.append("rows without gradient follow rows with it, and a fixed point's gradient wants it in the last")
    unreached = set(schedule.networks) - _trained(updates, schedule.answer)
    problems += [f"no gradient reaches network '{name}'" for name in schedule.networks if name in unreached]
    return problems


def _targets(updates: Sequence[Update]) -> set[str]:
    return {update.target for update in updates}


def _reaches(updates: Sequence[Update], answer: str) -> bool:
    """Whether the input flows into the answer within one segment or, through the carried states, the next."""
    reached = {INPUT}
    for update in (*updates, *updates):
        if reached & {update.target, *update.sources}:
            reached.add(update.target)
    return answer in reached


def _trained(updates: Sequence[Update], answer: str) -> set[str]:
    """Networks on a path of gradient rows to the answer, walked backwards."""
    live, trained = {answer}, set()
    for update in reversed(updates):
        if update.target not in live:
            continue
        if not update.grad:
            live.discard(update.target)
            continue
        trained.add(update.network)
        live |= {update.target, *update.sources} - {INPUT}
    return trained
