"""Whether a part keeps the rules of its family, and new parts."""

from dataclasses import dataclass

from hrmlab.results.base import Result


@dataclass(frozen=True)
class Check:
    """One rule.

    ok: None where it could not be asked, or does not apply.
    why: what holds, what is broken, or why it was not asked.
    """

    name: str
    ok: bool | None
    why: str


@dataclass(frozen=True)
class Checked(Result):
    """A part and all its rules. ok: none is broken."""

    ok: bool
    kind: str
    name: str
    checks: list[Check]


@dataclass(frozen=True)
class Scaffold(Result):
    """A part of the user's own, written to be changed. files: the part and its test. next: what to type."""

    kind: str
    name: str
    files: list[str]
    next: list[str]
