"""What each process of `torchrun ranks_at_work.py FOLDER` does, for test_ranks.py; the first one writes what came."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hrmlab.core.model import HRM
from hrmlab.presets import preset
from hrmlab.tasks import Examples
from hrmlab.training.checkpoint import checkpoints, restore, save_checkpoint
from hrmlab.training.config import RunConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer
from hrmlab.training.overrides import override_run
from hrmlab.training.ranks import ALONE, Ranks, joined
from hrmlab.training.sharding import ShardedTable

PARTS = ("model.block=post_norm", "model.positions=rotary", "model.embedding=tokens", "model.size.width=8",
         "model.size.heads=1", "model.puzzle.width=8", "model.puzzle.init_std=0.5")  # fmt: skip
OPTIMISERS = ("sign_sgd", "adagrad_row", "sparse_adam")
IDENTIFIERS, SLOTS = 11, 7


def run_config(*changes: str) -> RunConfig:
    config = override_run(preset("hrm-sudoku-4x4").make(), [*PARTS, *changes])
    return replace(config, training=replace(config.training, steps=8, seconds=None, batch_size=SLOTS))


def trainer(config: RunConfig, ranks: Ranks = ALONE) -> Trainer:
    """Puzzles with few identifiers, so that slots of several processes work on the same one."""
    found = config.task.generate(24, 2, seed=0).train
    names = np.random.default_rng(0).integers(0, IDENTIFIERS, len(found)).astype(np.int32)
    examples = Examples(**vars(found) | {"identifiers": names})
    torch.manual_seed(0)
    spec = replace(config.task.spec(), num_identifiers=IDENTIFIERS)
    model = HRM(config.model, spec).double()  # rounding is what one and two processes differ by: make it small
    model.dtype = torch.float64
    return Trainer(config, model, Feeder(examples, 0), ranks)


def learn(folder: Path, ranks: Ranks, *changes: str) -> None:
    """Four steps, a checkpoint, four more and another."""
    run = trainer(run_config(*changes), ranks)
    run.run(lambda run: run.budget.step < 4 - ranks.several)  # several take one more, until all know of the wish
    save_checkpoint(run, folder)
    run.run(lambda run: True)
    save_checkpoint(run, folder)


def together(ranks: Ranks) -> dict[str, object]:
    """What processes tell each other, with shares of other sizes."""
    own = torch.arange(2 * ranks.number + 1, dtype=torch.bfloat16)[:, None] + 10 * ranks.number
    dealt, counts = ranks.deal(torch.arange(ranks.count) + 10 * ranks.number, [1] * ranks.count)
    return {
        "all": ranks.all(own).tolist(),
        "flags": ranks.all(torch.tensor([ranks.leads])).tolist(),
        "sum": ranks.sum(torch.tensor(float(ranks.number))).item(),
        "told": ranks.told(f"rank {ranks.number}"),
        "pool": ranks.pool(ranks.number),
        "dealt": ranks.pool((dealt.tolist(), counts)),
    }


def lookups(ranks: Ranks) -> dict[str, object]:
    """The rows that a sharded table gives, whole and in part."""
    run = trainer(run_config("training.shard_puzzles=true"), ranks)
    table = run.model.puzzles
    assert isinstance(table, ShardedTable)
    ids = torch.tensor([3, 3, 10, 0, ranks.number])
    found, few = table(ids), table.some(ids)
    whole = table.whole(table.rows)
    return {
        "held": ranks.pool(len(table.rows)),
        "rows": ranks.pool(found.tolist()),
        "few": ranks.pool(few(ids).tolist()),
        "few_rows": ranks.pool(len(few.rows)),
        "whole": whole.tolist(),
    }


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with joined() as ranks:
        said = {"together": together(ranks), "lookups": lookups(ranks)}
        for kind in OPTIMISERS:
            learn(folder / kind, ranks, "training.shard_puzzles=true", f"training.puzzle_optimiser={kind}")
        learn(folder / "whole", ranks)
        learn(folder / "window", ranks, "model.schedule.grad_window=6", "training.segments_per_step=2")
        run = trainer(run_config("training.shard_puzzles=true"), ranks)
        restore(run, checkpoints(folder / "sign_sgd")[0])
        run.run(lambda run: True)
        save_checkpoint(run, folder / "again")
        if ranks.leads:
            (folder / "said.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
