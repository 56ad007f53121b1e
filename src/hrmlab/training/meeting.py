"""How the processes of a run find each other, when torchrun has begun with them again too."""

import json
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import torch.distributed as dist

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

GLANCE = 0.02
"""Seconds between two looks into the store."""


def meet(store: "Store", number: int, count: int, restarted: bool) -> tuple["Store", bool]:
    """Agree on a part of the store that none of an earlier round has written to.

    The agents of torchrun keep one store through all restarts (torch >= 2.5), so a process can read the address of one
    that died and connect to nobody; restarts are counted by each host for itself, so they cannot tell rounds apart
    (https://github.com/pytorch/pytorch/issues/135712). Here the first process names the round, the others answer
    with a word of their own, and the round holds once they have read that word back.

    Args:
        restarted: whether this process knows that it was started again.

    Returns:
        the part of the store for this round, and whether it is not the first one.
    """
    word = uuid4().hex
    if number == 0:
        store.set("round", word)
        words = [json.loads(store.get(f"{word}/{other}")) for other in range(1, count)]
        again = store.add("rounds", 1) > 1 or restarted or any(knows for _, knows in words)
        store.set(f"{word}/held", json.dumps([again, [said for said, _ in words]]))
        return _part(store, word), again
    answered = None
    while True:
        name = store.get("round").decode()
        if name != answered:
            store.set(f"{name}/{number}", json.dumps([word, restarted]))
            answered = name
        if store.check([f"{name}/held"]):
            again, words = json.loads(store.get(f"{name}/held"))
            if len(words) >= number and words[number - 1] == word:
                return _part(store, name), again
        time.sleep(GLANCE)


def _part(store: "Store", name: str) -> "Store":
    return dist.PrefixStore(name, store)  # type: ignore[attr-defined]  # not in a torch without torch.distributed
