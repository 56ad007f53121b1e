"""What pages take from the code while the site is built: a comment `<!-- from code: NAME -->` becomes the text of NAME.

On a forge's web view the comment is not seen, and the sentence before it says what to type for the same.
"""

import re
from collections.abc import Callable
from typing import Any

from hrmlab.cli.arguments import COMMON, Option, Positional, Verb
from hrmlab.cli.verbs import VERBS

MARK = re.compile(r"<!-- from code: (\w+) -->")


def verbs() -> str:
    """Every verb with its arguments, from the table that the parser is made of."""
    shared = "\n\n".join(["## Options of every verb", _table(COMMON, "option")])
    return "\n\n".join([*(_verb(verb) for verb in VERBS), shared])


def _verb(verb: Verb) -> str:
    usage = " ".join(["hrm", verb.name, *(positional.usage for positional in verb.positionals), "[options]"])
    parts = [f"## hrm {verb.name}", verb.summary[0].upper() + verb.summary[1:] + ".", f"```text\n{usage}\n```"]
    if verb.positionals:
        parts.append(_table(verb.positionals, "argument"))
    if verb.options:
        parts.append(_table(verb.options, "option"))
    return "\n\n".join(parts)


def _table(rows: tuple[Positional, ...] | tuple[Option, ...], head: str) -> str:
    lines = [f"| {head} | |", "|---|---|"]
    for row in rows:
        if isinstance(row, Positional):
            lines.append(f"| `{row.name}` | {_cell(row.help)} |")
        else:
            value = f" {row.metavar or '{' + ','.join(row.choices or ()) + '}'}" if row.type else ""
            default = f" Default: `{row.default}`." if row.type and row.default not in (None, "") else ""
            lines.append(f"| `{row.flag}{value}` | {_cell(row.help)}{default} |")
    return "\n".join(lines)


def functions() -> str:
    """The verbs as functions, by autodoc."""
    from hrmlab import api

    names = [f".. autofunction:: hrmlab.api.{name}" for name in api.__all__]
    return "```{eval-rst}\n" + "\n\n".join(names) + "\n```"


def parts() -> str:
    """Every registered part by family, with its settings."""
    from dataclasses import fields

    from hrmlab.api.catalogue import REGISTRIES

    found = []
    for registry in REGISTRIES:
        rows = [f"## {registry.family}", "", "| kind | | settings | source |", "|---|---|---|---|"]
        for entry in registry:
            settings = ", ".join(f"`{f.name}`" for f in fields(entry.config) if f.name != "kind" and f.init)
            rows.append(f"| `{entry.name}` | {_cell(entry.summary)} | {settings} | {_cell(entry.source)} |")
        found.append("\n".join(rows))
    return "\n\n".join(found)


def _cell(text: str) -> str:
    """Text in a table: bars would end the cell, and what looks like a tag would be one."""
    return text.replace("|", "\\|").replace("<", "&lt;")


TEXTS: dict[str, Callable[[], str]] = {"verbs": verbs, "functions": functions, "parts": parts}


def _fill(app: Any, docname: str, source: list[str]) -> None:
    """The texts in a page's source; a generated report that has no title is called by its place."""
    if not re.search(r"^# ", source[0], re.MULTILINE):
        source[0] = f"# {docname.removeprefix('benchmarks/').removesuffix('/halting')}\n\n{source[0]}"
    source[0] = MARK.sub(lambda found: TEXTS[found[1]](), source[0])


FIELD = re.compile(r"[a-z][\w, ]*: ")
"""How a docstring of ours explains a field; lines that go on are indented."""


def _listed(app: Any, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """The fields in a class's docstring as a list."""
    if what != "class":
        return
    found: list[str] = []
    for line in lines:
        if FIELD.match(line):
            names, _, text = line.partition(": ")
            found += ["", f"- ``{names}``: {text}"]
        elif line.startswith(" ") and found:
            found.append(f"  {line.strip()}")
        else:
            found.append(line)
    lines[:] = found


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", _fill)
    app.connect("autodoc-process-docstring", _listed)
    return {"parallel_read_safe": True}
