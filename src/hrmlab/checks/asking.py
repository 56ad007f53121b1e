"""How a rule is asked: it returns, or raises what is wrong."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from hrmlab.results import Check

T = TypeVar("T")


class Broken(Exception):
    """A rule does not hold; the message says where."""


class Skipped(Exception):
    """A rule does not apply here, or cannot be asked; the message says why."""


Rule = Callable[[T], None]
"""What must hold; its docstring says it in one line."""


def demand(holds: object, why: str) -> None:
    """Raises Broken with that message unless it holds."""
    if not holds:
        raise Broken(why)


def ask(rules: Mapping[str, Rule[T]], cases: Iterable[tuple[str, T]]) -> list[Check]:
    """Every rule over all cases, in order.

    Args:
        cases: each with a name for the report.

    Returns:
        A check for each rule: failed at the first case that breaks it, not done (`ok` None) where it applies to none.
    """
    everyone = list(cases)
    return [_over(name, rule, everyone) for name, rule in rules.items()]


def _over(name: str, rule: Rule[T], cases: list[tuple[str, T]]) -> Check:
    passed, skipped = 0, "there is no case to ask it of"
    for where, case in cases:
        try:
            rule(case)
            passed += 1
        except Skipped as reason:
            skipped = str(reason)
        except Broken as reason:
            return Check(name, False, f"{where}: {reason}")
        except Exception as error:  # whatever somebody's part raises is an answer too
            first = (str(error).strip().splitlines() or [""])[0]
            return Check(name, False, f"{where}: {type(error).__name__}: {first}")
    if not passed:
        return Check(name, None, skipped)
    said = (rule.__doc__ or name).strip().splitlines()[0].rstrip(".")
    return Check(name, True, said if len(cases) == 1 else f"{said} ({passed} of {len(cases)} cases)")
