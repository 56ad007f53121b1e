"""Processes of this machine, of one thread each."""

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from signal import Signals
from typing import Any, Literal

import psutil

from hrmlab.studies.engines.base import ENGINES, Engine, Job, Launcher, Outcome
from hrmlab.studies.store import Process
from hrmlab.studies.worker import work


@ENGINES.register(source="multiprocessing, spawned processes")
@dataclass(frozen=True)
class Local(Engine):
    """Processes of this machine, of one thread each; they end with the one that started them."""

    kind: Literal["local"] = "local"

    def jobs(self, asked: int | None, most: int) -> int:
        return super().jobs(1 if asked is None else asked, most)

    def launcher(self, function: str, modules: Sequence[str], work: Path) -> Launcher:
        return _Launcher(function, modules)


class _Launcher(Launcher):
    def __init__(self, function: str, modules: Sequence[str]) -> None:
        self.function, self.modules = function, modules

    def start(self, folder: Path) -> Job:
        return _Job(self.function, folder, self.modules)


class _Job(Job):
    def __init__(self, function: str, folder: Path, modules: Sequence[str]) -> None:
        spawn = get_context("spawn")
        self.channel, writer = spawn.Pipe(duplex=False)
        self.child: Any = spawn.Process(target=work, args=(function, str(folder), modules, writer), daemon=True)
        self.child.start()
        writer.close()
        self.process = _identity(self.child.pid)

    def outcome(self) -> Outcome | None:
        if not self.channel.poll():
            return None
        try:
            return Outcome.read(self.channel.recv())
        except (EOFError, OSError):  # it ended without a word
            self.child.join()
            return Outcome(reason=death(self.child.exitcode))

    def stop(self) -> None:
        self.child.terminate()

    def close(self, patience: float) -> None:
        self.child.join(patience)
        if self.child.is_alive():
            self.child.kill()
            self.child.join()
        self.child.close()
        self.channel.close()


def death(exitcode: int | None) -> str:
    """How a process ended that gave no result."""
    if exitcode is None or exitcode >= 0:
        return f"its process ended with exit code {exitcode} and no result"
    name = Signals(-exitcode).name
    return f"its process was killed by {name}" + ("; perhaps the memory ran out" if name == "SIGKILL" else "")


def _identity(number: int | None) -> Process | None:
    try:
        return None if number is None else Process.of(number)
    except psutil.NoSuchProcess:
        return None
