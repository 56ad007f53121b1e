"""The memory of a training step, measured in a process of its own: other engines leave nothing behind there."""

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import torch

from hrmlab.api.steps import step_by, trainer
from hrmlab.config import decode, encode
from hrmlab.studies.worker import follow
from hrmlab.training.config import RunConfig

STEPS = 3
LIMIT = 900.0
"""Seconds after which a child is given up; compiling a large model takes minutes."""


def peak_mb(config: RunConfig, engine: str, device: torch.device) -> float | None:
    """Most megabytes (10^6 bytes) that training steps of an engine hold; None where the child fails.

    On a CPU the resident memory of the whole process, compiling not counted where the system can forget it (Linux); on
    CUDA what torch allocated on the device.
    """
    order = {
        "config": encode(config), "engine": engine, "device": str(device), "threads": torch.get_num_threads(),
        "parent": os.getpid(),
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", "from hrmlab.api.peak import child; child()"],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
        return float(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, OSError, ValueError, IndexError):
        return None


def child() -> None:
    """Read an order from standard input, print the peak; ends with the process that asked."""
    order: dict[str, Any] = json.load(sys.stdin)
    threading.Thread(target=follow, args=(order["parent"],), daemon=True).start()
    torch.set_num_threads(order["threads"])
    device = torch.device(order["device"])
    step = step_by(trainer(decode(RunConfig, order["config"]), device), order["engine"])
    step()
    step()
    _forget(device)
    for _ in range(STEPS):
        step()
    print(_most(device) / 1e6)


def _forget(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the kernel's "reset the peak of resident memory"
    except OSError:
        return


def _most(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated())
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    kilobytes = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
    if kilobytes is not None:
        return 1024.0 * kilobytes
    most = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return most if sys.platform == "darwin" else 1024.0 * most  # macOS counts bytes
