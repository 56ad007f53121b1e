"""What a rule is: a function that reads the facts and may propose one change, for a reason with numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hrmlab.specialist.facts import Facts


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A proposal before it has a number and costs; fields as in `results.specialist.Proposal`.

    weight: how strongly the facts ask for it, 0 to 1: about 1 where a probe failed, 0.5 where the problem's words do.
    """

    title: str
    changes: list[str]
    prediction: str
    principle: str
    rationale: str
    explanation: str
    implications: str
    testing: str = ""
    source: str = ""
    aim: str = "exact"
    better: Literal["higher", "lower"] = "higher"
    weight: float = 0.5
    rule: str = field(default="")


Rule = Callable[[Facts], Draft | None]
RULES: dict[str, tuple[tuple[str, ...], Rule]] = {}
"""By name: the topics that it is for, and the rule."""


def rule(*topics: str) -> Callable[[Rule], Rule]:
    """Decorator: a rule for problems of these topics; without any, for every problem."""

    def add(function: Rule) -> Rule:
        RULES[function.__name__] = (topics, function)
        return function

    return add
