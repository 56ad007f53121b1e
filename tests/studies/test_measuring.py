"""How trained models are measured, from overrides."""

import pytest

from hrmlab.config import decode, encode
from hrmlab.errors import ConfigError
from hrmlab.halting import Fixed
from hrmlab.presets import preset
from hrmlab.studies.measuring import Measuring, Voting, measuring

BASE = preset("sudoku-4x4").make()


def test_a_policy_and_votes() -> None:
    deep = measuring(BASE, "deep", ("evaluation=fixed", "evaluation.max_segments=4"))
    assert deep == Measuring(halting=Fixed(max_segments=4), voting=Voting(attempts=1))
    pool = measuring(BASE, "pool", ("voting.attempts=8", "voting.vary=symmetry"))
    assert pool == Measuring(halting=BASE.evaluation, voting=Voting(attempts=8, vary="symmetry"))
    assert decode(Measuring, encode(pool)) == pool


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("voting.atempts=8", "did you mean 'attempts'"),
        ("voting.attempts=0", "wanted 1 or more"),
        ("voting.vary=luck", "vary"),
        ("training.batch_size=3", "'pool' changes the training"),
    ],
)
def test_what_cannot_be_measured_is_said(word: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        measuring(BASE, "pool", (word,))
