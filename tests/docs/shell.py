"""Commands, and what they are said to print, out of a block of shell."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

HERE = re.compile(r"<<'?(\w+)'?")
"""The beginning of a text that goes to a command's standard input: `cat > FILE <<'END'`."""


@dataclass(frozen=True)
class Command:
    """A command as typed. words: its words, comments left out. output: the lines shown beneath it; None in a script."""

    text: str
    words: tuple[str, ...]
    output: tuple[str, ...] | None = None


def commands(text: str, *, console: bool) -> Iterator[Command]:
    """The commands of a script, or of a transcript in which `$ ` stands before each.

    Raises:
        ValueError: a transcript that does not begin with a command; a quotation or a text that does not end.
    """
    lines = text.splitlines()
    while lines:
        if not console:
            if typed := _typed(lines):
                yield from _joined(typed, None)
            continue
        if not lines[0].startswith("$ "):
            raise ValueError(f"'{lines[0]}' came where a transcript's `$ ` was wanted")
        lines[0] = lines[0].removeprefix("$ ")
        typed, output = _typed(lines), []
        while lines and not lines[0].startswith("$ "):
            output.append(lines.pop(0).rstrip())
        yield from _joined(typed, tuple(output))


def _typed(lines: list[str]) -> str:
    """The next command, taken off the lines: continued by a backslash, an open quotation or a text for its input."""
    taken = [lines.pop(0)]
    while True:
        whole = "\n".join(taken)
        here = HERE.search(taken[0])
        if here and taken[-1] != here[1]:
            taken.append(lines.pop(0))
            continue
        try:
            words = shlex.split(whole, comments=True)
        except ValueError:
            if not here and not lines:
                raise
        else:
            if here or not taken[-1].rstrip().endswith("\\"):
                return whole if words else ""
        if here:
            return whole
        taken.append(lines.pop(0))


def _joined(typed: str, output: tuple[str, ...] | None) -> Iterator[Command]:
    """The parts of a command that `&&` joins; the output is of the last."""
    if HERE.search(typed):
        yield Command(typed, ("cat",), output)
        return
    parts: list[list[str]] = [[]]
    for word in shlex.split(typed.replace("\\\n", " "), comments=True):
        if word == "&&":
            parts.append([])
        else:
            parts[-1].append(" ".join(word.split("\n")))
    for part in parts[:-1]:
        yield Command(shlex.join(part), tuple(part), output and ())
    yield Command(typed if len(parts) == 1 else shlex.join(parts[-1]), tuple(parts[-1]), output)
