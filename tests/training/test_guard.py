"""A run that diverges is stopped, goes on without the step, or goes back, and says so."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hrmlab import api
from hrmlab.errors import ConfigError, HrmLabError
from hrmlab.training.checkpoint import checkpoints
from hrmlab.training.folder import RunFolder
from hrmlab.training.guard import Guard, GuardConfig
from hrmlab.training.loop import Trainer

SMALL = (
    "data.train=32", "data.test=8", "model.size.width=8", "training.batch_size=4", "training.checkpoint_every=4",
    "halting.max_segments=2", "evaluation.max_segments=2", "training.evaluate_puzzles=4",
)  # fmt: skip


@pytest.fixture
def spoiled(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], bool]], None]:
    """Has the steps whose number fits compute no number, as an overflow in the model would: states and all."""

    def spoil(fits: Callable[[int], bool]) -> None:
        real, taken = Trainer._segment, iter(range(10**6))

        def broken(self: Trainer, engine: Any, number: int, *, attached: bool = False) -> Any:
            step, goal = real(self, engine, number, attached=attached)
            if fits(next(taken)):
                nan = next(self.model.parameters()).sum() * float("nan")
                states = {name: state + nan.detach() for name, state in step.carry.states.items()}
                step = replace(step, carry=replace(step.carry, states=states))
                goal = replace(goal, total=goal.total + nan, terms=goal.terms | {"answer": goal.terms["answer"] + nan})
            return step, goal

        monkeypatch.setattr(Trainer, "_segment", broken)

    return spoil


def run(to: Path, *guard: str, steps: int = 14) -> list[dict[str, Any]]:
    """What its metrics say of divergence."""
    api.train("sudoku-4x4", [*SMALL, *guard], out=to, steps=steps, quiet=True, device="cpu")
    return events(to)


def events(of: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (of / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "diverged" in line]


def finite(run: Path) -> bool:
    state = torch.load(RunFolder(run).last_checkpoint() / "training.pt", weights_only=True)
    return all(bool(of.isfinite().all()) for of in [*state["model"].values(), *state["carry"]["states"].values()])


def test_a_step_is_left_out(tmp_path: Path, spoiled: Callable[..., None]) -> None:
    spoiled(lambda number: number in (5, 9))
    found = run(tmp_path / "r", "training.guard.action=skip")
    assert [(event["at"], event["action"]) for event in found] == [(6, "skip"), (10, "skip")]
    assert "the loss became nan" in found[0]["diverged"]
    assert finite(tmp_path / "r") and checkpoints(tmp_path / "r" / "checkpoints")[-1].name == "00000014"
    assert json.loads((tmp_path / "r" / "results.json").read_text())["n"] == 8


def test_too_many_in_succession_end_it(tmp_path: Path, spoiled: Callable[..., None]) -> None:
    spoiled(lambda number: number >= 5)
    with pytest.raises(HrmLabError, match="after 4 steps left out"):
        run(tmp_path / "r", "training.guard.action=skip", "training.guard.most=3")
    assert len(events(tmp_path / "r")) == 4 and finite(tmp_path / "r")


def test_it_goes_back_to_the_last_checkpoint_at_a_lower_rate(tmp_path: Path, spoiled: Callable[..., None]) -> None:
    spoiled(lambda number: number == 6)
    (event,) = run(tmp_path / "r", "training.guard.action=roll_back", "training.guard.rate=0.25")
    assert (event["at"], event["step"], event["rate"]) == (7, 4, 0.25)
    assert finite(tmp_path / "r") and RunFolder(tmp_path / "r").last_checkpoint().name == "00000014"
    state = torch.load(RunFolder(tmp_path / "r").last_checkpoint() / "training.pt", weights_only=True)
    assert state["rate"] == 0.25 and state["guard"]["rolled_back"] == 1


def test_what_diverges_again_and_again_ends(tmp_path: Path, spoiled: Callable[..., None]) -> None:
    spoiled(lambda number: number >= 6)
    with pytest.raises(HrmLabError, match="2 ways back"):
        run(tmp_path / "r", "training.guard.action=roll_back", "training.guard.most=2")
    assert [event.get("rate") for event in events(tmp_path / "r")] == [0.5, 0.25, None]


def test_without_a_checkpoint_there_is_no_way_back(tmp_path: Path, spoiled: Callable[..., None]) -> None:
    spoiled(lambda number: number == 1)
    with pytest.raises(HrmLabError, match="by step 2"):
        run(tmp_path / "r", "training.guard.action=roll_back")


def test_a_guard_that_nothing_alarms_changes_nothing(tmp_path: Path) -> None:
    assert run(tmp_path / "a", "training.guard.action=skip", "training.guard.spike=50") == []
    run(tmp_path / "b")
    one, other = (torch.load(RunFolder(tmp_path / name).last_checkpoint() / "training.pt", weights_only=True)["model"]
                  for name in "ab")  # fmt: skip
    assert all(torch.equal(one[name], other[name]) for name in one)


def judged(guard: Guard, loss: float, gradient: float = 1.0) -> bool:
    return guard.admits(torch.tensor(loss), [torch.tensor([gradient])])


def test_a_spike_is_far_above_the_losses_of_late() -> None:
    guard = Guard(GuardConfig(action="skip", spike=6, memory=20))
    losses = (1 + 0.1 * torch.randn(60, generator=torch.Generator().manual_seed(0))).tolist()
    assert all(judged(guard, loss) for loss in losses)
    assert not judged(guard, 3.0) and guard.why is not None and "deviations above" in guard.why
    assert judged(guard, 0.1), "what falls is no spike"
    assert not judged(guard, 1.0, float("inf")) and guard.why == "the gradient became inf"


def test_nothing_is_judged_by_too_few() -> None:
    guard = Guard(GuardConfig(spike=3, memory=20))
    assert all(judged(guard, loss) for loss in (1.0, 1.0, 9.0))


def test_its_memory_goes_on_where_it_was() -> None:
    first = Guard(GuardConfig(action="skip", spike=6, memory=5))
    for loss in (1.0, 1.1, 0.9, 1.05, 0.95, 1.0):
        judged(first, loss)
    second = Guard(first.config)
    second.restore(first.state())
    assert not judged(second, 2.0) and second.state() | {"skipped": 0} == first.state()


@pytest.mark.parametrize("wrong", ["spike=0", "spike=-1", "memory=1", "rate=0", "rate=1.5", "most=0"])
def test_what_cannot_be_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"training\.guard"):
        run(tmp_path / "r", f"training.guard.{wrong}")
