"""Charts by probe, and how one becomes an SVG that suits light and dark pages."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hrmlab.errors import MissingExtraError
from hrmlab.results.probes import Measurement

Draw = Callable[[Measurement, Any], None]
"""Draws a measurement's table into a matplotlib figure."""

INK, PAPER = "#1b1f24", "#fffffe"
"""Colours that stand for the page's own; they are replaced by CSS variables."""
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c")
"""Told apart by colour-blind readers, on light and dark (Okabe and Ito 2008)."""


@dataclass(frozen=True)
class Chart:
    """One picture of a probe's measurement. reading: how to read it, one or two sentences. size: inches."""

    probe: str
    title: str
    reading: str
    draw: Draw
    size: tuple[float, float]


CHARTS: dict[str, list[Chart]] = {}


def chart(probe: str, title: str, reading: str, size: tuple[float, float] = (7.0, 3.2)) -> Callable[[Draw], Draw]:
    """Decorator: draw a probe's measurements with this function."""

    def add(draw: Draw) -> Draw:
        CHARTS.setdefault(probe, []).append(Chart(probe, title, reading, draw, size))
        return draw

    return add


def svg(drawing: Chart, measurement: Measurement) -> str:
    """The chart as SVG text whose ink is the page's (`var(--ink)`), the same for the same numbers.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    text = drawn(lambda figure: drawing.draw(measurement, figure), drawing.size, drawing.title)
    return text[text.index("<svg") :].replace(INK, "var(--ink)").replace(PAPER, "var(--paper)")


def drawn(draw: Callable[[Any], None], size: tuple[float, float], title: str) -> str:
    """What a function draws into a matplotlib figure, as an SVG file in the house's style.

    Args:
        size: inches.
        title: of which the picture's inner names are made, so that they are the same every time.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError("figures need matplotlib; type `pip install 'hrm-lab[report]'`") from None
    from matplotlib.figure import Figure

    style: Any = {
        "svg.hashsalt": title,
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.prop_cycle": matplotlib.cycler(color=PALETTE),  # type: ignore[attr-defined]
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
    } | dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK)
    with matplotlib.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return stream.getvalue()
