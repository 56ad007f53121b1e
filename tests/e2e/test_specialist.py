"""The specialist as one types it: the user's two examples, a change of one's own, and the evidence of both."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hrmlab.config import encode
from hrmlab.errors import HrmLabError
from hrmlab.presets import preset
from hrmlab.specialist.citing import unfounded
from hrmlab.specialist.ledger import NAME, Ledger
from hrmlab.specialist.sandbox import available
from hrmlab.training.overrides import override_run

Hrm = Callable[..., Any]
SMALL = [
    "data.train=64", "data.test=40", "model.size.width=8", "training.batch_size=8", "training.engine=eager",
    "halting.max_segments=2", "evaluation.max_segments=2",
]  # fmt: skip
PROPOSAL = {
    "id", "title", "rule", "changes", "aim", "better", "prediction", "principle", "rationale", "explanation",
    "implications", "testing", "gradient_flow", "cost", "compatibility", "gates", "verdict", "reason", "source",
}  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "model.json"
    file.write_text(json.dumps(encode(override_run(preset("hrm-sudoku-4x4").make(), SMALL))))
    return file


def held(folder: Path, told: dict[str, Any]) -> None:
    """Every number of a report is in the ledger, and every part that a proposal must have is there."""
    records = Ledger(folder / NAME).records()
    assert [record["id"] for record in told["evidence"]] == [record.id for record in records]
    for proposal in told["proposals"]:
        assert set(proposal) == PROPOSAL
        for part in PROPOSAL - {"verdict", "gates", "changes", "source"}:
            assert proposal[part], f"{proposal['id']} has no {part}"
        for gate in proposal["gates"]:
            assert unfounded(gate["summary"], records) == []


def test_gradients_that_do_not_flow_are_explained_tried_and_judged(hrm: Hrm, model: Path, tmp_path: Path) -> None:
    problem = "The gradients aren't flowing properly through my hierarchical connections and it isn't learning"
    words = ("--proposals", 1, "--seeds", 2, "--steps", 2, "--n", 4, "--out", tmp_path / "told", "--json")
    told = hrm("specialist", model, problem, *words).json
    held(tmp_path / "told", told)
    (first,) = told["proposals"]
    assert first["rule"] == "gradient_window" and first["changes"] == ["model.schedule.grad_window=4"]
    gates = {gate["name"]: gate["passed"] for gate in first["gates"]}
    assert list(gates)[:6] == ["static", "build", "numerics", "cost", "gradient flow", "training"]
    assert first["verdict"] == "inconclusive"  # two pairs can show nothing
    trained = [record for record in told["evidence"] if record["tool"] == "train"]
    assert [record["about"]["budget"] for record in trained][:2] == ["equal steps", "equal operations"]
    assert all(len(record["values"]["base"]) == 2 for record in trained)
    order = [record["tool"] for record in told["evidence"]]
    assert order.index("predict") < order.index("static") < order.index("train")
    report = (tmp_path / "told" / "report.md").read_text()
    assert "Predicted, before any run" in report and "Gradient flow" in report and "Compatibility" in report


def test_a_module_for_the_high_level_with_better_attention(hrm: Hrm, tmp_path: Path) -> None:
    changes = [
        *SMALL,
        "model.block=post_norm",
        "model.embedding=tokens",
        "model.positions=rotary",
        "model.size.heads=2",
    ]
    file = tmp_path / "transformer.json"
    file.write_text(json.dumps(encode(override_run(preset("hrm-sudoku-4x4").make(), changes))))
    problem = "I need to add a new reasoning module to the H_layers and optimize the attention patterns"
    called = hrm("specialist", file, problem, "--no-train", "--n", 4, "--out", tmp_path / "told", "--json")
    held(tmp_path / "told", called.json)
    rules = {proposal["rule"]: proposal for proposal in called.json["proposals"]}
    assert rules["deeper_high_level"]["changes"] == ["high.layers=2"]
    assert "attend_by_relations" in rules and "all" in rules["attend_by_relations"]["compatibility"]
    assert "are new" in rules["deeper_high_level"]["compatibility"]
    assert all(proposal["verdict"] is None for proposal in called.json["proposals"])


def test_it_tells_people_what_it_found(hrm: Hrm, model: Path, tmp_path: Path) -> None:
    called = hrm("specialist", model, "too much memory", "--no-train", "--n", 4, "--out", tmp_path / "told")
    assert called.code == 0
    assert "compute activations again" in called.out and f"report: {tmp_path / 'told' / 'report.md'}" in called.out
    assert f"next: hrm specialist {model} 'too much memory' --seeds 10" in called.out
    again = hrm("specialist", model, "too much memory", "--out", tmp_path / "told")
    assert again.code == 2 and "holds another consultation" in again.err


def test_nothing_to_propose_is_said(hrm: Hrm, tmp_path: Path) -> None:
    file = tmp_path / "single.json"
    file.write_text(json.dumps(encode(override_run(preset("sudoku-4x4").make(), SMALL))))
    called = hrm("specialist", file, "attention", "--no-train", "--n", 4, "--out", tmp_path / "told")
    assert called.code == 0 and "no rule has anything to propose" in called.out


def test_a_change_of_ones_own_is_written_down_then_tried(hrm: Hrm, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    words = ("--because", "more rows", "--predict", "more right", "--out", folder)
    made = hrm("propose", model, "model.schedule.grad_window=4", *words)
    assert made.code == 0 and f"next: hrm verify {folder}" in made.out
    tried = hrm("verify", folder, "--seeds", 1, "--steps", 1, "--json").json
    assert tried["tried"] and tried["proposal"]["verdict"] == "inconclusive"  # one pair can show nothing
    kept = json.loads((folder / "proposal.json").read_text())
    kept["proposal"]["changes"] = ["model.schedule.grad_window=6"]
    (folder / "proposal.json").write_text(json.dumps(kept))
    assert "propose it anew" in hrm("verify", folder).err


def test_what_judges_is_refused_and_says_so_by_its_code(hrm: Hrm, model: Path, tmp_path: Path) -> None:
    called = hrm("propose", model, "training.seed=3", "--out", tmp_path / "mine")
    assert called.code == 1 and "no change may touch it" in called.out
    assert hrm("propose", model, "--out", tmp_path / "none").code == 2
    assert (
        "wanted one of exact" in hrm("propose", model, "training.clip=2", "--aim", "fame", "--out", tmp_path / "x").err
    )


def test_evidence_is_shown_mended_and_refused_when_it_was_changed(hrm: Hrm, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    hrm("propose", model, "training.clip=2.0", "--out", folder)
    shown = hrm("evidence", folder, "--json").json
    assert shown["intact"] and [record["tool"] for record in shown["evidence"]][:2] == ["judge", "predict"]
    assert hrm("evidence", folder, "--id", "e2", "--json").json["evidence"][0]["values"]["aim"] == "exact"
    assert "no evidence 'e99'" in hrm("evidence", folder, "--id", "e99").err
    file = folder / NAME
    file.write_text(file.read_text().replace('"aim": "exact"', '"aim": "fame"', 1))
    broken = hrm("evidence", folder)
    assert broken.code == 2 and "line 2 is damaged or was changed" in broken.err
    mended = hrm("evidence", folder, "--mend", "--json").json
    assert mended["mended"] == len(shown["evidence"]) - 1 and len(mended["evidence"]) == 1
    assert "wanted a folder that `hrm specialist` made" in hrm("evidence", tmp_path).err


def test_a_plug_in_of_ones_own_is_read_run_apart_and_held_to_its_hash(hrm: Hrm, model: Path, tmp_path: Path) -> None:
    try:
        available()
    except HrmLabError as error:
        pytest.skip(f"needs Linux with Landlock and seccomp: {error}")
    source = (Path(__file__).parents[1] / "specialist" / "plugins" / "good.py.txt").read_text()
    file, bad = tmp_path / "gained.py", tmp_path / "bad.py"
    file.write_text(source)
    bad.write_text("import os\n" + source)
    words = ("propose", model, "model.block=gained", "--because", "a gain", "--predict", "more right", "--plugin")
    refused = hrm(*words, bad, "--out", tmp_path / "bad")
    assert refused.code == 1 and "import of os" in refused.out
    assert hrm(*words, tmp_path / "gone.py", "--out", tmp_path / "x").code != 0
    assert "decides nothing" in hrm(*words, file, "--aim", "parameters", "--out", tmp_path / "y").err
    called = hrm(*words, file, "--out", tmp_path / "mine")
    assert called.code == 0 and "are new" in called.out and "next: hrm verify" in called.out
    kept = tmp_path / "mine" / "proposal.json"
    kept.write_text(kept.read_text().replace("torch.ones(width)", "torch.zeros(width)"))
    assert "propose it anew" in hrm("verify", tmp_path / "mine", "--seeds", 1, "--steps", 1).err
