"""The reference's names of weights, and ours."""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from hrmlab.errors import CheckpointError
from hrmlab.interop.arch import Arch

_LEAVES = {
    "embedding.tokens": "embed_tokens.embedding_weight",
    "embedding.positions": "embed_pos.embedding_weight",
    "embedding.answer.weight": "lm_head.weight",
    "halting_head.linear.weight": "q_head.weight",
    "halting_head.linear.bias": "q_head.bias",
    "puzzles.rows": "puzzle_emb.weights",
}
_INSIDE = {
    "attention.qkv": "self_attn.qkv_proj",
    "attention.out": "self_attn.o_proj",
    "across.gate_up": "mlp_t.gate_up_proj",
    "across.down": "mlp_t.down_proj",
    "within.gate_up": "mlp.gate_up_proj",
    "within.down": "mlp.down_proj",
    "mlp.gate_up": "mlp.gate_up_proj",
    "mlp.down": "mlp.down_proj",
}
_WRAPPERS = ("_orig_mod.", "module.", "model.", "inner.")
"""What stands before a name on disk: compilation, data parallelism, the loss head, the model."""


def places(ours: Iterable[str], arch: Arch) -> dict[str, str]:
    """By the reference's name below `inner.`, our name: of every saved tensor of a model.

    Our one tensor of initial states is two of theirs, written `initial[0]` and `initial[1]`.
    """
    found: dict[str, str] = {}
    for name in ours:
        if name == "initial":
            found |= {"H_init": "initial[0]", "L_init": "initial[1]"}
        elif name in _LEAVES:
            found[_LEAVES[name]] = name
        else:
            _, network, _, number, *inside = name.split(".")
            level = "L_level" if arch.family == "trm" or network == "low" else "H_level"
            found[f"{level}.layers.{number}.{_inside(inside)}"] = name
    return found


def block_places(ours: Iterable[str]) -> dict[str, str]:
    """The same for the tensors of a single block."""
    return {_inside(name.split(".")): name for name in ours}


def _inside(path: list[str]) -> str:
    return f"{_INSIDE['.'.join(path[:-1])]}.{path[-1]}"


def pick(module: nn.Module, ours: str) -> Tensor:
    """The tensor of that name, or a row of it for `name[row]`."""
    name, _, row = ours.partition("[")
    found: Any = reduce(getattr, name.split("."), module)
    tensor: Tensor = found[int(row.rstrip("]"))] if row else found
    return tensor


def to_ours(found: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors under our names, of those under bare reference names; the others keep their names, to be refused."""
    state, rows = {}, {}
    for theirs, tensor in found.items():
        ours = names.get(theirs, theirs)
        if ours.startswith("initial["):
            rows[ours] = tensor
        else:
            state[ours] = tensor
    if len(rows) == 2 and len({row.shape for row in rows.values()}) == 1:
        return state | {"initial": torch.stack([rows[name] for name in sorted(rows)])}
    return state | rows


def to_theirs(state: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors under bare reference names, of those under ours."""

    def one(ours: str) -> Tensor:
        name, _, row = ours.partition("[")
        return state[name][int(row.rstrip("]"))].clone() if row else state[name]

    return {theirs: one(ours) for theirs, ours in names.items()}


def bare(names: Iterable[str]) -> dict[str, str]:
    """By a name without what wraps it, the name on disk.

    Raises:
        CheckpointError: the same weight under two names.
    """
    found: dict[str, str] = {}
    for name in names:
        short = name
        while wrapper := next((w for w in _WRAPPERS if short.startswith(w)), None):
            short = short.removeprefix(wrapper)
        if short in found:
            raise CheckpointError(f"'{name}' and '{found[short]}' are the same weight under two names; keep one")
        found[short] = name
    return found
