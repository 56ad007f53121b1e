"""The models that can be looked at: the one that was named, those that come with the package, the runs in a folder."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrmlab.api.targets import Run, find_run, shipped_models
from hrmlab.errors import HrmLabError
from hrmlab.reading import read_json
from hrmlab.reports.page import divergences, training_data
from hrmlab.training.folder import RunFolder

MOST = 200
"""Runs of a folder that are listed, the newest."""
DEPTH = 3
"""Folders below the one that was named in which runs are looked for: a study keeps them deeper."""
FRESH = 60.0
"""Seconds since the last line of its metrics for which a run counts as going on."""


@dataclass(frozen=True)
class Shelf:
    """Models by name. own: the run that was named; folder: where more runs lie, or None.

    A name leads nowhere but to what is listed. Models of the folder bear its name too (`runs/wide`), so that none is
    taken for one that comes with the package.
    """

    own: str
    folder: Path | None = None

    def models(self) -> list[str]:
        """Names of all that have weights, the own one first."""
        paths = [self._path(name) for name in self.runs()]
        trained = [path.as_posix() for path in paths if (path / "checkpoints").is_dir()]
        return list(dict.fromkeys((self.own, *shipped_models(), *trained)))

    def find(self, name: str) -> Run:
        """The model of that name.

        Raises:
            HrmLabError: it is not listed, or cannot be read.
        """
        if name in (self.own, *shipped_models()) or name in [self._path(run).as_posix() for run in self.runs()]:
            return find_run(name)
        raise HrmLabError(f"no run '{name}' among those of this page")

    def runs(self) -> list[str]:
        """The runs in the folder by their path in it, the newest first."""
        if self.folder is None or not self.folder.is_dir():
            return []
        files = [file for depth in range(DEPTH) for file in self.folder.glob("*/" * (depth + 1) + "config.json")]
        homes = [file.parent for file in files if (file.parent / "provenance.json").is_file()]
        homes = [home for home in homes if home.resolve().is_relative_to(self.folder.resolve())]
        newest = sorted(homes, key=_touched, reverse=True)[:MOST]
        return [home.relative_to(self.folder).as_posix() for home in newest]

    def run(self, name: str) -> Path:
        """The folder of a run.

        Raises:
            HrmLabError: there is no run of that name in the folder.
        """
        if name not in self.runs():
            raise HrmLabError(f"no run '{name}' in {self.folder}")
        return self._path(name)

    def about(self, name: str) -> dict[str, Any]:
        """A run in a line: its preset, steps, measures, whether it goes on, and whether it has a report."""
        path = self._path(name)
        about: dict[str, Any] = {"name": name, "report": (path / "report.html").is_file()}
        try:
            folder = RunFolder(path)
            config, metrics = folder.config(), folder.metrics()
            results = read_json(path / "results.json") if (path / "results.json").is_file() else {}
        except (HrmLabError, OSError, ValueError) as error:
            return about | {"trouble": str(error)}
        last = metrics[-1] if metrics else {}
        looks = [line["evaluation"] for line in metrics if isinstance(line.get("evaluation"), dict)]
        finished = isinstance(results, dict) and "exact" in results
        age = time.time() - _touched(path)
        return about | {
            "preset": config.name,
            "step": last.get("step"),
            "steps": config.training.steps,
            "seconds": last.get("seconds"),
            "exact": results["exact"] if finished else looks[-1].get("exact") if looks else None,
            "state": "finished" if finished else "going on" if age < FRESH else "stopped",
            "age": round(age),
        }

    def curves(self, name: str) -> dict[str, Any]:
        """How a run's training went (`reports.page.training_data`), and what its guard found.

        Raises:
            HrmLabError: there is no such run, or its metrics cannot be read.
        """
        metrics = RunFolder(self.run(name)).metrics()
        return self.about(name) | {"curves": training_data(metrics), "divergences": divergences(metrics)}

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / name


def _touched(home: Path) -> float:
    """When a run last said something, in seconds since the epoch."""
    for name in ("metrics.jsonl", "config.json"):
        if (home / name).is_file():
            return (home / name).stat().st_mtime
    return 0.0
