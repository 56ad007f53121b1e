"""Rules of every registered part: it says what it is, and its settings go through files."""

import json
from dataclasses import fields

from hrmlab.checks.asking import Rule, demand
from hrmlab.config import decode, encode
from hrmlab.registry import Entry, Part


def entry_rules(base: type[Part]) -> dict[str, Rule[Entry]]:
    """The rules of the members of a family, by its base class."""

    def described(entry: Entry) -> None:
        """Says in a line what it is, and where it comes from."""
        bare = entry.summary.startswith(f"{entry.config.__name__}(")
        demand(len(entry.summary.split()) >= 3 and not bare, "its docstring says in no line what it is")
        demand(entry.source.strip(), "it names no source; wanted register(source=...)")

    def settings(entry: Entry) -> None:
        """Is a frozen dataclass whose settings survive JSON and the command line."""
        part = entry.config()
        demand(isinstance(part, base), f"is no {base.__name__}")
        try:
            hash(part)
        except TypeError:
            demand(False, "is not frozen, or a setting is a list; wanted @dataclass(frozen=True, kw_only=True), tuples")
        for data in (entry.name, {"kind": entry.name}, json.loads(json.dumps(encode(part)))):
            demand(decode(base, data) == part, f"{data} does not decode to its defaults")
        names = {field.name for field in fields(entry.config)}
        demand(encode(part).keys() == names, "its JSON has other keys than its fields")

    return {"description": described, "settings": settings}
