"""The processes that train one model together: those of torch.distributed, started by torchrun."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from hrmlab.errors import ConfigError, HrmLabError
from hrmlab.training.meeting import meet

T = TypeVar("T")
PATIENCE = timedelta(hours=2)
"""How long a process waits for another: the first one alone writes checkpoints and may take a while."""


@dataclass(frozen=True)
class Ranks:
    """This process, `number` of `count`; the first, 0, writes and speaks for all.

    `again`: torchrun began with them again, after one had died or come.
    What is said here of tensors must be said by every process at the same point of its program.
    """

    number: int = 0
    count: int = 1
    again: bool = False

    @property
    def several(self) -> bool:
        return self.count > 1

    @property
    def leads(self) -> bool:
        return self.number == 0

    def own(self, slots: int, of: int | None = None) -> slice:
        """The slots of this process (or of number `of`), of so many in all; shares differ by one at most."""
        number = self.number if of is None else of
        return slice(number * slots // self.count, (number + 1) * slots // self.count)

    def shares(self, slots: int) -> list[int]:
        """How many slots each process has."""
        shares = (self.own(slots, number) for number in range(self.count))
        return [share.stop - share.start for share in shares]

    def all(self, rows: Tensor, shares: list[int] | None = None) -> Tensor:
        """The rows of every process, in their order: (own, ...) -> (all, ...).

        Args:
            shares: how many rows each has, where that is known; else they ask each other.
        """
        if not self.several:
            return rows
        if shares is None:
            shares = self.all(torch.tensor([len(rows)], device=rows.device), [1] * self.count).tolist()
        width = rows[:1].numel() if len(rows) else rows.new_empty(1, *rows.shape[1:]).numel()
        sent = rows.new_zeros(max(shares), width)
        sent[: len(rows)] = rows.reshape(len(rows), width)
        raw = sent.view(torch.uint8)  # of any type: backends differ in those that they know
        found = [torch.empty_like(raw) for _ in shares]
        dist.all_gather(found, raw)
        whole = torch.cat([part.view(rows.dtype)[:share] for part, share in zip(found, shares, strict=True)])
        return whole.reshape(sum(shares), *rows.shape[1:])

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum of the tensors of all processes."""
        if not self.several:
            return tensor
        total = tensor.detach().clone()
        dist.all_reduce(total)
        return total

    def deal(self, rows: Tensor, counts: list[int]) -> tuple[Tensor, list[int]]:
        """Send the first counts[0] rows to the first process, the next counts[1] to the second, and so on.

        Returns:
            the rows that came, those of the first process first, and how many came from each.
        """
        sent = torch.tensor(counts, device=rows.device)
        received = torch.empty_like(sent)
        dist.all_to_all_single(received, sent)
        came: list[int] = received.tolist()
        found = rows.new_empty(sum(came), *rows.shape[1:])
        dist.all_to_all_single(found, rows.contiguous(), came, counts)
        return found, came

    def told(self, value: T) -> T:
        """What the first process has; its own value where there is but one."""
        if not self.several:
            return value
        said: list[Any] = [value]
        dist.broadcast_object_list(said)
        found: T = said[0]
        return found

    def pool(self, value: T) -> list[T]:
        """What each process has, in their order."""
        if not self.several:
            return [value]
        found: list[Any] = [None] * self.count
        dist.all_gather_object(found, value)
        return found


ALONE = Ranks()


def launched() -> bool:
    """Whether torchrun started this process, be it the only one."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def speaks() -> bool:
    """Whether this process is the one whose results people see."""
    return not launched() or os.environ.get("RANK", "0") == "0"


def restarted() -> bool:
    """Whether torchrun started this process again, as far as its own host knows (`Ranks.again` knows of all)."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0


@contextmanager
def joined() -> Iterator[Ranks]:
    """Meet the other processes, over NCCL where there are GPUs and gloo elsewhere; alone unless torchrun started more.

    Raises:
        ConfigError: torch was built without torch.distributed, or there are more processes than GPUs on this host.
        HrmLabError: another process died meanwhile.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or not launched():
        yield Ranks(again=restarted())
        return
    if not dist.is_available():
        raise ConfigError("several processes came, and this torch has no torch.distributed; install another build")
    backend, place = "gloo", int(os.environ["LOCAL_RANK"])
    if torch.cuda.is_available():
        if place >= torch.cuda.device_count():
            raise ConfigError(
                f"process {place} came, and this host has {torch.cuda.device_count()} GPUs; wanted one for each: "
                f"torchrun --nproc-per-node {torch.cuda.device_count()}"
            )
        torch.cuda.set_device(place)
        backend = "cpu:gloo,cuda:nccl"
    from torch.distributed.rendezvous import rendezvous  # of those torches that have it

    store, number, count = next(iter(rendezvous("env://", timeout=PATIENCE)))
    round_of, again = meet(store, number, count, restarted())
    dist.init_process_group(backend, store=round_of, rank=number, world_size=count, timeout=PATIENCE)
    try:
        yield Ranks(number, count, again)
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):
            raise
        raise HrmLabError(
            "another process of this run is gone, and this one ends too; its own message says why (torchrun "
            "--max-restarts N begins again from the last checkpoint)"
        ) from None
    dist.destroy_process_group()  # not after an error: the others may not come to meet for it
