"""Nothing that only Linux has is needed to import hrm-lab: as far as that can be seen on Linux.

A process imports what others wrote, says that it is macOS, gives up what Linux alone lends, and imports all of ours.
"""

import subprocess
import sys

import pytest

PREPARE = """
import asyncio, concurrent.futures, ctypes, importlib, multiprocessing, os, pkgutil, platform, socket, sys
import numpy, omegaconf, psutil, pydantic, rich.console, rich.table, safetensors.torch, torch, torch.distributed, yaml
for name in {others!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
LINUX = ["sched_getaffinity", "sched_setaffinity", "memfd_create", "pidfd_open", "eventfd", "posix_fadvise", "splice",
         "fdatasync", "getrandom", "setns", "unshare", "O_TMPFILE", "O_PATH", "O_DIRECT"]
for name in LINUX:
    if hasattr(os, name):
        delattr(os, name)
sys.platform = "darwin"
platform.system = lambda: "Darwin"
platform.machine = lambda: "{machine}"
"""
OTHERS = [
    "fastapi",
    "uvicorn",
    "prometheus_client",
    "mcp.server.mcpserver",
    "pydantic_ai",
    "matplotlib.figure",
    "optuna",
    "submitit",
    "onnx",
    "onnxruntime",
    "huggingface_hub",
    "transformers",
    "tensorboard",
    "triton",
    "httpx",
]
IMPORT_ALL = """
import hrmlab
found = []
for module in pkgutil.walk_packages(hrmlab.__path__, "hrmlab."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        found.append(module.name)
assert len(found) > 400, len(found)
"""
REFUSALS = """
from hrmlab.specialist.sandbox import confine, landlock, seccomp
assert landlock.version() == 0 and landlock.restrict([], []) == 0
assert seccomp.refuse_calls() is False
assert confine._alone() is False
confine._until_parent_ends()
from hrmlab.api.environment import _usable_cores
assert _usable_cores() == os.cpu_count()
from pathlib import Path
from hrmlab.api import peak
import resource
Path.is_file = lambda self: False
assert peak._most(torch.device("cpu")) == resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""


@pytest.mark.parametrize(("machine", "code"), [("arm64", IMPORT_ALL), ("x86_64", IMPORT_ALL + REFUSALS)])
def test_everything_imports_on_what_says_it_is_macos(machine: str, code: str) -> None:
    for extra in ("uvicorn", "mcp", "pydantic_ai"):  # some of our modules are of use with them alone
        pytest.importorskip(extra)
    program = PREPARE.format(others=OTHERS, machine=machine) + code
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
