"""The kernels themselves: this folder's tests in a process where Triton's interpreter runs them on the CPU.

Triton decides for or against its interpreter when it is imported, hence a process of its own.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hrmlab.kernels import triton_here

HERE = Path(__file__).parent
FILES = ("test_residual_norm.py", "test_gated.py", "test_sparse_sign.py", "test_stablemax.py", "test_operators.py")
LEFT_OUT = {Path(__file__).name, "test_aot.py"}


def test_no_file_is_forgotten() -> None:
    assert {path.name for path in HERE.glob("test_*.py")} == {*FILES, *LEFT_OUT}


@pytest.mark.slow
@pytest.mark.skipif(not triton_here.AVAILABLE, reason="needs triton: python3 tools/setup.py dev gpu")
@pytest.mark.parametrize("file", FILES)
def test_interpreted(file: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(HERE / file)]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=HERE.parent.parent, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and " skipped" not in done.stdout
