"""What each gate stops, on changes and models with the fault planted."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hrmlab.api.differences import settings
from hrmlab.api.rules import spelled_out
from hrmlab.blocks.relational import RelationalBlock
from hrmlab.config import encode
from hrmlab.core.model import HRM
from hrmlab.errors import DataError, HrmLabError
from hrmlab.presets import preset
from hrmlab.results import Gate, Proposal
from hrmlab.specialist import evaluator
from hrmlab.specialist.citing import unfounded
from hrmlab.specialist.gates import Trial, passages, verdict
from hrmlab.specialist.gates.here import Here, within
from hrmlab.specialist.ledger import NAME, Ledger
from hrmlab.specialist.proposing import propose, verify
from hrmlab.training.overrides import override_run

SMALL = ("data.train=64", "data.test=32", "model.size.width=8", "training.batch_size=4", "training.engine=eager")


def trial(tmp_path: Path, *changes: str, aim: str = "exact") -> Trial:
    base = override_run(preset("hrm-sudoku-4x4").make(), SMALL)
    about: dict[str, Any] = dict.fromkeys(
        ("title", "rule", "prediction", "principle", "rationale", "explanation", "implications", "testing"), ""
    )
    proposal = Proposal(id="p1", changes=list(changes), aim=aim, better="higher", **about)
    changed = override_run(base, spelled_out(changes))
    touched = [row["key"] for row in settings(encode(base), encode(changed))]
    place = Here("hrm-sudoku-4x4", "p1", changes, base, changed, tmp_path, True)
    return Trial(proposal, base, touched, place, Ledger(tmp_path / NAME), 5, 2, 10_000, True)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("hrmlab.specialist.gates.cost"), "SECONDS", 0.0)


def gates(tmp_path: Path, *changes: str, **about: Any) -> dict[str, Gate]:
    at = trial(tmp_path, *changes, **about)
    found = list(passages(at, train=False))
    for gate in found:
        assert unfounded(gate.summary, at.ledger.records()) == []
        assert set(gate.evidence) <= {record.id for record in at.ledger.records()}
    return {gate.name: gate for gate in found}


def test_a_good_change_comes_to_training(tmp_path: Path) -> None:
    found = gates(tmp_path, "model.schedule.grad_window=4")
    assert list(found) == ["static", "build", "numerics", "cost", "gradient flow"]
    assert all(gate.passed for gate in found.values())
    assert "Backward compatible" in found["build"].summary
    assert verdict(list(found.values())) == (None, "it was not trained")


@pytest.mark.parametrize(
    "change",
    [
        "training.seed=7",
        "data.seed=3",
        "data.train=9",
        "task.givens=12",
        "training.evaluate_puzzles=1",
        "training.steps=9",
    ],
)
def test_what_judges_may_not_be_changed(tmp_path: Path, change: str) -> None:
    found = gates(tmp_path, "model.schedule.grad_window=4", change)
    assert list(found) == ["static"] and found["static"].passed is False
    assert "no change may touch it" in found["static"].summary
    assert verdict(list(found.values()))[0] == "reject"


def test_a_change_cannot_ask_to_be_judged_deeper() -> None:
    assert within(["evaluation.max_segments=64"], 4)[-1] == "evaluation.max_segments=4"


@pytest.mark.parametrize("field", ["id", "changes", "target", "aim", "better", "prediction"])
def test_a_proposal_that_was_changed_after_it_was_written_down_is_not_tried(tmp_path: Path, field: str) -> None:
    changed = {"id": "p2", "changes": ["model.size.width=16"], "aim": "parameters", "better": "lower"}
    asked = {"because": "the gradient is short", "predict": "more right"}
    propose("hrm-sudoku-4x4", ["model.schedule.grad_window=4"], **asked, out=tmp_path / "p", quiet=True)
    kept = json.loads((tmp_path / "p" / "proposal.json").read_text())
    (kept if field == "target" else kept["proposal"])[field] = changed.get(field, "trm-sudoku-4x4")
    (tmp_path / "p" / "proposal.json").write_text(json.dumps(kept))
    with pytest.raises(DataError, match="not what was written down"):
        verify(tmp_path / "p", seeds=1, steps=1, quiet=True)


def test_more_than_one_thing_at_a_time_is_stopped(tmp_path: Path) -> None:
    many = ("model.schedule.grad_window=4", "model.size.expansion=2", "halting.exploration=0.3", "training.clip=2")
    found = gates(tmp_path, *many)
    assert found["static"].passed is False and "more than one thing" in found["static"].summary
    assert gates(tmp_path / "b", "model.size.width=8")["static"].summary == "Nothing changes."


def test_what_cannot_be_built_is_stopped_with_its_reason(tmp_path: Path) -> None:
    found = gates(tmp_path, "model.block=post_norm")  # no attention over states of cells x symbols
    assert list(found) == ["static", "build"] and found["build"].passed is False
    assert "symbol" in found["build"].summary


def test_weights_that_do_not_carry_over_are_told(tmp_path: Path) -> None:
    found = gates(tmp_path, "model.size.width=16")
    assert found["build"].passed and found["build"].summary.startswith("Breaking: ")
    assert "have another shape" in found["build"].summary


def test_a_cost_that_does_not_fall_is_stopped_where_it_is_the_aim(tmp_path: Path) -> None:
    found = gates(tmp_path, "model.size.width=16", aim="memory_training")
    assert found["cost"].passed is False and "does not lower `memory_training`" in found["cost"].summary
    kept = gates(tmp_path / "b", "training.recompute=true", aim="memory_training")
    assert kept["cost"].passed


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda x: x * float("nan"), "not finite"),
        (lambda x: x + torch.rand(()), "two equal runs differ"),
        (lambda x: x - x.mean(0, keepdim=True), "depends on its neighbours"),
        (lambda x: x + torch.arange(len(x)).view(-1, 1, 1, 1), "order of puzzles"),
        (lambda x: x.detach(), "no gradient reaches"),
        (lambda x: torch.ones_like(x) + 0 * x, "other puzzles get the same answers"),
    ],
)
def test_numerics_that_are_wrong_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Any, words: str
) -> None:
    original = RelationalBlock.forward

    def forward(self: RelationalBlock, x: Tensor, *rest: Any) -> Tensor:
        whole: Tensor = original(self, x, *rest)
        return fault(whole) if self.gate.weight.shape[0] > 40 else whole  # the changed model's blocks alone

    monkeypatch.setattr(RelationalBlock, "forward", forward)
    found = gates(tmp_path, "model.size.expansion=9")
    assert found["numerics"].passed is False and words in found["numerics"].summary.lower()
    assert "gradient flow" not in found


def test_puzzles_that_are_written_into_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = HRM.forward

    def forward(self: HRM, states: Any, batch: Any, **rest: Any) -> Any:
        found = original(self, states, batch, **rest)
        if any(len(weight) > 40 for weight in self.parameters() if weight.ndim == 2):  # the changed model alone
            batch.inputs[:, 0] = 1
        return found

    monkeypatch.setattr(HRM, "forward", forward)
    assert "written into" in gates(tmp_path, "model.size.expansion=9")["numerics"].summary


def test_gradient_that_vanishes_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = RelationalBlock.forward

    def forward(self: RelationalBlock, x: Tensor, *rest: Any) -> Tensor:
        whole: Tensor = original(self, x, *rest)
        if self.gate.weight.shape[0] <= 40:
            return whole
        return whole.detach() + 1e-12 * (whole - whole.detach())

    monkeypatch.setattr(RelationalBlock, "forward", forward)
    found = gates(tmp_path, "model.size.expansion=9")
    assert found["gradient flow"].passed is False and "vanishes or explodes" in found["gradient flow"].summary


def test_the_verdict_is_the_gates() -> None:
    def named(*states: tuple[str, bool | None]) -> list[Gate]:
        return [Gate(name, passed, "") for name, passed in states]

    good = [("static", True), ("build", True), ("cost", True)]
    assert verdict(named(*good, ("training", True), ("confirmation", True)))[0] == "accept"
    assert verdict(named(*good, ("training", True), ("confirmation", None)))[0] == "inconclusive"
    assert verdict(named(*good, ("training", True), ("confirmation", False)))[0] == "reject"
    assert verdict(named(*good, ("training", None)))[0] == "inconclusive"
    assert verdict(named(*good, ("training", False)))[0] == "reject"
    assert verdict([])[0] is None


def test_a_judge_that_was_changed_meanwhile_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = evaluator.fingerprint()
    evaluator.unchanged(before)
    for name in evaluator.JUDGES:
        monkeypatch.setattr(evaluator, "JUDGES", tuple(judge for judge in evaluator.JUDGES if judge != name))
        with pytest.raises(HrmLabError, match="no verdict of this consultation counts"):
            evaluator.unchanged(before)
        monkeypatch.undo()


def test_sealed_seeds_follow_from_evidence_and_are_far_from_all_others() -> None:
    seeds = {evaluator.sealed_seed(digest, proposal) for digest in "abc" for proposal in ("p1", "p2")}
    assert len(seeds) == 6 and min(seeds) >= 10_000
    assert evaluator.sealed_seed("a", "p1") == evaluator.sealed_seed("a", "p1")
