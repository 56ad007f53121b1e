"""Run a module of ours in a confined child, and watch over it."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from hrmlab.errors import HrmLabError
from hrmlab.specialist.sandbox.confine import CANNOT

GIB = 2**30
LOOK_EVERY = 0.1
TAIL = 2000
MOST_FILES = 20_000
MOST_THREADS = 256
PACKAGES = Path(__file__).parents[3]


@dataclass(frozen=True)
class Limits:
    """seconds: of the clock; half as much again of CPU time. memory, disk: bytes."""

    seconds: float = 600.0
    memory: int = 4 * GIB
    disk: int = GIB // 2
    unconfined: bool = False
    """Go on where the system cannot confine: for code that one trusts."""


@dataclass(frozen=True)
class Ended:
    """A child's end. code: of the process. killed: why we ended it, or None. cpu: seconds, counted by the kernel.
    said: the end of what it wrote to its error output."""

    code: int
    killed: str | None
    seconds: float
    cpu: float
    said: str

    @property
    def why(self) -> str | None:
        """What went wrong, or None."""
        if self.killed:
            return self.killed
        if self.code == CANNOT:
            return f"this system cannot confine it ({self.said.strip()}); --allow-unsandboxed runs it all the same"
        lines = [line for line in self.said.splitlines() if line.strip()]
        return None if self.code == 0 else f"it ended with code {self.code}: {lines[-1] if lines else 'no word'}"


def launch(module: str, arguments: Sequence[str], scratch: Path, limits: Limits) -> Ended:
    """Run `python -m MODULE SCRATCH LIMITS ARGUMENTS` in a session of its own.

    Args:
        module: of this package; it calls `confine` first.
        scratch: the folder that the child may write; its home and temporary folder too.
    """
    given = f"{limits.memory}:{int(1.5 * limits.seconds) + 1}:{limits.disk}:{int(not limits.unconfined)}"
    command = [sys.executable, "-P", "-m", module, str(scratch), given, *arguments]
    start = time.monotonic()
    with TemporaryDirectory() as outside, (Path(outside) / "said").open("w+b") as said:
        process = subprocess.Popen(
            command,
            env=_environment(scratch),
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        killed, cpu = None, 0.0
        try:
            while process.returncode is None:
                killed = killed or _over(process.pid, scratch, time.monotonic() - start, limits)
                if killed:
                    _end(process.pid)
                found, status, used = os.wait4(process.pid, 0 if killed else os.WNOHANG)
                if found:
                    process.returncode, cpu = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
                else:
                    time.sleep(LOOK_EVERY)
        finally:
            if process.returncode is None:
                _end(process.pid)
                process.wait()
        said.seek(0, os.SEEK_END)
        said.seek(max(said.tell() - TAIL, 0))
        words = said.read().decode(errors="replace")
    return Ended(process.returncode, killed, time.monotonic() - start, cpu, words)


@cache
def available() -> str:
    """What confines code here, in words, seen on a child.

    Raises:
        HrmLabError: nothing does.
    """
    with TemporaryDirectory() as scratch:
        ended = launch("hrmlab.specialist.sandbox.trial", [], Path(scratch), Limits(seconds=60))
        if ended.why:
            raise HrmLabError(f"code of others is not run here: {ended.why}")
        return (Path(scratch) / "holds").read_text()


def _over(pid: int, scratch: Path, seconds: float, limits: Limits) -> str | None:
    """Why a child must end, if it must."""
    if seconds > limits.seconds:
        return f"it took more than {limits.seconds:.0f} s"
    try:
        child = psutil.Process(pid)  # type: ignore[no-untyped-call]
        held, threads = child.memory_info().rss, child.num_threads()  # type: ignore[no-untyped-call]
    except psutil.Error:
        return None
    if held > limits.memory:
        return f"it held more than {limits.memory / GIB:.1f} GiB"
    if threads > MOST_THREADS:
        return f"it began more than {MOST_THREADS} threads"
    if _written(scratch, limits.disk) + _nameless(pid) > limits.disk:
        return f"it wrote more than {limits.disk / GIB:.2f} GiB, or {MOST_FILES} files"
    return None


def _nameless(pid: int) -> int:
    """Bytes of files that the child holds open and no folder lists: deleted ones, and its error output."""
    total = 0
    try:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            found = file.stat()
            if stat.S_ISREG(found.st_mode) and (found.st_nlink == 0 or file.name == "2"):
                total += found.st_blocks * 512
    except OSError:
        return total
    return total


def _written(folder: Path, most: int) -> int:
    """Bytes below a folder whose owner may change it meanwhile; no further than to find that they are too many."""
    total, files, waiting = 0, 0, [str(folder)]
    while waiting and total <= most:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    files += 1
                    if files > MOST_FILES:
                        return most + 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total


def _end(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the second of a group that has ended
        return


def _environment(scratch: Path) -> dict[str, str]:
    """Nothing of ours: no keys, no proxies, no home."""
    return {
        "PATH": os.defpath,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "USER": "nobody",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(PACKAGES),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
