"""What is light stays light: help and listings never wait for torch."""

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "numpy", "pydantic", "rich", "safetensors")
CHECK = f"import sys; loaded = [m for m in {HEAVY!r} if m in sys.modules]; assert not loaded, loaded"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "code",
    [
        "import hrmlab",
        "import hrmlab.api",
        "from hrmlab.presets import PRESETS; assert [p.summary for p in PRESETS.values()]",
        "from hrmlab.cli import main; assert main(['--help']) == 0",
        "from hrmlab.cli import main; assert main(['train', '--help']) == 0",
        "from hrmlab.cli import main; assert main(['--version']) == 0",
        "from hrmlab.cli import main; assert main(['trian']) == 2",
    ],
)
def test_light_things_import_nothing_heavy(code: str) -> None:
    done = run(f"{code}; {CHECK}")
    assert done.returncode == 0, done.stderr


def test_help_answers_at_once() -> None:
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "hrmlab", "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert time.perf_counter() - start < 1.0


def test_listing_presets_needs_no_torch() -> None:
    done = run("import sys; from hrmlab.presets import preset; preset('sudoku-9x9'); assert 'torch' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_solving_does_not_wait_for_torchs_compiler() -> None:
    """It takes as long to load as torch itself, and nothing is compiled."""
    puzzle = ".6.3....4.......56.4......51...1..3."
    done = run(f"""
from hrmlab.cli import main
import sys
assert main(['solve', 'sudoku-6x6', '{puzzle}', '--quiet']) == 0
assert 'torch' in sys.modules and 'torch._dynamo' not in sys.modules
""")
    assert done.returncode == 0, done.stderr
