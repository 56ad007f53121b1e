"""Study folders with cells that the functions of `study_cells` can run."""

from pathlib import Path
from typing import Any

from hrmlab.studies.store import StudyFolder


def planned(path: Path, seeds: int = 3) -> tuple[StudyFolder, list[str]]:
    """A study of one arm and so many seeds; its folder, and its cells' ids."""
    folder = StudyFolder(path / "study")
    cells = [plan(seed) for seed in range(seeds)]
    folder.prepare({"name": "trial"}, cells)
    return folder, [cell["id"] for cell in cells]


def plan(seed: int) -> dict[str, Any]:
    return {"id": f"cell{seed}", "arm": "base", "seed": seed, "config": {}, "evaluations": {"own": {}}}
