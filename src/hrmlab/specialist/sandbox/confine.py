"""What a child does to itself before it reads anybody's code: limits, files, network, processes."""

import contextlib
import ctypes
import os
import resource
import signal
import site
import struct
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from hrmlab.specialist.sandbox import landlock, seccomp

NEW_USER, NEW_NET = 0x10000000, 0x40000000
SET_DEATH_SIGNAL, CAPABILITIES = 1, 0x20080522
CANNOT = 77
"""The exit code of a child that cannot confine itself, and was not told to go on regardless."""
SYSTEM = (
    "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu", "/sys/devices/system/node",
    "/sys/fs/cgroup", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
)  # fmt: skip
"""What Python and torch read, none of it anybody's secret."""


def confine(scratch: Path, *, memory: int, seconds: int, file_size: int, needed: bool = True) -> str:
    """Confine this process, for good.

    Args:
        scratch: the folder that may be written.
        memory: bytes of address space. seconds: of CPU time. file_size: bytes of one file.
        needed: end the process where files or processes cannot be confined.

    Returns:
        what holds, in words: "landlock 7, seccomp, no network".
    """
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        with contextlib.suppress(ValueError, OSError):  # the limit that holds is lower
            resource.setrlimit(kind, (most, most))
    _until_parent_ends()
    holds = []
    if _alone():
        holds.append("no network")
    if sys.platform == "linux":
        _powerless()
    with contextlib.suppress(OSError):
        if known := landlock.restrict(list(libraries()), [scratch]):
            holds.insert(0, f"landlock {known}")
    with contextlib.suppress(OSError):
        if seccomp.refuse_calls():
            holds.append("seccomp")
    if needed and not confined(holds):
        print(f"cannot confine: {', '.join(holds) or 'nothing'} holds", file=sys.stderr, flush=True)
        os._exit(CANNOT)
    return ", ".join(holds) or "nothing"


def confined(holds: list[str]) -> bool:
    """Whether files are confined, and processes and sockets refused."""
    return "seccomp" in holds and any(part.startswith("landlock") for part in holds)


def libraries() -> Iterator[Path]:
    """Where Python, its packages and this one lie, and what the system lends every program."""
    places = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values(), *site.getsitepackages()]
    places += [str(Path(__file__).parents[3]), *SYSTEM]
    for place in dict.fromkeys(places):
        if Path(place).exists() and Path(place) != Path("/"):
            yield Path(place)


def _until_parent_ends() -> None:
    """End with whoever started this, however that ended; no rights of a superuser from here on."""
    library, parent = ctypes.CDLL(None, use_errno=True), os.getppid()
    if sys.platform != "linux":
        return
    library.prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(CANNOT)


def _powerless() -> None:
    """Give up all capabilities; what remains is what the user's own files and processes are."""
    head = ctypes.create_string_buffer(struct.pack("=Ii", CAPABILITIES, 0))
    ctypes.CDLL(None, use_errno=True).capset(head, ctypes.create_string_buffer(24))


def _alone() -> bool:
    """A network of its own, without a way out; False where the system forbids that."""
    library, user, group = ctypes.CDLL(None, use_errno=True), os.getuid(), os.getgid()
    if sys.platform != "linux" or library.unshare(NEW_USER | NEW_NET):
        return False
    with contextlib.suppress(OSError):  # without it files belong to nobody, which hurts nobody
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return True
