"""requirements.lock is whole: every package that any extra asks for, at one version, with hashes."""

import importlib.metadata
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from supply.lock import ROOT, Entry, entries, tool

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
ASKED = [
    *[("base", line) for line in PROJECT["project"]["dependencies"] if not line.startswith("torch")],
    *[("torch", line) for line in PROJECT["project"]["dependencies"] if line.startswith("torch")],
    *[("build", line) for line in PROJECT["build-system"]["requires"]],
    *[(extra, line) for extra, lines in EXTRAS.items() for line in lines],
]


def of(*groups: str) -> dict[str, Entry]:
    """What is installed for these groups, by name."""
    return {entry.name: entry for entry in entries() if entry.groups & {"base", *groups}}


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_every_package_is_pinned_and_hashed(entry: Entry) -> None:
    assert re.fullmatch(r"==[^,*]+", str(entry.requirement.specifier))
    assert entry.hashes and all(re.fullmatch("[0-9a-f]{64}", digest) for digest in entry.hashes)
    assert entry.groups and entry.groups <= {"base", "build", "torch", "torch-cpu", "cuda", *EXTRAS}


def test_no_package_has_two_versions() -> None:
    names = [entry.name for entry in entries() if "torch-cpu" not in entry.groups]
    assert len(names) == len(set(names)) > 100


@pytest.mark.parametrize(("group", "line"), ASKED)
def test_what_the_project_asks_for_is_locked(group: str, line: str) -> None:
    wanted = Requirement(line)
    assert wanted.specifier.contains(of(group)[canonicalize_name(wanted.name)].version)


@pytest.mark.parametrize("extra", ["build", "torch-cpu", *EXTRAS])
def test_nothing_is_missing_of_what_locked_packages_ask_for(extra: str) -> None:
    """pip is told not to resolve, so the lock must be closed; what is installed here says what it asks for."""
    locked, seen = of(extra), 0
    todo = [*locked, *[f"{name}[{','.join(found)}]" for name, found in asked_extras(extra)]]
    while todo:
        wanted = Requirement(todo.pop())
        try:
            lines = importlib.metadata.requires(wanted.name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform, or of an extra that is not installed
        if wanted.name == "torch" and extra == "torch-cpu" and "+" not in importlib.metadata.version("torch"):
            continue  # the build that is installed asks for CUDA
        seen += 1
        for need in map(Requirement, lines):
            if need.marker is None or any(need.marker.evaluate({"extra": name}) for name in wanted.extras or {""}):
                assert canonicalize_name(need.name) in {"torch", *locked}, f"{wanted} asks for {need}"
                assert need.name == "torch" or need.specifier.contains(locked[canonicalize_name(need.name)].version)
    assert seen


def asked_extras(extra: str) -> list[tuple[str, set[str]]]:
    wanted = map(Requirement, EXTRAS.get(extra, []))
    return [(need.name, need.extras) for need in wanted if need.extras]


def test_both_builds_of_torch_are_of_one_version() -> None:
    builds = {group: entry for entry in entries() for group in entry.groups if entry.name == "torch"}
    assert builds["torch-cpu"].version == f"{builds['torch'].version}+cpu"
    assert not set(builds["torch"].hashes) & set(builds["torch-cpu"].hashes)
    assert len(builds["torch-cpu"].hashes) >= 6  # x86-64 and Arm, three Pythons


def test_libraries_of_a_gpu_come_with_its_build_alone() -> None:
    names = {entry.name for entry in entries() if "cuda" in entry.groups}
    assert {"triton", "nvidia-cudnn-cu13"} <= names
    assert not names & set(of()) and not {name for name in of() if name.startswith(("nvidia", "cuda"))}


def test_the_lock_names_no_host() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_locking_again_keeps_versions() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert set(tool("lock").pins(text)) == {
        f"{entry.name}=={entry.version}" for entry in entries() if "torch-cpu" not in entry.groups
    }


def test_locking_refuses_two_versions_of_a_package() -> None:
    twice = "numpy==1 ; python_version < '3.12' \\\n    --hash=sha256:a\nnumpy==2 \\\n    --hash=sha256:b\n"
    with pytest.raises(SystemExit, match="two versions of numpy"):
        tool("lock").parse(twice)


def test_what_always_comes_is_for_nothing_else() -> None:
    groups = {"base": {"numpy"}, "dev": {"numpy", "ruff"}, "text": {"ruff"}}
    assert tool("lock").asked_by("numpy", groups) == "base"
    assert tool("lock").asked_by("ruff", groups) == "dev text"


def test_hashes_of_cpu_wheels_are_kept_where_the_index_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tool("lock")
    monkeypatch.setattr(lock, "CPU_INDEX", "http://127.0.0.1:9/torch/")
    kept = [f"{digit}" * 64 for digit in "01"]
    assert lock.cpu_hashes("2.0", lock.entry("torch==2.0+cpu", kept)) == kept
    with pytest.raises(SystemExit, match=r"no CPU wheel of torch 2\.1 is known"):
        lock.cpu_hashes("2.1", lock.entry("torch==2.0+cpu", kept))
