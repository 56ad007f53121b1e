"""What this machine can compute with: each engine and device tried, with a reason where it is not to be had."""

import platform
import shutil
import sysconfig
from collections.abc import Callable
from pathlib import Path

import torch

from hrmlab.api.settings import choose_device
from hrmlab.kernels import triton_here
from hrmlab.results import Engine
from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.native import NativeEngine, Unbuildable, compiler

COMPILER = {
    "Linux": "apt install g++ (or your system's package)",
    "Darwin": "xcode-select --install",
}
GIB = 2**30


def abilities() -> list[Engine]:
    """Engines and devices by name. Never fails: what does not work is said to be so."""
    return [_tried(name, check) for name, check in _CHECKS.items()]


def why_device() -> tuple[str, str]:
    """What `--device auto` takes here, and why."""
    name = choose_device("auto").type
    cuda, mps = _tried("cuda", _cuda), _tried("mps", _mps)
    if name == "cuda":
        return name, f"{cuda.why}; torch was built for CUDA {torch.version.cuda}"
    if name == "mps":
        return name, f"{mps.why}; no CUDA: {cuda.why}"
    return name, f"no CUDA: {cuda.why}; no MPS: {mps.why}"


def _tried(name: str, check: Callable[[], tuple[bool, str]]) -> Engine:
    try:
        return Engine(name, *check())
    except Exception as error:  # a driver may fail in any way; the doctor reports it and goes on
        why = (str(error).splitlines() or [""])[0]
        return Engine(name, False, f"{type(error).__name__}: {why}")


def _reference() -> tuple[bool, str]:
    return _works(), "the published code's order of operations, to compare with"


def _eager() -> tuple[bool, str]:
    return _works(), "plain torch"


def _works() -> bool:
    return float(torch.ones(8, 8).matmul(torch.ones(8, 8)).sum()) == 512.0


def _compiled() -> tuple[bool, str]:
    if platform.system() == "Windows":
        return False, "torch.compile on the CPU is not supported here on Windows"
    if torch.cuda.is_available() and triton_here.AVAILABLE:
        return True, "torch.compile, by Triton on the GPU"
    found = compiler()
    if found is None:
        return False, f"torch.compile wants a C++ compiler and none was found; type: {_get_compiler()}"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        return False, "torch.compile wants Python's headers (Python.h) and found none; type: apt install python3-dev"
    return True, f"torch.compile with {found}"


def _captured() -> tuple[bool, str]:
    if not torch.cuda.is_available():
        return False, f"records CUDA graphs; {_cuda()[1]}"
    return True, "a segment recorded as CUDA graphs"


def _cuda() -> tuple[bool, str]:
    driver = shutil.which("nvidia-smi") is not None
    if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        here = (
            "an NVIDIA driver is here: install a CUDA build of torch" if driver else "no NVIDIA driver was found either"
        )
        return False, f"this torch ({torch.__version__}) was built without CUDA; {here}"
    if not torch.cuda.is_available():
        return False, f"torch sees no CUDA device; {'look at `nvidia-smi`' if driver else 'no NVIDIA driver was found'}"
    about = torch.cuda.get_device_properties(torch.cuda.current_device())
    return True, f"{about.name}, {about.total_memory / GIB:.0f} GiB"


def _mps() -> tuple[bool, str]:
    if platform.system() != "Darwin":
        return False, "Apple's GPUs are on macOS alone"
    if not torch.backends.mps.is_built():
        return False, "this torch was built without Apple's Metal; install PyPI's for macOS"
    if not torch.backends.mps.is_available():
        return False, "no Apple GPU that Metal can use; macOS 14 or later on Apple silicon is wanted"
    return True, "Apple GPU"


def _kernels() -> tuple[bool, str]:
    if not triton_here.AVAILABLE:
        return False, "no Triton, so plain torch computes the same; on a GPU type: pip install 'hrm-lab[gpu]'"
    if not torch.cuda.is_available():
        return False, "Triton is here and no GPU is, so plain torch computes the same"
    return True, "fused kernels in Triton"


def _sudoku() -> tuple[bool, str]:
    try:
        NativeEngine(Board(3, 3))
    except Unbuildable as error:
        why = f"{str(error).splitlines()[0]}; the pure-Python engine is used, about a hundred times slower"
        return False, f"{why}; type: {_get_compiler()}"
    return True, "Sudoku generator and solver in C++"


def _get_compiler() -> str:
    return COMPILER.get(platform.system(), "a C++ compiler into PATH, or CXX=PATH")


_CHECKS = {
    "reference": _reference,
    "eager": _eager,
    "compiled": _compiled,
    "captured": _captured,
    "fused kernels": _kernels,
    "cuda": _cuda,
    "mps": _mps,
    "c++ sudoku": _sudoku,
}
