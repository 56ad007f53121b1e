"""Parts of one's own from the first file to training, and weights moved from model to model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hrmlab import api
from hrmlab.api.targets import find_run
from hrmlab.checks import FAMILIES

Hrm = Callable[..., Any]


def mistake(called: Any, *parts: str) -> None:
    assert called.code == 2, called
    assert called.err.startswith("hrm: ") and len(called.err.splitlines()) == 1, called.err
    assert all(part in called.err for part in parts), called.err


@pytest.mark.parametrize("kind", sorted(FAMILIES))
def test_a_new_part_is_found_checked_and_tested(
    hrm: Hrm, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"fresh_{kind}"
    assert hrm("new", kind, name).code == 0
    listed = hrm("catalog", kind, "--import", name, "--json").json["items"]
    assert name in {item["name"] for item in listed}
    answer = hrm("check", name, "--import", name, "--json")
    assert answer.code == 0, [check for check in answer.json["checks"] if check["ok"] is False]
    assert {"training": True}.items() <= {check["name"]: check["ok"] for check in answer.json["checks"]}.items()
    test: dict[str, Any] = {}
    exec((tmp_path / f"test_{name}.py").read_text(), test)
    asked = [value for key, value in test.items() if key.startswith("test_") and "keeps_the_rules" not in key]
    assert asked
    for one in asked:
        one()


def test_what_new_refuses(hrm: Hrm, tmp_path: Path) -> None:
    mistake(hrm("new", "blok", "mine"), "unknown kind 'blok'", "did you mean 'block'")
    mistake(hrm("new", "block", "my-block"), "'my-block' cannot name a module")
    mistake(hrm("new", "block", "class"), "cannot name a module")
    mistake(hrm("new", "block", "post_norm"), "exists already", "hrm catalog block")
    mistake(hrm("new", "block", "place"), "class Place exists already")
    mistake(hrm("new", "block", "torch"), "name of a module already")
    (tmp_path / "taken.py").write_text("mine\n")
    mistake(hrm("new", "block", "taken"), "taken.py is there already")
    assert (tmp_path / "taken.py").read_text() == "mine\n" and not (tmp_path / "test_taken.py").exists()


def test_what_check_refuses(hrm: Hrm) -> None:
    mistake(hrm("check", "post_nrm"), "did you mean 'post_norm'", "--import MODULE")
    mistake(hrm("check", "post_norm", "--kind", "attention"), "unknown attention 'post_norm'")
    mistake(hrm("check", "relational"), "several kinds: block, attention", "--kind block")
    mistake(hrm("check", "mine", "--import", "no_such_part"), "cannot import 'no_such_part'")


def test_a_broken_part_is_exit_code_1(hrm: Hrm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    hrm("new", "halting", "spoilt_rule")
    path = tmp_path / "spoilt_rule.py"
    path.write_text(path.read_text().replace(".amin(-1)", ".amin(-1).double()"))
    answer = hrm("check", "spoilt_rule", "--import", "spoilt_rule", "--json")
    assert answer.code == 1 and answer.json["ok"] is False
    assert "torch.float64" in next(check["why"] for check in answer.json["checks"] if check["name"] == "decisions")


def test_a_model_does_not_differ_from_itself(run: Path) -> None:
    same = api.compare(run, run)
    assert not same.config and not same.schedule
    assert not same.weights["missing"] and not same.weights["reshaped"] and not same.weights["dropped"]
    assert all(cost["ratio"] in (1.0, None) for cost in same.cost.values())


def test_two_presets_in_words() -> None:
    found = api.compare("hrm-sudoku-extreme", "trm-mlp-sudoku-extreme")
    assert any(one["key"] == "model.schedule" for one in found.config) and found.schedule
    assert any("networks: low, high in A, high in B" in line for line in found.schedule)


def test_moved_weights_are_those_of_the_run_and_it_goes_on(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "deeper"
    moved = api.transfer(run, run, ["model.size.layers=2", "training.steps=2"], out=out, quiet=True)
    assert moved.weights["missing"] and not moved.weights["dropped"] and 0 < moved.moved < moved.numbers
    old, new = (find_run(path).load(torch.device("cpu")).state_dict() for path in (run, out))
    assert all(torch.equal(new[name], old[name]) for name in moved.weights["kept"])
    assert hrm("eval", out, "--quiet").code == 0
    assert hrm("train", "--resume", out, "--steps", 2, "--quiet").code == 0


def test_what_transfer_refuses(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    mistake(hrm("transfer", run, "sudoku-4x4"), "--out RUN")
    mistake(hrm("transfer", "nowhere", "sudoku-4x4", "--out", tmp_path / "x"), "no run at 'nowhere'")
    mistake(hrm("transfer", run, "sudoku4x4", "--out", tmp_path / "x"), "did you mean 'sudoku-4x4'")
    mistake(hrm("transfer", run, run, "model.size.width=12", "--out", tmp_path / "x"), "fits")
    assert not (tmp_path / "x").exists()
