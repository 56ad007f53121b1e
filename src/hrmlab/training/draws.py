"""The generators that layers draw from, in checkpoints: torch's own, on the CPU and on a GPU, of every process."""

from typing import Any

import torch
from torch import Tensor

from hrmlab.training.loop import SEEDS, Trainer


def draws(trainer: Trainer) -> dict[str, Tensor]:
    """States of the first process's generators, `torch_rng` and `cuda_rng`; of several processes `torch_rngs` and
    `cuda_rngs` too, with a row for each."""
    found = {"torch_rng": torch.get_rng_state()}
    if trainer.device.type == "cuda":
        found["cuda_rng"] = torch.cuda.get_rng_state(trainer.device)
    if not trainer.ranks.several:
        return found
    rows = {name: trainer.ranks.all(state[None].to(trainer.device)).cpu() for name, state in found.items()}
    return {name: row[0] for name, row in rows.items()} | {f"{name}s": row for name, row in rows.items()}


def restore_draws(trainer: Trainer, state: dict[str, Any]) -> None:
    """Generators as they were; anew, from the run's seed and step, in a process that was not there."""
    ranks = trainer.ranks
    if not ranks.leads and len(state.get("torch_rngs", ())) != ranks.count:
        torch.manual_seed(trainer.config.training.seed + SEEDS * ranks.number + state["step"])
        return
    there = {
        name: state[name] if ranks.leads else state[f"{name}s"][ranks.number].clone()  # torch reads it from its storage
        for name in ("torch_rng", "cuda_rng")
        if name in state
    }
    torch.set_rng_state(there["torch_rng"])
    if "cuda_rng" in there and trainer.device.type == "cuda":
        torch.cuda.set_rng_state(there["cuda_rng"], trainer.device)
