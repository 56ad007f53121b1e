"""Two processes train as one would: the same puzzles, losses and weights; either goes on with the other's run."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from training.alike import assert_alike, by_two, states
from training.ranks_at_work import IDENTIFIERS, OPTIMISERS, learn, run_config, trainer

from hrmlab.errors import ConfigError
from hrmlab.training.checkpoint import checkpoints, restore, save_checkpoint
from hrmlab.training.ranks import ALONE, Ranks
from hrmlab.training.reducing import reduced

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="wants a torch with torch.distributed")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return by_two("ranks_at_work.py", tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def said(two: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((two / "said.json").read_text())
    return found


def test_what_they_tell_each_other(said: dict[str, Any]) -> None:
    assert said["together"] == {
        "all": [[0.0], [10.0], [11.0], [12.0]],
        "flags": [True, False],
        "sum": 1.0,
        "told": "rank 0",
        "pool": [0, 1],
        "dealt": [[[0, 10], [1, 1]], [[1, 11], [1, 1]]],
    }


def test_a_table_in_parts_gives_the_rows_of_the_whole_one(said: dict[str, Any]) -> None:
    found, table = said["lookups"], trainer(run_config()).model.puzzles
    assert table is not None and found["held"] == [6, 5] and sum(found["held"]) == IDENTIFIERS
    wanted = [table(torch.tensor([3, 3, 10, 0, number])).tolist() for number in (0, 1)]
    assert found["rows"] == wanted and found["few"] == wanted and found["few_rows"] == [3, 4]
    assert found["whole"] == table.rows.tolist()


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_a_table_in_parts_learns_what_the_whole_one_does(two: Path, tmp_path: Path, kind: str) -> None:
    learn(tmp_path, ALONE, f"training.puzzle_optimiser={kind}")
    for found, wanted in zip(states(two / kind), states(tmp_path), strict=True):
        assert_alike(found, wanted)


@pytest.mark.parametrize(
    ("name", "changes"),
    [("whole", ()), ("window", ("model.schedule.grad_window=6", "training.segments_per_step=2"))],
)
def test_every_slot_works_on_the_same_puzzle_to_the_same_end(
    two: Path, tmp_path: Path, name: str, changes: tuple[str, ...]
) -> None:
    learn(tmp_path, ALONE, *changes)
    for found, wanted in zip(states(two / name), states(tmp_path), strict=True):
        assert torch.equal(found["carry"]["batch"]["inputs"], wanted["carry"]["batch"]["inputs"])
        assert_alike(found, wanted)


def test_going_on_from_a_checkpoint_is_bit_for_bit_as_not_having_stopped(two: Path) -> None:
    assert_alike(states(two / "again")[0], states(two / "sign_sgd")[1], 0)


def test_one_process_goes_on_with_the_run_of_two(two: Path, tmp_path: Path) -> None:
    run = trainer(run_config())
    restore(run, checkpoints(two / "sign_sgd")[0])
    run.run(lambda run: True)
    save_checkpoint(run, tmp_path)
    assert_alike(states(tmp_path)[0], states(two / "sign_sgd")[1])


def test_shares_differ_by_one_at_most_and_leave_no_slot_out() -> None:
    for slots in range(1, 40):
        for count in range(1, slots + 1):
            shares = Ranks(0, count).shares(slots)
            assert sum(shares) == slots and max(shares) - min(shares) <= 1 and min(shares) >= 1
            parts = [Ranks(number, count).own(slots) for number in range(count)]
            assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]


def test_fewer_slots_than_processes_are_refused() -> None:
    with pytest.raises(ConfigError, match="batch_size=7 came for 8 processes"):
        trainer(run_config(), Ranks(0, 8))


def test_one_process_computes_as_ever() -> None:
    model = torch.nn.Linear(2, 1)
    assert reduced(model, ALONE)(lambda: torch.tensor(3.0)).item() == 3.0
    assert ALONE.pool(3) == [3] and ALONE.told("x") == "x" and ALONE.all(torch.ones(2)).tolist() == [1, 1]
