"""Landlock: which files this process may read and write from now on; its children too. Linux 5.13 or later."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446
"""System calls, by these numbers on every architecture."""
NO_NEW_PRIVILEGES = 38
EXECUTE, WRITE, READ, LIST = 1, 1 << 1, 1 << 2, 1 << 3
TRUNCATE = 1 << 14
ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""By version of the interface, the rights over files that it knows; later ones know the last."""
NET = 0b11
"""Bind and connect over TCP (version 4)."""
SCOPED = 0b11
"""Abstract sockets and signals to whom is outside (version 6)."""
OF_FILES = EXECUTE | WRITE | READ | TRUNCATE


def version() -> int:
    """Of the interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(int(_library().syscall(CREATE, None, 0, 1)), 0)


def restrict(reading: Iterable[Path], writing: Iterable[Path]) -> int:
    """Take away every right but these.

    Args:
        reading: files and folders that may be read, with all below them.
        writing: folders that may be read and written.

    Returns:
        the version that holds; 0 if nothing could be restricted.

    Raises:
        OSError: the kernel refuses.
    """
    known = version()
    if not known:
        return 0
    rights = ALL[min(known, max(ALL))]
    fields = [rights, NET if known >= 4 else 0, SCOPED if known >= 6 else 0]
    used = 3 if known >= 6 else 2 if known >= 4 else 1
    rules = _checked(CREATE, ctypes.create_string_buffer(struct.pack(f"={used}Q", *fields[:used])), 8 * used, 0)
    for paths, allowed in ((reading, READ | LIST | EXECUTE), (writing, rights)):
        for path in paths:
            _allow(rules, path, allowed & rights)
    if _library().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    _checked(RESTRICT, rules, 0)
    os.close(rules)
    return known


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    given = rights if path.is_dir() else rights & OF_FILES
    rule = ctypes.create_string_buffer(struct.pack("=Qi", given, place))
    _checked(ADD, rules, 1, rule, 0)
    os.close(place)


def _checked(call: int, *arguments: object) -> int:
    found = int(_library().syscall(call, *arguments))
    if found < 0:
        raise OSError(ctypes.get_errno(), f"landlock call {call}: {os.strerror(ctypes.get_errno())}")
    return found


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
