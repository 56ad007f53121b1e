"""Diffs of a fork: unique text, still Python, `git apply` takes them, and the fork stays as it is until then."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.errors import ConfigError, DataError, HrmLabError
from hrmlab.specialist.patching import Edit, edits_of, patch
from hrmlab.specialist.sandbox import available

MODEL = """import torch


class Reasoner(torch.nn.Module):
    def forward(self, x):
        with torch.no_grad():
            for _ in range(3):
                x = self.inner(x)
        return self.inner(x)
"""
TEST = """import torch
from models.reasoner import Reasoner

model = Reasoner()
model.inner = torch.nn.Linear(2, 2)
calls = []
model.inner.register_forward_hook(lambda *_: calls.append(torch.is_grad_enabled()))
model(torch.ones(1, 2))
assert sum(calls) == 2, calls
"""
LOOP = "range({}):\n                x = self.inner(x)\n"
WIDER = Edit("models/reasoner.py", LOOP.format(3), LOOP.format(2) + "        x = self.inner(x)\n")


@pytest.fixture
def fork(tmp_path: Path) -> Path:
    root = tmp_path / "fork"
    (root / "models").mkdir(parents=True)
    (root / "models" / "reasoner.py").write_text(MODEL)
    (root / "check.py").write_text(TEST)
    return root


def test_git_takes_the_diff_and_the_fork_is_as_it_was(fork: Path, tmp_path: Path) -> None:
    told = patch(fork, [WIDER], because="the gradient is short", out=tmp_path / "out")
    assert (fork / "models" / "reasoner.py").read_text() == MODEL and told.passed
    subprocess.run(["git", "init", "-q"], cwd=fork, check=True)
    subprocess.run(told.apply.split(), check=True)
    assert (fork / "models" / "reasoner.py").read_text() == MODEL.replace(WIDER.search, WIDER.replace)


@settings(max_examples=25, deadline=None)
@given(
    lines=st.lists(st.sampled_from(["a", "b", "", " c", "ü"]), min_size=1, max_size=8),
    place=st.integers(0, 8),
    end=st.sampled_from(["", "\n"]),
    new=st.sampled_from(["x", "x\ny", "", "HERE\n", "\nHERE"]),
)
def test_any_unique_text_makes_a_diff_that_applies(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], place: int, end: str, new: str
) -> None:
    root = tmp_path_factory.mktemp("fork")
    text = "\n".join([*lines[:place], "HERE", *lines[place:]]) + end
    (root / "notes.txt").write_text(text)
    patch(root, [Edit("notes.txt", "HERE", new)], out=root / "out")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "apply", "--whitespace=nowarn", "out/change.diff"], cwd=root, check=True)
    assert (root / "notes.txt").read_text() == text.replace("HERE", new)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit("models/reasoner.py", "self.inner(x)", "y"), "there 2 times"),
        (Edit("models/reasoner.py", "not there", "y"), "there 0 times"),
        (Edit("models/reasoner.py", "", "y"), "there 0 times"),
        (Edit("models/reasoner.py", "import torch\n", "import (\n"), "would be no Python"),
        (Edit("models/reasoner.py", "import torch\n", "import torch\n"), "nothing changes"),
        (Edit("../elsewhere.py", "a", "b"), "outside"),
        (Edit("models/gone.py", "a", "b"), "cannot be read"),
    ],
)
def test_what_is_not_exact_is_refused_and_nothing_is_left(fork: Path, tmp_path: Path, edit: Edit, words: str) -> None:
    with pytest.raises((ConfigError, DataError), match=words):
        patch(fork, [edit], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '[{"file": "x"}]', '[{"file": 1, "search": "a", "replace": "b"}]'])
def test_edits_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "edits.json").write_text(text)
    with pytest.raises(DataError, match="wanted"):
        edits_of(tmp_path / "edits.json")


def test_a_script_of_the_fork_before_and_after(fork: Path, tmp_path: Path) -> None:
    try:
        available()
    except HrmLabError as error:
        pytest.skip(f"needs Linux with Landlock and seccomp: {error}")
    told = patch(fork, [WIDER], test="check.py", out=tmp_path / "out")
    assert [(gate.name, gate.passed) for gate in told.gates] == [("edits", True), ("before", None), ("after", True)]
    broken = Edit("models/reasoner.py", "range(3)", "range(open('/etc/passwd').read())")
    refused = patch(fork, [broken], test="check.py", out=tmp_path / "two")
    assert refused.gates[-1].passed is False and "PermissionError" in refused.gates[-1].summary


def test_as_one_types_it(fork: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from hrmlab.cli import main

    (tmp_path / "edits.json").write_text(json.dumps([vars(WIDER)]))
    assert main(["patch", str(fork), str(tmp_path / "edits.json"), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "+            for _ in range(2):" in said and "next: git -C" in said
