"""What others install: wheel and sdist hold what git has, build without network, and work far from the sources."""

import email.parser
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOT_IN_SDIST = {".ci/run", ".gitattributes"}
PUZZLE = "6...4...........15.2...6..3.....65.."
DATA = {
    "hrmlab/py.typed": "types",
    "hrmlab/cli/words.json": "completion",
    "hrmlab/shipped/sudoku-6x6/weights.safetensors": "shipped models",
    "hrmlab/shipped/sudoku-9x9/config.json": "shipped models",
    "hrmlab/tasks/sudoku/cpp/engine.cpp": "C++",
    "hrmlab/templates/block.py.txt": "templates of `hrm new`",
    "hrmlab/specialist/persona.md": "the specialist",
}


def git_files(*below: str) -> set[str]:
    """What git has or would take."""
    asked = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *below]
    try:
        listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and a clone")
    return {name for name in listed if name and (ROOT / name).is_file()}


def built(kind: str, source: Path, into: Path) -> Path:
    """By the locked hatchling, which asks nobody for anything."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents alone, as pip lays them."""
    target = tmp_path_factory.mktemp("target")
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--target", str(target)]
    command = [sys.executable, "-m", "pip", "--isolated", "install", *options, str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return target


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name for name in names if not name.startswith(f"hrm_lab-{PROJECT['version']}.dist-info/")}
    assert inside == {name.removeprefix("src/") for name in git_files("src/hrmlab")}
    assert set(DATA) <= inside
    assert wheel.stat().st_size < 3e6


def test_the_sdist_holds_the_repository(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert inside - {"PKG-INFO", ".gitignore"} == git_files() - NOT_IN_SDIST - {".gitignore"}
    assert sdist.stat().st_size < 12e6


def test_the_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    again = built("wheel", source, tmp_path / "again")
    assert again.name == wheel.name
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


def test_what_it_says_of_itself(wheel: Path) -> None:
    archive, about = zipfile.ZipFile(wheel), f"hrm_lab-{PROJECT['version']}.dist-info"
    said = email.parser.Parser().parsestr(archive.read(f"{about}/METADATA").decode())
    assert said["Name"] == "hrm-lab" and said["License-Expression"] == "Apache-2.0"
    assert said["Author"] == "The hrm-lab authors"
    assert set(said.get_all("Provides-Extra") or ()) == set(PROJECT["optional-dependencies"])
    assert archive.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    versions = [line.rpartition(" ")[2] for line in said.get_all("Classifier") or () if ":: 3." in line]
    assert versions == ["3.11", "3.12", "3.13"]
    assert b"hrm = hrmlab.cli:main" in archive.read(f"{about}/entry_points.txt")


@pytest.mark.parametrize("verb", [("--help",), ("--version",), ("catalog",), ("doctor",), ("inspect", "sudoku-9x9")])
def test_verbs_work_far_from_the_sources(installed: Path, tmp_path: Path, verb: tuple[str, ...]) -> None:
    assert hrm(installed, tmp_path, *verb).strip()


def test_a_puzzle_is_solved_far_from_the_sources(installed: Path, tmp_path: Path) -> None:
    """By a model, a task and C++ that came with the wheel."""
    answer = json.loads(hrm(installed, tmp_path, "solve", "sudoku-6x6", PUZZLE, "--json", "--threads", "1"))
    assert answer["solved"] == 1


def test_a_part_of_ones_own_is_begun_far_from_the_sources(installed: Path, tmp_path: Path) -> None:
    hrm(installed, tmp_path, "new", "block", "mine", "--out", "parts")
    assert (tmp_path / "parts/mine.py").is_file()


def test_skills_are_written_far_from_the_sources(installed: Path, tmp_path: Path) -> None:
    hrm(installed, tmp_path, "specialist", "install", "plugin", "--out", ".")
    assert len(list(tmp_path.rglob("SKILL.md"))) >= 3


def hrm(installed: Path, here: Path, *arguments: str) -> str:
    """The installed command's output, in a folder where no sources are."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    where = "import hrmlab; print(hrmlab.__file__)"
    found = subprocess.run([sys.executable, "-c", where], cwd=here, env=environment, capture_output=True, text=True)
    assert Path(found.stdout.strip()).is_relative_to(installed), found
    command = [sys.executable, str(installed / "bin/hrm"), *arguments]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout
