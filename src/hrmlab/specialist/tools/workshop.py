"""What tools share: where they may read and write, their jobs, and how much they say."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrmlab.errors import ConfigError
from hrmlab.reading import exists
from hrmlab.specialist.jobs import Job, Jobs, plain

MOST_WAIT = 40.0
"""Seconds that a call may wait for a job: hosts give up after a minute."""
DIGITS = 5
PATHS = ("path", "_file", "_dir")
"""How settings end that name files."""


@dataclass(frozen=True)
class Workshop:
    """Args:
    state: a folder for proposals, runs and jobs.
    roots: folders whose runs, data and configurations may be named; presets and shipped models always may.
    writes: whether anything may be written outside `state`, below the roots.
    """

    state: Path
    roots: tuple[Path, ...] = ()
    writes: bool = False

    @property
    def jobs(self) -> Jobs:
        return _jobs(self.state)

    def target(self, name: str) -> str:
        """A preset's or model's name, or a path inside the roots.

        Raises:
            ConfigError: a path outside; a configuration there that names one.
        """
        plain_word(name)
        if not (os.sep in name or name.startswith(".") or exists(Path(name))):
            return name
        place = self.inside(name)
        for path in _named(place / "config.json" if place.is_dir() else place):
            self.inside(path)
        return str(place)

    def changes(self, given: Sequence[str] | None) -> list[str]:
        """Changes of a configuration; data sets that they name must be inside the roots.

        Raises:
            ConfigError: something else than `dotted.key=value`, or a path outside.
        """
        for change in given or ():
            key, sign, value = plain_word(change).partition("=")
            if not sign:
                raise ConfigError(f"'{change}' came; wanted dotted.key=value, e.g. model.schedule.grad_window=4")
            key, value = key.strip(), value.strip()
            if key.endswith(PATHS) and value not in ("none", "null"):
                self.inside(value.strip("\"'"))
            for path in _named_in(value):
                self.inside(path)
        return list(given or ())

    def inside(self, path: str) -> Path:
        """A path inside the roots or the state folder, links followed.

        Raises:
            ConfigError: it is outside.
        """
        real = Path(os.path.realpath(path))
        allowed = [Path(os.path.realpath(root)) for root in (*self.roots, self.state)]
        if not any(real == root or root in real.parents for root in allowed):
            raise ConfigError(
                f"{path} is outside the folders that may be read ({', '.join(map(str, allowed))}); "
                "start the server with --root FOLDER for it"
            )
        return real

    def work(self, words: Sequence[str], wait: float) -> dict[str, Any]:
        """Run a verb as a job, and wait for it a little."""
        job = self.jobs.start(words)
        return told(self.jobs.look(job.id, min(wait, MOST_WAIT)))


LARGEST_CONFIG = 2**20


def _named(file: Path) -> Iterator[str]:
    """Paths that a configuration names. What is none is left to whoever reads it."""
    if file.suffix != ".json" or not file.is_file() or file.stat().st_size > LARGEST_CONFIG:
        return
    try:
        yield from _named_in(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return


def _named_in(text: str) -> Iterator[str]:
    """Paths below settings of JSON that is no plain value."""
    try:
        waiting = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield from (of for name, of in value.items() if name.endswith(PATHS) and isinstance(of, str))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def plain_word(text: str) -> str:
    """Text that no program takes for an option.

    Raises:
        ConfigError: it begins with a dash.
    """
    if text.startswith("-"):
        raise ConfigError(f"'{text[:40]}' came; a name, change or text that begins with a dash is not taken")
    return text


_KNOWN: dict[Path, Jobs] = {}


def _jobs(state: Path) -> Jobs:
    """One for each folder, so that what was started is known to whoever ends it."""
    return _KNOWN.setdefault(state, Jobs(state / "jobs"))


def told(job: Job) -> dict[str, Any]:
    """A job in few words: what to do next while it runs, its result when it is done."""
    said = {name: value for name, value in plain(job).items() if value is not None}
    if job.state == "running":
        said["next"] = f"hrm_job(job_id='{job.id}', wait_s=40)"
    if job.result is not None:
        said["result"] = brief(job.result)
    return said


def brief(value: Any, most: int = 20) -> Any:
    """Numbers to five digits, long lists cut (and said to be), so that an answer stays short."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {str(name): brief(inner, most) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        kept = [brief(inner, most) for inner in value[:most]]
        return kept if len(value) <= most else [*kept, f"... {len(value) - most} more"]
    return value
