"""`doctor`: what this machine can compute with, and why not more."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil
import torch

from hrmlab.api.abilities import abilities, why_device
from hrmlab.api.extras import extras
from hrmlab.api.settings import choose_threads
from hrmlab.results import Environment

PACKAGES = ("hrm-lab", "torch", "numpy", "pydantic", "rich", "safetensors", "psutil", "omegaconf", "argcomplete")


def doctor() -> Environment:
    """Versions, devices, threads, memory (bytes), engines and extras. Never fails: what does not work is said."""
    memory = psutil.virtual_memory()  # type: ignore[no-untyped-call]
    chosen = choose_threads()
    device, why = why_device()
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return Environment(
        versions={"python": platform.python_version(), "system": system, **{name: _version(name) for name in PACKAGES}},
        device=device,
        why_device=why,
        devices=_devices(),
        threads={
            "torch": torch.get_num_threads(),
            "cores": os.cpu_count() or 1,
            "usable": _usable_cores(),
            "chosen": chosen.count,
        },
        why_threads=chosen.why,
        memory={"total": int(memory.total), "available": int(memory.available)},
        engines=abilities(),
        extras=extras(),
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _devices() -> list[dict[str, Any]]:
    devices: list[dict[str, Any]] = [{"name": "cpu", "description": platform.processor() or platform.machine()}]
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(index)
            devices.append({"name": f"cuda:{index}", "description": about.name, "memory": int(about.total_memory)})
    if torch.backends.mps.is_available():
        devices.append({"name": "mps", "description": "Apple GPU"})
    return devices
