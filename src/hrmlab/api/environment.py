"""`doctor`: what this machine can compute with, and why not more."""

import os
import platform
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil
import torch

from hrmlab.api.settings import choose_threads
from hrmlab.results import Engine, Environment
from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.native import NativeEngine, Unbuildable, compiler

PACKAGES = ("hrm-lab", "torch", "numpy", "pydantic", "rich", "safetensors", "psutil", "huggingface-hub", "matplotlib")


def doctor() -> Environment:
    """Versions, devices, threads, memory (bytes) and engines. Never fails: what does not work is said to be so."""
    memory = psutil.virtual_memory()  # type: ignore[no-untyped-call]
    chosen = choose_threads()
    return Environment(
        versions={"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        devices=_devices(),
        threads={
            "torch": torch.get_num_threads(),
            "cores": os.cpu_count() or 1,
            "usable": _usable_cores(),
            "chosen": chosen.count,
        },
        why_threads=chosen.why,
        memory={"total": int(memory.total), "available": int(memory.available)},
        engines=[_tried(name, check) for name, check in _CHECKS.items()],
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


def _tried(name: str, check: Callable[[], tuple[bool, str]]) -> Engine:
    try:
        return Engine(name, *check())
    except Exception as error:  # a driver may fail in any way; the doctor reports it and goes on
        why = (str(error).splitlines() or [""])[0]
        return Engine(name, False, f"{type(error).__name__}: {why}")


def _eager() -> tuple[bool, str]:
    total = float(torch.ones(8, 8).matmul(torch.ones(8, 8)).sum())
    return total == 512.0, "plain torch on the CPU"


def _compile() -> tuple[bool, str]:
    found = compiler()
    if found is None:
        return False, "torch.compile needs a C++ compiler (g++) on the CPU and none was found; install one"
    if platform.system() == "Windows":
        return False, "torch.compile on the CPU is not supported here on Windows"
    return True, f"torch.compile with {found}"


def _cuda() -> tuple[bool, str]:
    if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        return False, "this torch was built without CUDA; install a CUDA build of torch"
    if not torch.cuda.is_available():
        driver = "nvidia-smi is there, so check the driver" if shutil.which("nvidia-smi") else "no NVIDIA driver found"
        return False, f"torch sees no CUDA device; {driver}"
    return True, torch.cuda.get_device_name()


def _mps() -> tuple[bool, str]:
    if not torch.backends.mps.is_built():
        return False, "this torch was built without Apple's Metal"
    return torch.backends.mps.is_available(), "Apple GPU"


def _sudoku() -> tuple[bool, str]:
    try:
        NativeEngine(Board(3, 3))
    except Unbuildable as error:
        return False, f"{str(error).splitlines()[0]}; the pure-Python engine is used, about a hundred times slower"
    return True, "Sudoku generator and solver in C++"


_CHECKS = {"eager": _eager, "compile": _compile, "cuda": _cuda, "mps": _mps, "c++ sudoku": _sudoku}
