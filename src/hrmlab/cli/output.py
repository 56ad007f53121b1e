"""How answers leave the program: one JSON object, or text for people."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hrmlab.errors import DataError
from hrmlab.results import Result

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 140


@dataclass(frozen=True)
class Outcome:
    """What a verb came to. show: prints it for people; writes_out: the verb used --out itself; silent: another process
    says it."""

    result: Result
    show: "Callable[[Console], None]"
    code: int = 0
    writes_out: bool = False
    silent: bool = False


def emit(outcome: Outcome, options: Namespace) -> int:
    """Print an outcome as asked for; where --out names a file for it, write the JSON there too.

    Raises:
        DataError: that file cannot be written.
    """
    if outcome.silent:
        return outcome.code
    if options.out is not None and not outcome.writes_out:
        try:
            Path(options.out).write_text(_json(outcome.result) + "\n", encoding="utf-8")
        except OSError as error:
            raise DataError(f"cannot write {options.out}: {error.strerror}; choose another --out") from None
    if options.json:
        print(_json(outcome.result))
    else:
        outcome.show(console())
    return outcome.code


def _json(result: Result) -> str:
    return json.dumps(result.plain(), ensure_ascii=False)


def console(*, stderr: bool = False) -> "Console":
    """Where text for people goes; wide enough for tables where it is not a terminal."""
    from rich.console import Console

    class Honest(Console):
        def on_broken_pipe(self) -> None:
            raise  # the error being handled: rich would end the program with code 1 itself

    stream = sys.stderr if stderr else sys.stdout
    return Honest(stderr=stderr, width=None if stream.isatty() else PLAIN_WIDTH, highlight=False)


def say(to: "Console", text: str) -> None:
    """A line as it is: no markup, no wrapping."""
    to.print(text, markup=False, soft_wrap=True)
