"""Errors people can act on.

Every failure that a user can cause is an `HrmLabError`: one line naming what came, what was wanted and what to type.
The command line prints it and exits with code 2; a traceback is a bug of ours.
"""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 2000
"""Characters of a line; of what goes on longer, the beginning and the end are shown."""


class HrmLabError(Exception):
    """Base of every error that is the user's to mend.

    Args:
        message: one line. Control signs in what it quotes are shown escaped, and of very long texts the ends.
        listed: lines of their own below it, for faults of which there are several.
    """

    def __init__(self, message: str, *listed: str) -> None:
        super().__init__(message, *listed)

    def __str__(self) -> str:
        return "\n".join(map(printable, self.args))


class ConfigError(HrmLabError, ValueError):
    """A configuration names an unknown key or kind, or a value that cannot work."""


class DataError(HrmLabError, ValueError):
    """Puzzles, files or arrays that are malformed or contradict each other."""


class CheckpointError(HrmLabError, ValueError):
    """A run folder or weights file that is missing, damaged or does not fit the model."""


class MissingExtraError(HrmLabError, ImportError):
    """An optional package is needed; the message says which extra installs it."""


def printable(text: str) -> str:
    """Text of others as a line that a terminal shows and does not obey."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} [...] {text[-LONGEST // 4 :]}"
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown name: what came, the nearest match, and all that exist."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown {what} '{name}'{hint} (known: {', '.join(names) or 'none'})"
