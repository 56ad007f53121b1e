"""Draw a puzzle being solved, segment by segment: `python tools/picture.py RUN PUZZLE docs/solving.svg`."""

import io
import re
import sys
from pathlib import Path

from rich.columns import Columns
from rich.console import Console
from rich.text import Text

from hrmlab import api
from hrmlab.api.solving import Drawing

SHOWN = 5
"""Segments drawn: the first ones and the last."""


def main(run: str, puzzle: str, out: Path) -> None:
    drawings: list[Drawing] = []
    result = api.solve(run, [puzzle], show=drawings.append, quiet=True)
    chosen = [*drawings[: SHOWN - 1], drawings[-1]] if len(drawings) > SHOWN else drawings
    panels = [Text.from_markup(f"segment {d.segment}, sure {d.confidence:.0%}\n{d.board}") for d in chosen]
    width = sum(max(len(line) for line in panel.plain.splitlines()) + 2 for panel in panels)
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(Columns(panels, padding=(0, 2)))
    picture = console.export_svg(title=f"hrm solve {run} --show", unique_id="solving")
    out.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL), encoding="utf-8")  # fonts of a CDN
    print(f"{out}: {'solved' if result.results[0].solved else 'not solved'} after {len(drawings)} segments")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
