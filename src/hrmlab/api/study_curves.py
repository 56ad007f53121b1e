"""Learning curves of a study, averaged over seeds, from the metrics that its runs wrote."""

from pathlib import Path

import numpy as np

from hrmlab.results import StudyCurve
from hrmlab.studies.plan import Plan
from hrmlab.studies.statistics import Floats
from hrmlab.studies.store import StudyFolder
from hrmlab.training.folder import RunFolder

POINTS = 60
"""Of a curve."""

Course = tuple[list[float], list[float]]
"""Steps, and a measure at each."""


def curves_of(plan: Plan, folder: StudyFolder) -> list[StudyCurve]:
    """By arm, the training loss ("loss") and, where runs were measured on the way, the held-out share "exact"."""
    curves = []
    for arm in plan.arms:
        files = [folder.cell(cell.id) / "run" / "metrics.jsonl" for cell in plan.cells if cell.arm == arm]
        courses = [_courses(file) for file in files if file.is_file()]
        for measure in ("loss", "exact"):
            found = [course[measure] for course in courses if len(course[measure][0]) > 1]
            if found:
                curves.append(band(arm, measure, found))
    return curves


def band(arm: str, measure: str, courses: list[Course]) -> StudyCurve:
    """Mean, least and most over seeds, at steps that all of them have values around."""
    start, end = max(steps[0] for steps, _ in courses), min(steps[-1] for steps, _ in courses)
    at = np.linspace(start, max(start, end), POINTS)
    values: Floats = np.stack([np.interp(at, steps, found) for steps, found in courses])
    ends = (values.mean(axis=0), values.min(axis=0), values.max(axis=0))
    return StudyCurve(arm, measure, at.tolist(), *(some.tolist() for some in ends))


def _courses(file: Path) -> dict[str, Course]:
    courses: dict[str, Course] = {"loss": ([], []), "exact": ([], [])}
    for record in RunFolder(file.parent).metrics():
        evaluation = record.get("evaluation")
        found = {"loss": record.get("loss"), "exact": evaluation.get("exact") if isinstance(evaluation, dict) else None}
        for measure, value in found.items():
            if isinstance(value, int | float):
                courses[measure][0].append(float(record["step"]))
                courses[measure][1].append(float(value))
    return courses
