"""Whether a transcript shows what a command prints."""

import re
from collections.abc import Sequence

TIMES = re.compile(r"\d[\d.,]*(?= ?(?:s|ms|us|seconds|minutes)\b)")
NUMBERS = re.compile(r"[-+]?\d[\d.,e]*%?")


def differs(shown: Sequence[str], said: Sequence[str], *, numbers: bool = False) -> str:
    """What is shown that was not said, in its order; empty if all is. A line `...` stands for any lines.

    Args:
        numbers: they are not compared: the command was made short.
    """
    blank = NUMBERS if numbers else TIMES
    wanted = [_plain(line, blank) for line in shown]
    lines = [_plain(line, blank) for line in said if line.strip()]
    wanted = [line for line in wanted if line]
    at, free = 0, False
    for line in wanted:
        if line == "...":
            free = True
            continue
        places = range(at, len(lines)) if free else range(at, min(at + 1, len(lines)))
        found = next((place for place in places if lines[place] == line), None)
        if found is None:
            return f"shown: {line!r}; said: {lines[at : at + 4] if not free else lines[at:]}"
        at, free = found + 1, False
    if at < len(lines) and not free:
        return f"said and not shown: {lines[at : at + 4]}; write `...` where lines are left out"
    return ""


def _plain(line: str, blank: re.Pattern[str]) -> str:
    return " ".join(blank.sub("#", line).split())
