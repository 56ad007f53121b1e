"""A study as one HTML page: no scripts, no other files."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from hrmlab.reports.figures.base import INK
from hrmlab.reports.study.figures import pictures
from hrmlab.reports.study.tables import ARM, HEAD, about, across, arm_cells, cells, sections
from hrmlab.results import Study

STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e6e6); --rule: light-dark(#d8dce0, #3a3f45); }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--rule); padding: .25rem .6rem; text-align: left; vertical-align: top; }
figure { margin: 1.5rem 0; } svg { max-width: 100%; height: auto; } figcaption { font-size: .9em; opacity: .8; }
"""


def page(study: Study, figures: Mapping[str, str]) -> str:
    """The page.

    Args:
        figures: SVG files by name.
    """
    title = escape(study.study)
    parts = [f"<h1>{title}</h1>", f"<p>{escape(study.conclusion)}</p>"]
    parts += [
        f"<figure>{_inline(text)}<figcaption>{escape(picture.reading)}</figcaption></figure>"
        for picture in pictures(study)
        if (text := figures.get(f"{picture.name}.svg"))
    ]
    for evaluation, measure in sections(study):
        rows = [cells(row) for row in study.table if (row.evaluation, row.measure) == (evaluation, measure)]
        parts += [f"<h2>{escape(measure)}, evaluation '{escape(evaluation)}'</h2>", _table(HEAD, rows)]
    if matrix := across(study):
        parts += [f"<h2>{escape(study.table[0].measure)} by evaluation, mean over seeds</h2>", _table(*matrix)]
    parts += ["<h2>Arms</h2>", _table(("arm", "overrides", *ARM[1:]), [arm_cells(arm) for arm in study.arms])]
    if study.missing:
        parts += ["<h2>Missing runs</h2>", _table(("run", "why"), study.missing.items())]
    parts += ["<h2>How this was measured</h2>", *(f"<p>{escape(line)}</p>" for line in about(study))]
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _inline(text: str) -> str:
    return text[text.index("<svg") :].replace(INK, "var(--ink)")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
