"""Equal arms are hardly ever told apart; a planted gain is accepted, a planted loss rejected, noise left open."""

import numpy as np
import pytest

from hrmlab.specialist.gates.learning import decide, noise_of

SEEDS, TRIALS = 5, 400


def scores(
    rng: np.random.Generator, gain: float = 0.0, saved: float = 0.0, spread: float = 0.03
) -> dict[str, tuple[list[float], list[float]]]:
    """Two arms over seeds: what they share (puzzles, order), and what each run adds of its own."""
    shared = rng.normal(0.7, 0.05, SEEDS)
    exact = tuple((shared + rng.normal(shift, spread, SEEDS)).tolist() for shift in (0.0, gain))
    segments = tuple((8 + rng.normal(-shift, 0.3, SEEDS)).tolist() for shift in (0.0, saved))
    return {"exact": exact, "mean_segments": segments}  # type: ignore[dict-item]


def share(decision: str, aim: str = "exact", **planted: float) -> float:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(TRIALS):
        drawn = scores(rng, **planted)
        found.append(decide(aim, "higher", drawn, noise_of(drawn["exact"][0]))[0])
    return found.count(decision) / TRIALS


def test_equal_arms_are_accepted_in_at_most_one_of_twenty() -> None:
    assert share("accept") <= 0.05 and share("inconclusive") > 0.85


def test_a_planted_gain_is_accepted() -> None:
    assert share("accept", gain=0.2) > 0.9 and share("reject", gain=0.2) == 0


def test_a_planted_loss_is_rejected_whatever_the_change_is_for() -> None:
    assert share("reject", gain=-0.2) > 0.9 and share("accept", gain=-0.2) == 0
    assert share("reject", "memory_training", gain=-0.2) > 0.9
    assert share("accept", "mean_segments", gain=-0.2, saved=4.0) == 0


def test_a_saving_that_costs_no_accuracy_is_accepted() -> None:
    assert share("accept", "mean_segments", saved=3.0, spread=1e-4) == 1
    assert share("accept", "mean_segments", saved=0.0, spread=1e-4) <= 0.05
    assert share("reject", "mean_segments", saved=-3.0, spread=1e-4) == 1


def test_a_change_that_changes_no_answer_is_kept() -> None:
    same = [0.7, 0.8, 0.75, 0.7, 0.6]
    decision, values = decide("memory_training", "lower", {"exact": (same, same), "mean_segments": (same, same)}, 0.05)
    assert decision == "accept" and values["effect"] == 0 and values["p"] == pytest.approx(1 / 32)


@pytest.mark.parametrize("pairs", [0, 1, 4])
def test_too_few_pairs_show_nothing(pairs: int) -> None:
    arms = [0.1] * pairs, [0.9] * pairs
    for aim in ("exact", "memory_training"):
        decision, _ = decide(aim, "higher", {"exact": arms, "mean_segments": arms}, 0.0)
        assert decision == "inconclusive"


def test_where_nothing_was_learnt_nothing_is_kept() -> None:
    nothing: tuple[list[float], list[float]] = ([0.0] * 6, [0.0] * 6)
    arms = {"exact": nothing, "mean_segments": ([8.0] * 6, [4.0] * 6)}
    for aim in ("memory_training", "mean_segments"):
        decision, values = decide(aim, "lower", arms, 0.0)
        assert decision == "inconclusive" and "learnt nothing" in str(values["reason"])
