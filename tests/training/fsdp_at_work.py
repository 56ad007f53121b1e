"""What each process of `torchrun fsdp_at_work.py FOLDER` does, for test_fsdp.py; the first one writes what came.

FOLDER/one holds the checkpoints of one process alone.
"""

import gc
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from training.ranks_at_work import IDENTIFIERS, learn, run_config, trainer

from hrmlab.training.checkpoint import checkpoints, restore, save_checkpoint
from hrmlab.training.loop import Trainer
from hrmlab.training.parts import own, shared
from hrmlab.training.ranks import ALONE, Ranks, joined

SHARDED = "training.shard_weights=true"
RUNS: dict[str, tuple[str, ...]] = {
    "adamw": (),
    "adam_atan2": ("training.optimiser=adam_atan2", "training.clip=0.01", "training.engine=reference"),
    "muon": ("training.optimiser=muon", "training.ema_buffers=false"),
    "window": ("model.schedule.grad_window=6", "training.segments_per_step=2", "training.recompute=true"),
    "table": ("training.shard_puzzles=true", "training.puzzle_optimiser=sparse_adam", "model.puzzle.rank=3",
              "training.ema=none", "model.initial=learned", "model.schedule.grad_window=6"),
    "neumann": ("model.schedule.neumann=2", "model.halting_head.readout=attention", "halting.target_every=3"),
    "skips": ("training.guard.action=skip", "training.guard.spike=1e-9", "training.guard.memory=2",
              "training.optimiser=adam_atan2", "training.optimiser.lr=0.01", "training.warmup_steps=0"),
}  # fmt: skip
LARGER = ("model.size.width=64", "model.size.heads=2")


def bytes_held(ranks: Ranks, *changes: str) -> dict[str, int]:
    """Bytes between two steps, by what they are for; "all" tensors that there are, whoever knows them."""
    gc.collect()
    before = _all_bytes()
    run = trainer(run_config(*LARGER, *changes), ranks)
    gradients: list[int] = []

    def count(*_: Any) -> None:
        gradients.append(sum(own(p.grad).nbytes for p in run.model.parameters() if p.grad is not None))

    run.optimisers[0].register_step_pre_hook(count)
    run.step()
    run.step()
    assert run.ema is not None
    moments = [own(t) for o in run.optimisers for of in o.state.values() for t in of.values() if t.ndim]
    gc.collect()
    return {
        "weights": sum(own(p).nbytes for p in run.model.parameters()),
        "gradients": gradients[-1],
        "optimiser": sum(t.nbytes for t in moments),
        "average": sum(own(p).nbytes for p in run.ema.model.parameters()),
        "all": _all_bytes() - before,
    }


def _all_bytes() -> int:
    there = [of for of in gc.get_objects() if issubclass(type(of), Tensor)]
    storages = {(s := own(t).untyped_storage()).data_ptr(): s.nbytes() for t in there if t.layout == torch.strided}
    return sum(storages.values())


def goes_on(ranks: Ranks, checkpoint: Path, folder: Path, *changes: str) -> Trainer:
    run = trainer(run_config(*changes), ranks)
    restore(run, checkpoint)
    run.run(lambda run: True)
    save_checkpoint(run, folder)
    return run


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    alone = bytes_held(ALONE)  # here, where no other test has left tensors
    with joined() as ranks:
        held = {name: ranks.pool(bytes_held(ranks, *how)) for name, how in {"sharded": (SHARDED,), "whole": ()}.items()}
        for name, changes in RUNS.items():
            learn(folder / name, ranks, SHARDED, *changes)
        first = checkpoints(folder / "adamw")[0]
        run = goes_on(ranks, first, folder / "again", SHARDED)
        goes_on(ranks, first, folder / "unsharded")
        goes_on(ranks, checkpoints(folder / "one")[0], folder / "from_one", SHARDED)
        plain = goes_on(ranks, checkpoints(folder / "table")[0], folder / "plain", SHARDED, *RUNS["table"])
        same = [a is b for a, b in zip(plain.evaluated_model.parameters(), plain.model.parameters(), strict=True)]
        lent = run.lent(np.arange(IDENTIFIERS, dtype=np.int32))
        if ranks.leads:
            torch.save(lent.state_dict(), folder / "lent.pt")
            parts = all(shared(p) for p in run.model.parameters())
            (folder / "said.json").write_text(json.dumps({"alone": alone, "held": held, "parts": parts, "same": same}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
