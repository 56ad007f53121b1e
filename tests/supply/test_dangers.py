"""No data from outside becomes code, a command or a file elsewhere: read in the sources, and tried."""

import io
import tarfile
from pathlib import Path

import pytest
from supply.dangers import dangers

from hrmlab.studies.engines.apart import pack, unpack

SOURCES = Path(__file__).resolve().parents[2] / "src"

OWN = "a name written in hrmlab itself: verbs, presets, probes and the like are loaded when they are needed"
USER = "named on the user's own command line or in their own program, to run with their rights"
SANDBOX = "runs in the sandbox alone, in a process of its own that has confined itself"
ALLOWED = {
    ("hrmlab/api/__init__.py", "importlib.import_module"): OWN,
    ("hrmlab/cli/entry.py", "importlib.import_module"): OWN,
    ("hrmlab/presets/table.py", "importlib.import_module"): OWN,
    ("hrmlab/presets/studies/__init__.py", "importlib.import_module"): OWN,
    ("hrmlab/analysis/probes/__init__.py", "importlib.import_module"): OWN,
    ("hrmlab/reports/figures/__init__.py", "importlib.import_module"): OWN,
    ("hrmlab/specialist/rules/__init__.py", "importlib.import_module"): OWN,
    ("hrmlab/api/settings.py", "importlib.import_module"): f"--import MODULE: {USER}",
    ("hrmlab/api/study_sources.py", "importlib.import_module"): f"MODULE:FUNCTION as a study: {USER}",
    ("hrmlab/api/completing.py", "argcomplete.shellcode"): "gives text that a shell may read; runs none",
    ("hrmlab/studies/worker.py", "importlib.import_module"): f"what a study's program calls, and --import: {USER}",
    ("hrmlab/specialist/sandbox/trial.py", "runpy.run_path"): SANDBOX,
    ("hrmlab/specialist/plugins/child.py", "importlib.util.spec_from_file_location"): SANDBOX,
    ("hrmlab/specialist/plugins/child.py", "spec.loader.exec_module"): SANDBOX,
}


def found() -> set[tuple[str, str]]:
    sources = {str(file.relative_to(SOURCES)): file.read_text("utf-8") for file in SOURCES.rglob("*.py")}
    return {(file, danger.call) for file, source in sources.items() for danger in dangers(source)}


def test_the_sources_hold_no_dangerous_call_but_those_that_are_explained() -> None:
    assert found() == set(ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "exec(text)",
        "compile(text, 'x', 'exec')",
        "__import__(name)",
        "from importlib import import_module as bring\nbring(name)",
        "import importlib\nimportlib.import_module(name)",
        "import runpy\nrunpy.run_path(file)",
        "import os\nos.system('ls')",
        "from os import popen\npopen('ls')",
        "import subprocess as s\ns.run('ls', shell=True)",
        "import subprocess\nsubprocess.run('ls', shell=flag)",
        "import pickle\npickle.load(file)",
        "from pickle import loads as read\nread(data)",
        "import pickle\npickle.Unpickler(file).load()",
        "import torch\ntorch.load(file)",
        "import torch\ntorch.load(file, weights_only=False)",
        "import torch as t\nt.load(file, weights_only=flag)",
        "import numpy as np\nnp.load(file, allow_pickle=True)",
        "import yaml\nyaml.load(text)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "import yaml\nyaml.load(text, yaml.UnsafeLoader)",
        "from yaml import unsafe_load\nunsafe_load(text)",
        "archive.extractall(folder)",
        "tarfile.open(file).extractall(folder, filter='fully_trusted')",
        "archive.extract(name, folder)",
        "import shutil\nshutil.unpack_archive(file)",
        "spec.loader.exec_module(module)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "get(address, verify=False)",
    ],
)
def test_each_is_recognised(source: str) -> None:
    assert list(dangers(source))


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import re\nre.compile(text)",
        "import torch\ntorch.compile(model)",
        "import torch\ntorch.load(file, weights_only=True)",
        "import numpy as np\nnp.load(file, allow_pickle=False)",
        "import subprocess\nsubprocess.run(['ls'], check=True)",
        "import yaml\nyaml.load(text, Loader=yaml.SafeLoader)",
        "from yaml import SafeLoader, load\nload(text, SafeLoader)",
        "archive.extractall(folder, filter='data')",
        "import json\njson.load(file)",
    ],
)
def test_harmless_calls_are_left_alone(source: str) -> None:
    assert not list(dangers(source))


def packed(name: str, **fields: object) -> bytes:
    """An archive of one member of that name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo(name)
        for field, value in fields.items():
            setattr(member, field, value)
        tar.addfile(member, io.BytesIO(b"x" * member.size))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "archive",
    [
        packed("../outside", size=1),
        packed("inner/../../outside", size=1),
        packed("link", type=tarfile.SYMTYPE, linkname="../outside"),
        packed("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        packed("link", type=tarfile.LNKTYPE, linkname="../outside"),
        packed("device", type=tarfile.CHRTYPE),
    ],
    ids=["above", "above through a folder", "link above", "link to the root", "hard link above", "device"],
)
def test_a_packed_folder_that_leads_out_of_its_place_is_refused(archive: bytes, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(tarfile.FilterError):
        unpack(archive, place)
    assert not list(place.iterdir()) and [path.name for path in tmp_path.iterdir()] == ["place"]


def test_a_path_from_the_root_is_taken_as_one_below_the_place(tmp_path: Path) -> None:
    unpack(packed(str(tmp_path / "other"), size=1), tmp_path / "place")
    assert not (tmp_path / "other").exists()


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "from/inner").mkdir(parents=True)
    (tmp_path / "from/inner/file").write_text("kept")
    unpack(pack(tmp_path / "from"), tmp_path / "to")
    assert (tmp_path / "to/inner/file").read_text() == "kept"
