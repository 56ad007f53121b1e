"""What a case does beside reading: files that it touches outside of its folder, processes, connections, pickles."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NEVER = {
    "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen",
    "pickle.find_class", "socket.connect", "socket.getaddrinfo",
}  # fmt: skip
WITHIN = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "shutil.rmtree",
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_active: list["Seen"] = []
"""An audit hook stays for the life of the process, so there is one, which looks only while a case runs."""


class Seen:
    """The faults of one case."""

    def __init__(self, home: Path) -> None:
        self.home, self.faults = home.resolve(), list[str]()

    def add(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in NEVER:
            self.faults.append(f"{event} {arguments!r:.200}")
        elif event == "open" and arguments[2] & WRITING and not self._mine(arguments[0]):
            self.faults.append(f"{arguments[0]!r} was opened to be written")
        elif event in WITHIN:
            places = [place for place in arguments if isinstance(place, str | bytes | os.PathLike)]
            places = places[1:] if event == "os.symlink" else places
            self.faults += [f"{event} of {place!r}" for place in places if not self._mine(place)]

    def _mine(self, place: Any) -> bool:
        if isinstance(place, int) or place == os.devnull:  # an open file
            return True
        return Path(os.path.realpath(os.fsdecode(place))).is_relative_to(self.home)


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    if _active and (event in NEVER or event in WITHIN or event == "open"):
        _active[-1].add(event, arguments)


@contextmanager
def watched(home: Path) -> Iterator[None]:
    """Fails at the end of the block for what was done outside of `home`; names without a folder begin there."""
    if not hasattr(_look, "added"):
        sys.addaudithook(_look)
        _look.added = True  # type: ignore[attr-defined]
    seen, before = Seen(home), Path.cwd()
    os.chdir(home)
    _active.append(seen)
    try:
        yield
    finally:
        _active.pop()
        os.chdir(before)
    assert not seen.faults, "; ".join(seen.faults)
