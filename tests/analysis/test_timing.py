"""Times taken beside each other, on a clock of our own."""

import itertools

import pytest

from hrmlab.analysis import timing
from hrmlab.analysis.machine import Machine, disturbances
from hrmlab.analysis.timing import LEAST_ROUNDS, Timing, exponent, interleaved


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """[wall, processor] seconds that only the things measured move."""
    now = [0.0, 0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(timing.time, "process_time", lambda: now[1])
    return now


def test_medians_are_not_moved_by_one_bad_run() -> None:
    found = Timing((1.0, 1.1, 9.0, 1.2, 0.9), (1.0,) * 5)
    assert found.median == 1.1 and found.mad == pytest.approx(0.1)


def test_runs_take_turns_and_none_is_always_first(clock: list[float]) -> None:
    order: list[str] = []

    def run(name: str, seconds: float) -> None:
        order.append(name)
        clock[0] += seconds
        clock[1] += seconds / 2

    found = interleaved({"a": lambda: run("a", 1.0), "b": lambda: run("b", 2.0)}, 11.0)
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert found["b"].wall == (2.0,) * 4 and found["b"].busy == (1.0,) * 4


def test_however_short_the_time_there_are_a_few_rounds(clock: list[float]) -> None:
    assert len(interleaved({"a": lambda: None}, 0.0)["a"].wall) == LEAST_ROUNDS


def test_the_exponent_of_a_power_is_found() -> None:
    sizes = [1.0, 2.0, 4.0, 8.0]
    assert exponent(sizes, [3 * size**1.7 for size in sizes]) == pytest.approx(1.7)


CALM = Machine({512: 1e11}, 1e10, 2, own=0.99, spread=0.01, speed_up=1.9)


def test_a_calm_machine_gives_no_reason_to_doubt() -> None:
    assert disturbances(CALM, CALM) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"own": 0.5}, "50% of its 2 threads"),
        ({"spread": 0.3}, "varied by 30%"),
        ({"speed_up": 0.02}, "use --threads 1"),
        ({"flops": {512: 5e10}}, "the peak moved"),
    ],
)
def test_every_disturbance_is_named_whenever_it_comes(changes: dict[str, object], reason: str) -> None:
    from dataclasses import replace

    restless = replace(CALM, **changes)
    for pair in itertools.permutations((CALM, restless)):
        (why,) = disturbances(*pair)
        assert reason in why
