"""The page put together from its parts, its style and its script."""

import json
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from hrmlab.reports.page.figures import Figures
from hrmlab.reports.page.strip import strip
from hrmlab.reports.page.verdicts import verdicts
from hrmlab.results.probes import Diagnosis

SCRIPTS = ("charts.js", "board.js", "attention.js", "player.js", "page.js")
"""In the order in which they stand in the page."""


@dataclass(frozen=True)
class Page:
    """The page's text, and the figures that it had to leave out."""

    html: str
    left_out: list[str]


def assemble(title: str, diagnosis: Diagnosis, data: dict[str, Any]) -> Page:
    """The whole page.

    Args:
        data: what the script shows, of JSON's types: `board`, `puzzles`, `attention` (or None), `halting`, `training`,
            `divergences`, and `start`, the puzzle shown first.
    """
    figures = Figures(diagnosis.measurements)
    unrolled = strip(diagnosis.measurements)
    page = Template(_asset("page.html")).substitute(
        title=escape(title),
        lead=_lead(diagnosis),
        verdicts=verdicts(diagnosis),
        strip=unrolled or '<p class="fine">The probe gradient_path was not run.</p>',
        training=_events(data["divergences"])
        if data["training"]
        else '<p class="fine">These weights have no metrics.jsonl beside them.</p>',
        figures=figures.html,
        about=_about(diagnosis.about),
        style=_asset("page.css"),
        data=json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        script="\n".join(_asset(name) for name in SCRIPTS),
    )
    return Page(page, figures.left_out)


def _asset(name: str) -> str:
    return (files("hrmlab.reports.page") / name).read_text(encoding="utf-8")


def _events(divergences: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(event)}</li>' for event in divergences)}</ul>" if divergences else ""


def _lead(diagnosis: Diagnosis) -> str:
    about = diagnosis.about
    return escape(
        f"{about['puzzles']} held-out puzzles, {about['segments']} segments, {about['weights']}; probes: "
        f"{diagnosis.preset}, seed {about['seed']}."
    )


def _about(about: dict[str, Any]) -> str:
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(_words(value))}</dd></div>" for name, value in about.items()
    )
    return f'<dl class="about">{rows}</dl>'


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
    return "none" if value is None else str(value)
