"""Boards drawn while they are being solved: in place on a terminal, one after the other elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hrmlab.cli.output import console

if TYPE_CHECKING:
    from hrmlab.api.solving import Drawing

PAUSE = 0.12
"""Seconds that a frame stays on a terminal; solving is much faster than reading."""


class Screen:
    """Called with each drawing, in the order of puzzles and segments."""

    def __init__(self, *, stderr: bool) -> None:
        self.console = console(stderr=stderr)
        self._live: Any = None

    def __enter__(self) -> "Screen":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __call__(self, drawing: "Drawing") -> None:
        title = f"puzzle {drawing.puzzle}, segment {drawing.segment}, confidence {drawing.confidence:.0%}"
        frame = f"{title}\n{drawing.board}"
        if not self.console.is_terminal:
            self.console.print(f"{frame}\n")
            return
        if self._live is None:
            from rich.live import Live

            self._live = Live(console=self.console, auto_refresh=False)
            self._live.start()
        from rich.text import Text

        self._live.update(Text.from_markup(frame), refresh=True)
        time.sleep(PAUSE)
        if drawing.done:
            self._close()

    def _close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
