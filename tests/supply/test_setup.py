"""tools/setup.py installs what was asked for and nothing else, and refuses a file that is not the locked one."""

import base64
import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from supply.lock import ROOT, tool

NAME = "tiny_locked"


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, with a lock and an environment of the test's own."""
    module = tool("setup")
    monkeypatch.setattr(module, "VENV", tmp_path)
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(module, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return module


def wheel(folder: Path, name: str = NAME, needs: str = "", build: str = "") -> Path:
    """A package of one empty module."""
    version = f"1.0{build}"
    info, file = f"{name}-{version}.dist-info", folder / f"{name}-{version}-py3-none-any.whl"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(record(path, text) for path, text in files.items()) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return file


def record(path: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(text)}\n"


def lock(setup: ModuleType, *files: Path, group: str = "base") -> None:
    """Lock these files as they are now."""
    with setup.LOCK.open("a") as out:
        for file in files:
            name, version, *_ = file.name.split("-")
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            out.write(f"# for: {group}\n{name}=={version} \\\n    --hash=sha256:{digest}\n")


def installed(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")}


def test_the_locked_file_is_installed(setup: ModuleType, tmp_path: Path) -> None:
    lock(setup, wheel(tmp_path))
    assert setup.locked({"base"}, "--target", str(tmp_path / "into"))
    assert installed(tmp_path / "into") == {NAME}


def test_an_altered_file_is_refused(setup: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = wheel(tmp_path)
    lock(setup, file)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("extra.py", "print('altered')")
    assert not setup.locked({"base"}, "--target", str(tmp_path / "into"))
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert not installed(tmp_path / "into")


def test_one_altered_file_keeps_the_others_out(setup: ModuleType, tmp_path: Path) -> None:
    files = wheel(tmp_path, "first"), wheel(tmp_path, "second")
    lock(setup, *files)
    with zipfile.ZipFile(files[1], "a") as archive:
        archive.writestr("extra.py", "")
    assert not setup.locked({"base"}, "--target", str(tmp_path / "into"))
    assert not installed(tmp_path / "into")


def test_a_package_without_a_hash_is_refused(setup: ModuleType, tmp_path: Path) -> None:
    wheel(tmp_path)
    setup.LOCK.write_text(f"# for: base\n{NAME}==1.0\n")
    assert not setup.locked({"base"}, "--target", str(tmp_path / "into"))


def test_what_a_package_asks_for_does_not_come_past_the_lock(setup: ModuleType, tmp_path: Path) -> None:
    wheel(tmp_path, "unlocked")
    lock(setup, wheel(tmp_path, needs="Requires-Dist: unlocked\n"))
    assert setup.locked({"base"}, "--target", str(tmp_path / "into"))
    assert installed(tmp_path / "into") == {NAME}


def test_sources_are_not_built(setup: ModuleType, tmp_path: Path) -> None:
    """Building runs code, and what it asks for is in no lock."""
    source, ran = tmp_path / f"{NAME}-1.0.tar.gz", tmp_path / "ran"
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": f"open({str(ran)!r}, 'w').close()\n",
    }
    with tarfile.open(source, "w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{NAME}-1.0/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    setup.LOCK.write_text(f"# for: base\n{NAME}==1.0 \\\n    --hash=sha256:{digest}\n")
    assert not setup.locked({"base"}, "--target", str(tmp_path / "into"))
    assert not ran.exists()


def test_only_what_was_asked_for_is_taken(setup: ModuleType, tmp_path: Path) -> None:
    lock(setup, wheel(tmp_path, "always"))
    lock(setup, wheel(tmp_path, "drawn"), group="report text")
    lock(setup, wheel(tmp_path, "served"), group="mcp")
    assert "always==" in setup.chosen({"base"}) and "drawn" not in setup.chosen({"base"})
    assert "drawn==" in setup.chosen({"base", "text"}) and "served" not in setup.chosen({"base", "text"})
    assert setup.known() == {"report", "text", "mcp"}


@pytest.mark.parametrize(("altered", "builds"), [(False, {"torch"}), (True, set())])
def test_a_cpu_build_is_taken_by_its_hash(
    setup: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    altered: bool,
    builds: set[str],
) -> None:
    """A local wheel of torch, as pip sees it, in the very steps that the tool takes."""
    into = tmp_path / "into"
    monkeypatch.setenv("PIP_TARGET", str(into))
    monkeypatch.delenv("TORCH", raising=False)
    monkeypatch.setattr(setup, "has_gpu", lambda: False)
    monkeypatch.setattr(setup, "torch_version", lambda: "")
    monkeypatch.setattr(setup, "CPU_WHEELS", ())
    monkeypatch.setattr(setup.sys, "platform", "linux")
    ours = wheel(tmp_path, "torch")
    lock(setup, ours, group="torch")
    ours.unlink()
    cpu = wheel(tmp_path, "torch", build="+cpu")
    lock(setup, cpu, group="torch-cpu")
    if altered:
        with zipfile.ZipFile(cpu, "a") as archive:
            archive.writestr("extra.py", "")
    assert setup.install_torch() is not altered
    assert installed(into) == builds
    assert ("DO NOT MATCH THE HASHES" in capfd.readouterr().err) is altered


def test_a_build_with_a_name_brings_its_own_libraries(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for version, groups in {"2.0": {"cuda"}, "2.0+cpu": set(), "2.0+cu130": set()}.items():
        monkeypatch.setattr(setup, "torch_version", lambda found=version: found)
        assert setup.torch_libraries() == groups


def test_an_unknown_extra_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("setup").main(["plts"]) == 1
    assert "no extra plts; there are agent, arc, dev" in capsys.readouterr().err


def test_setup_needs_nothing_but_python() -> None:
    """It runs before anything is installed."""
    source = (ROOT / "tools/setup.py").read_text(encoding="utf-8")
    names = {line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert names <= sys.stdlib_module_names
