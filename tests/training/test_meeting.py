"""Processes agree on a round of their own, whatever an earlier one left in the store."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import torch.distributed as dist

from hrmlab.training.meeting import meet

pytestmark = pytest.mark.skipif(not dist.is_available(), reason="wants a torch with torch.distributed")
Met = tuple["dist.Store", bool]


def met(store: dist.Store, order: list[int], restarted: tuple[int, ...] = ()) -> list[Met]:
    """A round of so many processes, that come in this order."""
    with ThreadPoolExecutor(len(order)) as pool:
        coming: dict[int, Future[Met]] = {}
        for number in order:
            coming[number] = pool.submit(meet, store, number, len(order), number in restarted)
            time.sleep(0.05)
        return [coming[number].result(timeout=10) for number in sorted(coming)]


def share(round_of: list[Met]) -> None:
    """What one writes the others read."""
    round_of[0][0].set("address", "of the first")
    assert {found.get("address") for found, _ in round_of} == {b"of the first"}


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0]])
def test_a_later_round_sees_nothing_of_an_earlier_one(order: list[int]) -> None:
    store = dist.HashStore()
    first = met(store, [1, 2, 0])
    share(first)
    assert [again for _, again in first] == [False] * 3
    for _ in range(2):
        later = met(store, order)
        assert not any(found.check(["address"]) for found, _ in later)
        assert all(again for _, again in later)
        share(later)


def test_all_know_when_one_was_started_again() -> None:
    """The agent that kept the store may have died with its host: the new one counts from nothing."""
    assert all(again for _, again in met(dist.HashStore(), [0, 1, 2], restarted=(2,)))
    assert all(again for _, again in met(dist.HashStore(), [0, 1], restarted=(0,)))
