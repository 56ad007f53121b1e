"""The harness sees what it is there for: each fault, planted, fails a case."""

import os
import subprocess
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from fuzz.harness import SECONDS, TooLong, judge

from hrmlab.errors import ConfigError, DataError


def refuse(message: str) -> None:
    raise DataError(message)


def warn() -> None:
    warnings.warn("deprecated", DeprecationWarning, stacklevel=1)


def hang() -> None:
    while True:
        time.perf_counter()


def test_results_and_good_refusals_pass(home: Path) -> None:
    assert judge(lambda: 7, home) == 7
    assert judge(lambda: refuse("x.csv has no rows, wanted at least one"), home) is None
    listed = "2 bad rows; mend the file\n  line 1: empty\n  line 2: empty"
    assert judge(lambda: refuse(listed), home) is None


@pytest.mark.parametrize(
    "raised", [ValueError("x"), KeyError("x"), RecursionError(), UnicodeDecodeError("utf-8", b"", 0, 1, "")]
)
def test_any_other_exception_fails(home: Path, raised: Exception) -> None:
    def read() -> None:
        raise raised

    with pytest.raises(type(raised)):
        judge(read, home)


@pytest.mark.parametrize(
    "message",
    [
        "", "oops", "'input'", "'NoneType' object has no attribute 'get'", "x.csv: unhashable type: 'list' came",
        "the key \x1b[2J came, wanted another", "two lines came\nwanted one of them",
        "the name " + "x" * 5000 + " came here",
    ],
)  # fmt: skip
def test_a_message_that_helps_nobody_fails(home: Path, message: str) -> None:
    # By way of another class: our own errors print control signs escaped.
    class Plain(ConfigError):
        def __str__(self) -> str:
            return message

    def read() -> None:
        raise Plain(message)

    with pytest.raises(AssertionError):
        judge(read, home)


def test_a_warning_fails(home: Path) -> None:
    with pytest.raises(DeprecationWarning):
        judge(warn, home)


def test_a_hang_fails_even_where_errors_are_swallowed(home: Path) -> None:
    def swallow() -> None:
        try:
            hang()
        except Exception:
            return

    began = time.process_time()
    with pytest.raises(TooLong):
        judge(swallow, home)
    assert time.process_time() - began < 2 * SECONDS


def test_a_blow_up_of_memory_fails(home: Path) -> None:
    with pytest.raises(MemoryError):
        judge(lambda: np.ones(2**28), home)


@pytest.mark.parametrize("place", ["../sentinel", "{there}/sentinel", "link/sentinel"])
def test_a_file_outside_of_the_folder_fails(tmp_path: Path, place: str) -> None:
    home, there = tmp_path / "home", tmp_path / "there"
    home.mkdir()
    there.mkdir()
    (home / "link").symlink_to(there)
    with pytest.raises(AssertionError, match="to be written"):
        judge(lambda: Path(place.format(there=there)).write_text("here"), home)


def test_a_file_inside_of_the_folder_passes(home: Path) -> None:
    assert judge(lambda: Path("here").write_text("here"), home) == 4
    judge(Path("here").unlink, home)


@pytest.mark.parametrize("run", [lambda: os.system("true"), lambda: subprocess.run(["true"], check=True)])
def test_a_process_fails(home: Path, run: object) -> None:
    with pytest.raises(AssertionError, match=r"os\.system|Popen"):
        judge(run, home)  # type: ignore[arg-type]


def test_a_pickle_that_is_loaded_fails(home: Path) -> None:
    import pickle

    with pytest.raises(AssertionError, match="find_class"):
        judge(lambda: pickle.loads(pickle.dumps(Path("x"))), home)


def test_outside_of_a_case_nothing_is_watched(home: Path, tmp_path: Path) -> None:
    judge(lambda: None, home)
    (tmp_path / "free").write_text("here")
