"""The compiled engine: C++ built at first use, kept in the user's cache, called through ctypes.

One library per board shape, since the shape is a compile-time constant. ctypes calls release the interpreter lock, so
that threads generate side by side. The flags name no particular processor: one library serves every machine of a kind.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.engine import UNLIMITED, Engine, Grids, Made, Solved, Wishes

SOURCES = Path(__file__).parent / "cpp"
FLAGS = ("-std=c++20", "-O2", "-shared", "-fPIC", "-fvisibility=hidden")


class Unbuildable(Exception):
    """There is no working C++ compiler here; never shown to a user, the pure-Python engine takes over."""


def cache_dir() -> Path:
    """Where compiled engines are kept: $HRMLAB_CACHE, else hrm-lab below $XDG_CACHE_HOME or ~/.cache."""
    if own := os.environ.get("HRMLAB_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hrm-lab"


def compiler() -> str | None:
    """The path of $CXX, g++ or c++, the first that exists."""
    names = (os.environ.get("CXX"), "g++", "c++")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def build(board: Board) -> Path:
    """The shared library of a board's shape, compiled unless the cache has it.

    Several processes may build at once: each writes a file of its own and renames it into place.

    Raises:
        Unbuildable: no compiler, or it failed, or the cache cannot be written.
    """
    if os.environ.get("HRMLAB_NO_COMPILER"):
        raise Unbuildable("HRMLAB_NO_COMPILER is set")
    cxx = compiler()
    if cxx is None:
        raise Unbuildable("no C++ compiler found")
    flags = [*FLAGS, f"-DBOX_ROWS={board.box_rows}", f"-DBOX_COLS={board.box_cols}"]
    target = cache_dir() / f"sudoku-{board}-{_key(cxx, flags)}.so"
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            fresh = Path(scratch) / target.name
            command = [cxx, *flags, str(SOURCES / "engine.cpp"), "-o", str(fresh)]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
            fresh.replace(target)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unbuildable(str(error)) from error
    return target


@lru_cache(maxsize=8)
def _version(cxx: str) -> bytes:
    try:
        return subprocess.run([cxx, "--version"], check=True, capture_output=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unbuildable(str(error)) from error


def _key(cxx: str, flags: list[str]) -> str:
    """Hash of all that the library depends on: sources, compiler, flags, kind of machine."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.iterdir()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    for part in (cxx.encode(), _version(cxx), " ".join(flags).encode(), platform.platform().encode()):
        digest.update(part + b"\0")
    return digest.hexdigest()[:20]


class NativeEngine(Engine):
    """The engine in C++.

    Raises:
        Unbuildable: when constructed where it cannot be compiled or loaded.
    """

    name = "c++"

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        try:
            self._library = ctypes.CDLL(str(build(board)))
        except OSError as error:
            raise Unbuildable(str(error)) from error
        for function in ("hrm_solve", "hrm_generate", "hrm_canonical"):
            getattr(self._library, function).restype = None

    def solve(self, grids: Grids, limit: int = 2, budget: int = UNLIMITED) -> Solved:
        grids = self._grids(grids)
        counts, guesses = np.zeros(len(grids), np.int64), np.zeros(len(grids), np.int64)
        solutions = np.zeros_like(grids)
        self._library.hrm_solve(
            _at(grids), _int(len(grids)), _int(limit), _int(budget), _at(counts), _at(solutions), _at(guesses)
        )
        return Solved(counts, solutions, guesses)

    def generate(self, n: int, seed: int, first: int = 0, wishes: Wishes | None = None) -> Made:
        wishes = wishes or Wishes()
        puzzles, solutions = self._empty(n), self._empty(n)
        ratings = np.full(n, -1, np.int64)
        bounds = (_int(wishes.givens or 0), _int(wishes.lowest), _int(wishes.highest))
        self._library.hrm_generate(
            ctypes.c_uint64(seed % 2**64), _int(first), _int(n), *bounds, _at(puzzles), _at(solutions), _at(ratings)
        )
        return Made(puzzles, solutions, ratings)

    def canonical(self, grids: Grids) -> Grids:
        grids = self._grids(grids)
        forms = np.zeros_like(grids)
        self._library.hrm_canonical(_at(grids), _int(len(grids)), _at(forms))
        return forms


def _int(value: int) -> ctypes.c_int64:
    return ctypes.c_int64(value)


def _at(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
