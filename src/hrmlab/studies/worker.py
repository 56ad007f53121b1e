"""The process of one cell. This module imports nothing heavy, so that threads are limited before torch is loaded."""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any

from hrmlab.errors import ConfigError, HrmLabError

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def work(function: str, folder: str, modules: Sequence[str], channel: Any) -> None:
    """Call a function on a cell's folder and send what it gives, as JSON: its results, or the reason of its failure.

    What is printed goes to the cell's log.txt.

    Args:
        function: `module:name`.
        modules: to be imported first, for the parts that they register.
        channel: the writing end of a pipe.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent decides
    os.environ |= dict.fromkeys(THREADS, "1")
    _write_to_log(Path(folder))
    channel.send(_outcome(function, folder, modules))
    channel.close()


def alone() -> None:
    """The same as a command, `FUNCTION FOLDER PARENT [MODULE ...]`; the outcome is the last line that it prints.

    It ends with the process of the number PARENT.
    """
    function, folder, parent, *modules = sys.argv[1:]
    threading.Thread(target=follow, args=(int(parent),), daemon=True).start()
    os.environ |= dict.fromkeys(THREADS, "1")
    out = os.dup(1)
    _write_to_log(Path(folder))
    with os.fdopen(out, "w") as answer:
        answer.write(_outcome(function, folder, modules) + "\n")


def follow(parent: int) -> None:
    """Run until the process `parent` is no longer this one's parent, then end this process."""
    while os.getppid() == parent:  # a killed parent cannot say so: its children are handed to another process
        time.sleep(1.0)
    os._exit(1)


def called(function: str) -> Any:
    """The function of that name.

    Raises:
        ConfigError: it is not of the form `module:name`, or not there.
    """
    module, colon, name = function.partition(":")
    if not colon:
        raise ConfigError(f"'{function}' came; wanted module:function, e.g. mystudies.cells:run")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"cannot use '{function}': {error}") from None


def _outcome(function: str, folder: str, modules: Sequence[str]) -> str:
    try:
        for module in modules:
            import_module(module)
        return json.dumps({"results": called(function)(Path(folder))}, allow_nan=False)
    except HrmLabError as error:
        return json.dumps({"reason": str(error)})
    except Exception as error:
        traceback.print_exc()
        return json.dumps({"reason": f"{type(error).__name__}: {error}"})


def _write_to_log(folder: Path) -> None:
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def _end_with_parent() -> None:
    """A study that is killed leaves no process behind."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
