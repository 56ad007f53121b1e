"""HRM-Text, as `transformers` (5.9 or later) ships it under the name hrm_text: its weights in our schedule and parts.

A language model (arXiv 2605.20613): one segment, nothing carried, no halting. Positions look back only, and a prefix
looks at all of itself. Here it is `HRM` with schedule 'hrm_text', block 'pre_norm' and attention 'gated'.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from hrmlab.attention import Gated
from hrmlab.blocks import PreNorm, Size
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMTextSchedule
from hrmlab.core.weights import fill
from hrmlab.embeddings import Rotary, Tokens
from hrmlab.errors import CheckpointError, ConfigError, MissingExtraError
from hrmlab.spec import TaskSpec

FIXED = {
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
}
"""Settings that our parts have in this one form only."""
NETWORKS = {"high": "H_module", "low": "L_module"}
FUSED = {
    "attention.qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "attention.gate": ("self_attn.gate_proj",),
    "attention.out": ("self_attn.o_proj",),
    "mlp.gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "mlp.down": ("mlp.down_proj",),
}
"""Of a block, by our weight, those of theirs that it is made of, one above the other."""


class CausalLM(Protocol):
    """What is read of a `transformers.HrmTextForCausalLM`."""

    config: Any

    def state_dict(self) -> Mapping[str, Tensor]: ...


def model_config(config: Any) -> ModelConfig:
    """Schedule, parts and size of an `HrmTextConfig`.

    Raises:
        ConfigError: a setting that our parts do not have, named.
    """
    width, heads, rope = config.hidden_size, config.num_attention_heads, config.rope_parameters
    wanted = FIXED | {"head_dim": width // heads}
    for name, value in wanted.items():
        if (came := getattr(config, name)) != value:
            raise ConfigError(f"hrm_text: {name}={came!r} came; the parts here have {name}={value!r}")
    if rope.get("rope_type", "default") != "default":
        raise ConfigError(f"hrm_text: rope_type={rope['rope_type']!r} came; the parts here have 'default'")
    cycles, low_grad = config.H_cycles, tuple(config.L_bp_cycles)
    return ModelConfig(
        schedule=HRMTextSchedule(
            high_cycles=cycles,
            low_cycles=config.L_cycles,
            low_grad=tuple(min(count, config.L_cycles) for count in low_grad[:cycles]),
        ),
        block=PreNorm(attention=Gated(), eps=config.rms_norm_eps),
        embedding=Tokens(),
        positions=Rotary(theta=float(rope["rope_theta"])),
        size=Size(
            width=width,
            layers=config.num_layers_per_stack,
            heads=heads,
            expansion=1.5 * config.intermediate_size / width,
            round_to=1,
        ),
    )


def load(source: str | Path | CausalLM, length: int) -> HRM:
    """The model with its weights, in evaluation mode on the CPU.

    Args:
        source: a `transformers.HrmTextForCausalLM`, or the folder or Hub name of one.
        length: the longest text, in tokens.

    Raises:
        MissingExtraError: a name came and transformers is not installed.
        CheckpointError: nothing can be read there, or tensors do not fit.
        ConfigError: a setting that our parts do not have.
    """
    theirs = _pretrained(str(source)) if isinstance(source, (str, Path)) else source
    config = theirs.config
    spec = TaskSpec(seq_len=length, vocab_size=config.vocab_size, num_identifiers=1)
    model = HRM(model_config(config), spec)
    found = {name: tensor.detach().float().cpu() for name, tensor in theirs.state_dict().items()}
    fill(model, _to_ours(found, model, config), "hrm_text")
    return model.eval()


def logits(model: HRM, tokens: Tensor, prefix: Tensor | None = None) -> Tensor:
    """The next token's logits after each position, (B, N, V).

    Args:
        tokens: (B, N) ids, N at most the length that the model was loaded for.
        prefix: (B, N), 1 where a token belongs to the prefix, as `token_type_ids` of transformers; none if left out.

    Raises:
        ConfigError: a longer text.
    """
    rows, count = tokens.shape
    length = model.spec.seq_len
    if count > length:
        raise ConfigError(f"a text of {count} tokens came; the model was loaded for {length}: load(source, {count})")
    filled = torch.nn.functional.pad(tokens, (0, length - count))  # what comes later is not looked at
    batch = Batch(filled, torch.zeros_like(filled), filled.new_zeros(rows))
    mask = attention_mask(length, None if prefix is None else torch.nn.functional.pad(prefix, (0, length - count)))
    out: Tensor = model(model.empty_carry(batch).states, batch, mask=mask.to(tokens.device)).logits
    return out[:, :count]


def attention_mask(length: int, prefix: Tensor | None = None) -> Tensor:
    """True where a position (rows) may look: at itself and before, and from within the prefix at all of the prefix.

    Returns:
        Booleans, (1, 1, N, N), or (B, 1, N, N) with a prefix of shape (B, N).
    """
    mask = torch.ones(length, length, dtype=torch.bool).tril()[None, None]
    if prefix is None:
        return mask
    inside = prefix == 1
    return mask.to(prefix.device) | (inside[:, None, :, None] & inside[:, None, None, :])


def _pretrained(name: str) -> CausalLM:
    try:
        from transformers import AutoModelForCausalLM
    except ImportError:
        raise MissingExtraError(
            f"reading {name} needs transformers 5.9 or later: pip install 'hrm-lab[text]'"
        ) from None
    try:
        model: CausalLM = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
    except Exception as error:  # the client lets errors of several libraries through
        why = (str(error).splitlines() or [""])[0]
        raise CheckpointError(f"no hrm_text model can be read at {name} ({type(error).__name__}: {why})") from None
    if model.config.model_type != "hrm_text":
        raise CheckpointError(f"{name} is a model of type {model.config.model_type}; wanted hrm_text")
    return model


@dataclass(frozen=True)
class _Taken:
    """Takes tensors by name, and knows what is left."""

    found: dict[str, Tensor]

    def __call__(self, *names: str) -> Tensor:
        if lacking := [name for name in names if name not in self.found]:
            raise CheckpointError(f"hrm_text does not fit the model: {', '.join(lacking)} missing")
        return torch.cat([self.found.pop(name) for name in names])


def _to_ours(found: dict[str, Tensor], model: HRM, config: Any) -> dict[str, Tensor]:
    """Under our names; what has no place keeps its own, to be refused."""
    take = _Taken(dict(found))
    state = {name: tensor for name, tensor in model.state_dict().items() if name.startswith("halting_head.")}
    scale = config.embedding_scale / math.sqrt(config.hidden_size)  # our embedding multiplies by the root itself
    low = take("model.z_L_init")
    state["initial"] = torch.stack((torch.zeros_like(low), low))
    state["embedding.tokens"] = take("model.embed_tokens.weight") * scale
    state["embedding.answer.weight"] = take("lm_head.weight")
    for network, module in NETWORKS.items():
        for layer in range(config.num_layers_per_stack):
            for ours, parts in FUSED.items():
                place = f"model.{module}.layers.{layer}"
                tensor = take(*(f"{place}.{part}.weight" for part in parts))
                state[f"networks.{network}.blocks.{layer}.{ours}.weight"] = tensor
    return state | take.found
