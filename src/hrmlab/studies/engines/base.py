"""What an engine does: take a folder, have a function called on it somewhere, and say what came of it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hrmlab.config import decode
from hrmlab.errors import ConfigError
from hrmlab.reading import parsed
from hrmlab.registry import Part, Registry
from hrmlab.studies.store import Process, Results

ENGINES = Registry("engine")


@dataclass(frozen=True)
class Outcome:
    """What came of a job: results, or the reason why there are none.

    lost: the reason is not the job's own (its machine went away, its time was up); it may be started again.
    """

    results: Results | None = None
    reason: str = ""
    lost: bool = False

    @classmethod
    def read(cls, text: str) -> "Outcome":
        """From what `studies.worker` sends."""
        try:
            return decode(cls, parsed(text))
        except ValueError:
            return cls(reason="it left no outcome that can be read (see its log.txt)")


class Job(ABC):
    """A function at work on a folder. process: the one on this machine, where there is one."""

    process: Process | None = None

    @abstractmethod
    def outcome(self) -> Outcome | None:
        """What came of it; None while it is at work or waits in a queue."""

    @abstractmethod
    def stop(self) -> None:
        """Ask it to save what it can and to end."""

    @abstractmethod
    def close(self, patience: float) -> None:
        """Wait so many seconds for its end, then end it by force. What it used is freed."""


class Launcher(ABC):
    """Starts jobs that call one function, each on a folder of its own."""

    @abstractmethod
    def start(self, folder: Path) -> Job:
        """Raises HrmLabError if the engine takes no job."""


@dataclass(frozen=True)
class Engine(Part, ABC):
    """A place to compute. Its settings follow its name: `slurm,partition=gpu,gpus=1`."""

    registry: ClassVar[Registry] = ENGINES

    def jobs(self, asked: int | None, most: int) -> int:
        """How many to give out at a time, of `most`, where the caller asked for so many.

        Raises:
            ConfigError: fewer than one.
        """
        if asked is not None and asked < 1:
            raise ConfigError(f"--jobs {asked} came; wanted 1 or more")
        return max(1, most) if asked is None else asked

    @abstractmethod
    def launcher(self, function: str, modules: Sequence[str], work: Path) -> Launcher:
        """Ready to start jobs.

        Args:
            function: `module:function`, called with the folder.
            modules: that every process imports first.
            work: a folder for the engine's own files, made if it needs one.

        Raises:
            MissingExtraError: a package that it needs is not installed.
            ConfigError: it cannot be used here.
        """
