"""Voting on examples made by hand: ranks, ties, several tests, and refusals."""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.tasks import Arc
from hrmlab.tasks.arc.grids import place
from hrmlab.tasks.arc.source import Puzzle
from hrmlab.tasks.arc.variants import Variant
from hrmlab.tasks.arc.voting import Votes
from hrmlab.tasks.base import Examples


def grid(text: str) -> np.ndarray:
    return np.array([[int(c) for c in row] for row in text.split("/")], np.uint8)


QUESTION, RIGHT, WRONG, OTHER = grid("12/34"), grid("56"), grid("57"), grid("58")
VARIANTS = (Variant(), Variant(1, (0, 2, 1, 3, 4, 5, 6, 7, 8, 9)), Variant(7), Variant(6, (0, *range(9, 0, -1))))


def votes(*tests: tuple[np.ndarray, np.ndarray]) -> Votes:
    names = ["<blank>", *(variant.name("p") for variant in VARIANTS), *(variant.name("q") for variant in VARIANTS)]
    demonstration = ((QUESTION, RIGHT),)
    puzzles = {name: Puzzle(name, "", demonstration, tests or demonstration) for name in ("p", "q")}
    return Votes(names, puzzles)


def cast(
    ballot: Votes, identifier: int, answer: np.ndarray, sure: float = 0.5, question: np.ndarray = QUESTION
) -> None:
    """One answer to a variant, given as the grid that it stands for."""
    variant = VARIANTS[(identifier - 1) % len(VARIANTS)]
    inputs, labels = (place(variant.apply(g)[None]).astype(np.int32) for g in (question, answer))
    nothing = np.zeros(1, np.int64)
    ballot.add(Examples(inputs, labels, np.array([identifier], np.int32), nothing), labels, np.array([sure]))


def shares(ballot: Votes) -> list[float]:
    return list(ballot.passes().shares.values())


def test_the_answer_with_most_votes_wins() -> None:
    ballot = votes()
    for identifier, answer in ((1, WRONG), (2, RIGHT), (3, RIGHT), (4, OTHER)):
        cast(ballot, identifier, answer, sure=0.9 if answer is not RIGHT else 0.1)
    assert ballot.passes().puzzles == 1
    assert list(ballot.passes().shares) == ["1", "2", "5", "10", "100", "1000"]
    assert shares(ballot) == [1.0] * 6


def test_among_equal_votes_the_surest_wins_by_its_mean() -> None:
    ballot = votes()
    cast(ballot, 1, WRONG, 0.9)
    cast(ballot, 2, RIGHT, 0.8)
    assert shares(ballot) == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    cast(ballot, 3, WRONG, 0.1)  # 2 votes, mean 0.5
    cast(ballot, 4, RIGHT, 0.3)  # 2 votes, mean 0.55
    assert shares(ballot)[0] == 1.0


def test_more_votes_beat_more_certainty() -> None:
    ballot = votes()
    cast(ballot, 1, WRONG, 1.0)
    cast(ballot, 2, RIGHT, 0.0)
    cast(ballot, 3, RIGHT, 0.0)
    assert shares(ballot)[0] == 1.0


def test_among_equals_the_earlier_answer_wins() -> None:
    ballot = votes()
    cast(ballot, 1, WRONG)
    cast(ballot, 2, RIGHT)
    assert shares(ballot)[:2] == [0.0, 1.0]


def test_a_puzzle_counts_by_the_share_of_its_tests() -> None:
    second = grid("77/77")
    ballot = votes((QUESTION, RIGHT), (second, OTHER))
    cast(ballot, 1, RIGHT)
    cast(ballot, 1, WRONG, question=second)
    assert shares(ballot) == [0.5] * 6
    cast(ballot, 6, RIGHT)
    cast(ballot, 6, OTHER, question=second)
    assert ballot.passes().puzzles == 2 and shares(ballot) == [0.75] * 6


def test_a_test_without_answers_is_wrong_and_a_puzzle_without_is_not_counted() -> None:
    ballot = votes((QUESTION, RIGHT), (grid("77"), OTHER))
    assert ballot.passes().puzzles == 0 and shares(ballot) == [0.0] * 6
    cast(ballot, 1, RIGHT)
    assert ballot.passes().puzzles == 1 and shares(ballot) == [0.5] * 6


@given(st.integers(1, 12))
def test_pass_at_k_reaches_the_kth_candidate(place_of_right: int) -> None:
    ballot = votes()
    for rank in range(1, 13):
        answer = RIGHT if rank == place_of_right else np.full((1, rank), 9, np.uint8)
        for _ in range(13 - rank):
            cast(ballot, 1, answer)
    assert ballot.passes().shares == {str(k): float(place_of_right <= k) for k in (1, 2, 5, 10, 100, 1000)}


CASTS = [
    (1, WRONG, 0.9),
    (2, RIGHT, 0.4),
    (3, RIGHT, 0.1),
    (5, OTHER, 0.7),
    (4, WRONG, 0.2),
    (6, RIGHT, 0.7),
    (7, RIGHT, 0.9),
]


def counted(casts: list[tuple[int, np.ndarray, float]]) -> Votes:
    """What one process counts."""
    ballot = votes()
    for identifier, answer, sure in casts:
        cast(ballot, identifier, answer, sure)
    return ballot


def test_processes_that_share_the_examples_count_what_one_does() -> None:
    """Each of three has a part, one of them none; a fourth joins what they hand over."""
    parts = [CASTS[:3], [], CASTS[3:]]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        joined = votes()
        for part in pool.map(counted, parts):
            joined.join(part)
    alone = counted(CASTS)
    assert joined.candidates == alone.candidates and joined.passes() == alone.passes()
    assert joined.passes().puzzles == 2 and 0 < shares(joined)[0] < 1 == shares(joined)[1]


def test_the_same_cells_in_another_shape_are_another_answer() -> None:
    ballot = votes((QUESTION, grid("5/6")))
    cast(ballot, 1, RIGHT)
    assert shares(ballot) == [0.0] * 6


def test_an_answer_without_a_grid_is_a_candidate_like_others() -> None:
    ballot = votes()
    inputs = place(QUESTION[None]).astype(np.int32)
    examples = Examples(inputs, inputs, np.array([1], np.int32), np.zeros(1, np.int64))
    ballot.add(examples, np.zeros((1, 900), np.int32), np.array([0.9]))
    cast(ballot, 1, RIGHT, 0.1)
    assert shares(ballot)[:2] == [0.0, 1.0]


def test_blank_identifiers_do_not_vote() -> None:
    ballot = votes()
    inputs = place(QUESTION[None]).astype(np.int32)
    ballot.add(Examples(inputs, inputs, np.zeros(1, np.int32), np.zeros(1, np.int64)), inputs, np.array([0.9]))
    assert ballot.passes().puzzles == 0


def test_a_question_of_no_puzzle_is_refused() -> None:
    with pytest.raises(DataError, match="shows a grid that is no test of p"):
        cast(votes(), 1, RIGHT, question=WRONG)
    ballot = Votes(["<blank>", "r"], {})
    with pytest.raises(DataError, match=r"puzzle r is asked, but is not in test_puzzles\.json"):
        cast(ballot, 1, RIGHT)


def test_files_beside_a_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"identifiers\.json"):
        Arc().ballot(tmp_path)
    (tmp_path / "identifiers.json").write_text(json.dumps(["<blank>", "p", "p|||t1|||0213456789"]))
    puzzle = Puzzle("p", "", ((QUESTION, RIGHT),), ((QUESTION, RIGHT),))
    (tmp_path / "test_puzzles.json").write_text(json.dumps({"p": puzzle.plain()}))
    ballot = Arc().ballot(tmp_path)
    assert isinstance(ballot, Votes)
    cast(ballot, 1, RIGHT)
    cast(ballot, 2, RIGHT)
    assert shares(ballot) == [1.0] * 6
    (tmp_path / "test_puzzles.json").write_text("[]")
    with pytest.raises(DataError, match="damaged"):
        Arc().ballot(tmp_path)
