"""Errors people can act on.

Every failure that a user can cause is an `HrmLabError`: one line naming what came, what was wanted and what to type.
The command line prints it and exits with code 2; a traceback is a bug of ours.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class HrmLabError(Exception):
    """Base of every error that is the user's to mend."""


class ConfigError(HrmLabError, ValueError):
    """A configuration names an unknown key or kind, or a value that cannot work."""


class DataError(HrmLabError, ValueError):
    """Puzzles, files or arrays that are malformed or contradict each other."""


class CheckpointError(HrmLabError, ValueError):
    """A run folder or weights file that is missing, damaged or does not fit the model."""


class MissingExtraError(HrmLabError, ImportError):
    """An optional package is needed; the message says which extra installs it."""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown name: what came, the nearest match, and all that exist."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown {what} '{name}'{hint} (known: {', '.join(names) or 'none'})"
