"""All files of a study."""

import json
from dataclasses import replace
from pathlib import Path

from hrmlab.errors import MissingExtraError
from hrmlab.reports.figures.base import drawn
from hrmlab.reports.files import write_texts
from hrmlab.reports.study.figures import pictures
from hrmlab.reports.study.page import page
from hrmlab.reports.study.tables import arms_csv, curves_csv, markdown, table_csv
from hrmlab.results import Study


def write_study(study: Study, folder: Path) -> Study:
    """Write `report.json`, `.md`, `.html`, `table.csv`, `arms.csv`, `curves.csv` and the figures, where matplotlib is
    installed; the study with their places.

    Raises:
        DataError: the folder cannot be written.
    """
    figures = _figures(study)
    texts = {
        "report.md": markdown(study, list(figures)),
        "report.html": page(study, figures),
        "table.csv": table_csv(study),
        "arms.csv": arms_csv(study),
        "curves.csv": curves_csv(study),
        **figures,
    }
    written = replace(study, files=[str(folder / name) for name in ("report.json", *texts)])
    texts["report.json"] = json.dumps(written.plain(), indent=1, ensure_ascii=False) + "\n"
    write_texts(folder, texts)
    return written


def _figures(study: Study) -> dict[str, str]:
    try:
        return {f"{one.name}.svg": drawn(one.draw, one.size, f"{study.study} {one.name}") for one in pictures(study)}
    except MissingExtraError:
        return {}
