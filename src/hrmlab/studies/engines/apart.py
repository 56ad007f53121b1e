"""The part that runs on another machine: a process of its own for one folder, so that it begins with a clean slate."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hrmlab.studies.engines.local import death

_CHILD = "from hrmlab.studies.worker import alone; alone()"


@dataclass(frozen=True)
class Order:
    """What is to be called. path: where modules are looked for besides the installed ones."""

    function: str
    modules: tuple[str, ...]
    path: tuple[str, ...]

    @classmethod
    def of(cls, function: str, modules: Sequence[str]) -> "Order":
        """With this process's own search path, installed packages left out."""
        path = (str(Path(entry).resolve()) for entry in sys.path)
        return cls(function, tuple(modules), tuple(entry for entry in path if not entry.startswith(sys.prefix)))


def call(order: Order, folder: str) -> str:
    """Call the function on a folder in a new process; what `studies.worker` sends, as JSON."""
    before = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join([*order.path, *([before] if before else [])])
    command = [sys.executable, "-c", _CHILD, order.function, folder, str(os.getpid()), *order.modules]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}, check=False
    )
    if done.returncode or not done.stdout.strip():
        return json.dumps({"reason": death(done.returncode)})
    return done.stdout.splitlines()[-1]


def call_on_copy(order: Order, packed: bytes) -> tuple[str, bytes]:
    """The same for a folder that is only sent: the outcome, and the folder as the function left it."""
    with tempfile.TemporaryDirectory(prefix="hrm-") as place:
        unpack(packed, Path(place))
        outcome = call(order, place)
        return outcome, pack(Path(place))


def pack(folder: Path) -> bytes:
    """All files below a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)
    return buffer.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Write packed files below a folder, in place of those of the same name."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(folder, filter="data")
