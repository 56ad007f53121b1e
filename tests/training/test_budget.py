"""How far a run has come, by steps or by a clock that we hold, and the rates that follow."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.training import budget as module
from hrmlab.training.budget import Budget
from hrmlab.training.config import TrainingConfig
from hrmlab.training.optimisers import AdamW


def budget(**fields: object) -> Budget:
    return Budget(TrainingConfig(optimiser=AdamW(), **fields))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    held = Clock()
    monkeypatch.setattr(module.time, "perf_counter", held)
    return held


@given(steps=st.integers(1, 1000), done=st.integers(0, 2000))
def test_progress_is_the_share_of_steps_and_never_beyond_one(steps: int, done: int):
    spent = budget(steps=steps)
    spent.restore(done, 0.0)
    assert spent.progress == pytest.approx(min(done / steps, 1.0))


def test_progress_is_whichever_of_steps_and_seconds_is_further_on():
    spent = budget(steps=10, seconds=100.0)
    spent.restore(3, 20.0)
    assert spent.progress == pytest.approx(0.3)
    spent.restore(3, 70.0)
    assert spent.progress == pytest.approx(0.7)


def test_the_clock_runs_between_go_and_pause_only(clock: Clock):
    spent = budget(seconds=100.0)
    clock.now += 50
    assert spent.seconds == 0
    spent.go()
    clock.now += 3
    assert spent.seconds == pytest.approx(3)
    spent.pause()
    clock.now += 50
    assert spent.seconds == pytest.approx(3)
    spent.go()
    clock.now += 4
    spent.pause()
    assert spent.seconds == pytest.approx(7) and spent.progress == pytest.approx(0.07)


def test_a_restored_budget_goes_on_from_what_was_spent(clock: Clock):
    spent = budget(seconds=100.0)
    spent.go()
    spent.restore(5, 40.0)
    clock.now += 10
    assert (spent.step, spent.seconds) == (5, 40.0)
    spent.go()
    clock.now += 10
    assert spent.seconds == pytest.approx(50)


@given(
    share=st.floats(0, 1),
    floor=st.floats(0, 1),
    decay=st.sampled_from(["constant", "linear", "cosine"]),
)
def test_rates_fall_from_the_peak_to_the_floor_along_their_course(share: float, floor: float, decay: str):
    spent = budget(seconds=1.0, decay=decay, min_lr_ratio=floor)
    spent.restore(0, share)
    course = {"constant": 1.0, "linear": 1 - share, "cosine": 0.5 * (1 + math.cos(math.pi * share))}[decay]
    assert spent.lr_factor() == pytest.approx(floor + (1 - floor) * course)


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_rates_end_at_the_floor(decay: str):
    spent = budget(steps=8, decay=decay, min_lr_ratio=0.25)
    spent.restore(8, 0.0)
    assert spent.lr_factor() == pytest.approx(0.25)


def test_warm_up_rises_linearly_to_the_peak_and_never_starts_at_zero():
    spent = budget(steps=100, warmup_steps=4, decay="constant")
    factors = []
    for step in range(6):
        spent.restore(step, 0.0)
        factors.append(spent.lr_factor())
    assert factors == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_the_decay_starts_where_the_warm_up_ends():
    spent = budget(steps=20, warmup_steps=10, decay="linear")
    factors = []
    for step in (0, 4, 9, 10, 15, 20):
        spent.restore(step, 0.0)
        factors.append(spent.lr_factor())
    assert factors == pytest.approx([0.1, 0.5, 1.0, 1.0, 0.5, 0.0])


def test_a_warm_up_as_long_as_the_run_never_decays():
    spent = budget(steps=10, warmup_steps=10, decay="cosine")
    spent.restore(9, 0.0)
    assert spent.lr_factor() == pytest.approx(1.0)
