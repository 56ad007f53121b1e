"""Options that many verbs share: device, threads, modules of other people's parts, a halting rule as text."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import torch

from hrmlab.analysis.threads import Threads as Measured
from hrmlab.analysis.threads import choose
from hrmlab.errors import ConfigError
from hrmlab.tasks.sudoku.native import cache_dir
from hrmlab.terminal import note

Threads = int | Literal["auto"] | None
DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto" takes CUDA, else Apple's, else the CPU.

    Raises:
        ConfigError: no such name, or the device is not there.
    """
    if name not in DEVICES:
        raise ConfigError(f"device '{name}' came; wanted one of {', '.join(DEVICES)}")
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if present[kind])
    if not present[name]:
        raise ConfigError(f"device '{name}' is not available here (`hrm doctor` says why); use --device cpu")
    return torch.device(name)


def use_threads(count: Threads, quiet: bool = True) -> None:
    """Set the number of CPU threads of this process.

    Args:
        count: None leaves torch's choice; "auto" takes fewer where a measurement shows that more would be no faster,
            and says so in one line.

    Raises:
        ConfigError: neither of them, nor 1 or more.
    """
    if count is None:
        return
    if count == "auto":
        most = torch.get_num_threads()
        found = choose_threads()
        if found.count < most:
            note(f"computing with {found.count} of {most} threads: {found.why}; --threads {most} takes all", quiet)
        count = found.count
    if not isinstance(count, int) or count < 1:
        raise ConfigError(f"threads={count} came; wanted 1 or more, or auto")
    torch.set_num_threads(count)


def choose_threads() -> Measured:
    """The number of threads that is worth it at the moment, up to torch's own; measured less than a minute ago."""
    return choose(torch.get_num_threads(), cache_dir() / "threads")


def import_parts(modules: Sequence[str]) -> None:
    """Import modules that register parts of their own; the working directory is searched too.

    Raises:
        ConfigError: a module cannot be imported; the message says why.
    """
    here = str(Path.cwd())
    if modules and here not in sys.path:
        sys.path.insert(0, here)
    for name in modules:
        try:
            import_module(name)
        except ConfigError:
            raise
        except Exception as error:  # whatever the module does wrong is its author's to mend, in one line
            why = (str(error).splitlines() or [""])[0]
            raise ConfigError(f"cannot import '{name}' ({type(error).__name__}: {why}); check --import") from None


def versions() -> dict[str, str]:
    """What a number depends on beside its configuration and weights."""
    return {name: version(name) for name in ("hrm-lab", "torch", "numpy")}
