"""Writes docs/schedule.svg, the schedule of `hrm-sudoku-extreme`, from the schedule itself; a test keeps them the same.

python tools/schedule.py
"""

from dataclasses import asdict
from pathlib import Path

from hrmlab.core.schedule import Schedule
from hrmlab.presets import preset
from hrmlab.reports.recurrence import schedule_figure

PICTURE = Path(__file__).parent.parent / "docs" / "schedule.svg"
NAME = "hrm-sudoku-extreme"


def schedule() -> Schedule:
    return preset(NAME).make().model.schedule.build()


def picture() -> str:
    """As `hrm inspect NAME --out FILE.svg` draws it."""
    table = schedule()
    return schedule_figure(NAME, [asdict(update) for update in table.updates], table.answer)


if __name__ == "__main__":
    fresh = PICTURE.with_suffix(".new")
    fresh.write_text(picture(), encoding="utf-8")
    fresh.replace(PICTURE)
