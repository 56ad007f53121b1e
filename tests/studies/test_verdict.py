"""Verdicts on arms whose difference is known, because it was put there."""

from collections import Counter

import numpy as np
import pytest

from hrmlab.errors import ConfigError, DataError
from hrmlab.studies.verdict import Question, judge

TRIALS = 200


def arms(gain: float, noise: float, seeds: int, trial: int) -> tuple[list[float], list[float]]:
    """Two arms that share what a seed brings, and differ by the gain and by noise of their own."""
    generator = np.random.default_rng(trial)
    shared, own = generator.normal(0.5, 0.1, size=seeds), generator.normal(0.0, noise, size=(2, seeds))
    return list(shared + own[0]), list(shared + gain + own[1])


def decisions(question: Question, gain: float, noise: float = 0.02, seeds: int = 8, trials: int = 40) -> Counter[str]:
    return Counter(judge(*arms(gain, noise, seeds, trial), question).decision for trial in range(trials))


@pytest.mark.parametrize(("predicted", "seeds", "most"), [("either", 8, 10), ("gain", 5, 10), ("gain", 8, 17)])
def test_arms_that_are_alike_are_seldom_told_apart(predicted: str, seeds: int, most: int) -> None:
    # "either" accepts 2.3% at most, "gain" 3.1% with five seeds and 4.7% with eight, whose 17 is a chance of one in 50.
    found = decisions(Question(predicted=predicted), gain=0.0, seeds=seeds, trials=TRIALS)  # type: ignore[arg-type]
    assert 0 < found["accept"] <= most
    assert 0 < found["reject"] <= most


def test_a_gain_is_accepted_and_a_loss_rejected() -> None:
    assert decisions(Question(), gain=0.1)["accept"] >= 38
    assert decisions(Question(), gain=-0.1)["reject"] >= 38
    assert decisions(Question(better="lower"), gain=-0.1)["accept"] >= 38


def test_noise_is_inconclusive() -> None:
    found = decisions(Question(smallest_effect=0.02), gain=0.01, noise=0.2, trials=TRIALS)
    assert found["inconclusive"] >= 0.9 * TRIALS


def test_a_gain_not_worth_having_is_rejected_and_one_that_may_be_is_open() -> None:
    little = decisions(Question(smallest_effect=0.1), gain=0.02, noise=0.01)
    assert little["reject"] >= 38
    assert judge([0.0] * 8, [0.08] * 4 + [0.11] * 4, Question(smallest_effect=0.1)).decision == "inconclusive"


def test_few_seeds_describe() -> None:
    found = judge([0.5] * 5, [0.9, 0.91, 0.92, 0.93, 0.94], Question())
    assert (found.decision, found.descriptive, found.p, found.least_p) == ("inconclusive", True, 0.0625, 0.0625)
    assert found.detectable is None
    assert found.reason == (
        "descriptive: a mean gain of +0.42 over 5 paired seeds; nothing can be shown at this level with fewer than 6"
    )
    predicted = judge([0.5] * 5, [0.9, 0.91, 0.92, 0.93, 0.94], Question(predicted="gain"))
    assert (predicted.decision, predicted.descriptive, predicted.p) == ("accept", False, 1 / 32)
    one = judge([0.5], [0.9], Question())
    assert (one.descriptive, one.interval, one.deviation, one.p) == (True, None, None, 1.0)


def test_a_gain_within_the_noise_of_equal_runs_is_not_accepted() -> None:
    base, candidate = [0.5] * 9, [0.51] * 9
    assert judge(base, candidate, Question(noise=0.01)).decision == "accept"  # clear of 2 x 0.01 / 3
    found = judge(base, candidate, Question(noise=0.02))
    assert found.decision == "inconclusive"
    assert "within the noise of equal runs (0.01333)" in found.reason


def test_the_numbers_by_hand() -> None:
    found = judge([1, 2, 3, 4, 5, 6], [2, 3, 5, 5, 7, 7], Question(better="lower"))
    assert found.effect == pytest.approx(-8 / 6)
    assert found.p == 2 / 64
    assert found.deviation == pytest.approx(np.std([1, 1, 2, 1, 2, 1], ddof=1))
    assert found.interval is not None and -2 <= found.interval[0] <= -8 / 6 <= found.interval[1] <= -1
    assert found.decision == "reject"
    assert found.improvement == pytest.approx(
        1 - np.mean([(x > y) + (x == y) / 2 for x in (2, 3, 5, 5, 7, 7) for y in range(1, 7)])
    )


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DataError, match="the same seeds"):
        judge([1, 2], [1], Question())
    with pytest.raises(DataError, match="record the cell as failed"):
        judge([1, float("nan")], [1, 2], Question())
    with pytest.raises(ConfigError, match=r"alpha=0\.7"):
        Question(alpha=0.7)
    with pytest.raises(ConfigError, match="smallest_effect=-1"):
        Question(smallest_effect=-1)
