"""Progress and notes for a person at a terminal, always on standard error: standard output belongs to the answer."""

import sys
import time
from types import TracebackType
from typing import Any

EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal to draw a bar on."""


def note(text: str, quiet: bool = False) -> None:
    """One line on standard error."""
    if not quiet:
        print(text, file=sys.stderr, flush=True)


class Meter:
    """Progress of one piece of work: a bar on a terminal, a line every ten seconds elsewhere, nothing if quiet.

    Used as a context manager; `update` may be called as often as one likes.
    """

    def __init__(self, title: str, quiet: bool = False) -> None:
        self.title, self.quiet = title, quiet
        self._bar: Any = None
        self._task: Any = None
        self._line_due = 0.0

    def __enter__(self) -> "Meter":
        self._line_due = time.monotonic() + EVERY
        if not self.quiet and sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task(self.title, total=1.0, facts="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def update(self, share: float, facts: str = "") -> None:
        """Say how far the work has come.

        Args:
            share: of the whole work, 0 to 1.
            facts: short text behind the bar.
        """
        if self._bar is not None:
            self._bar.update(self._task, completed=share, facts=facts)
        elif not self.quiet and time.monotonic() >= self._line_due:
            self._line_due = time.monotonic() + EVERY
            note(f"{self.title}: {share:4.0%}  {facts}".rstrip())


def _bar() -> Any:
    """A progress bar with the facts on a line of their own, so that a narrow terminal has room for both."""
    from collections.abc import Iterable

    from rich.console import Console, RenderableType
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class TwoLines(Progress):
        def get_renderables(self) -> Iterable[RenderableType]:
            yield self.make_tasks_table(self.tasks)
            for task in self.tasks:
                yield Text(task.fields["facts"], style="dim", no_wrap=True, overflow="ellipsis")

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn(), TimeRemainingColumn())
    return TwoLines(*columns, console=Console(stderr=True), transient=True)
