"""The function that a process calls, by name."""

import subprocess
import sys

import pytest
import study_cells

from hrmlab.errors import ConfigError
from hrmlab.studies.worker import called


def test_a_function_is_found_by_name() -> None:
    assert called("study_cells:good") is study_cells.good


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("study_cells.good", "wanted module:function"),
        ("study_cells:god", "has no attribute 'god'"),
        ("no_such_module:run", "No module named 'no_such_module'"),
    ],
)
def test_what_is_not_there_is_named(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        called(name)


def test_threads_can_be_limited_before_torch_is_loaded() -> None:
    code = "import sys, hrmlab.studies.worker; assert not {'torch', 'numpy'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
