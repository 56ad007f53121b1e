"""The reference's model configuration, under its own keys and defaults, and what it means here."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from hrmlab.blocks import MLPMixer, PostNorm
from hrmlab.blocks.base import Size
from hrmlab.core.model import ModelConfig
from hrmlab.core.networks import NetworkConfig
from hrmlab.core.schedules import HRMSchedule, TRMSchedule
from hrmlab.embeddings import Learned, NoPositions, PositionsConfig, PuzzleConfig, Rotary, Tokens
from hrmlab.errors import ConfigError
from hrmlab.halting import Correctness, Fixed, HaltingConfig, QLearning
from hrmlab.layers import feed_forward_width
from hrmlab.losses import LossConfig, SoftmaxCrossEntropy, StablemaxCrossEntropy
from hrmlab.spec import TaskSpec

Family = Literal["hrm", "trm"]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
LOSSES: dict[str, LossConfig] = {
    "stablemax_cross_entropy": StablemaxCrossEntropy(float64=True),
    "softmax_cross_entropy": SoftmaxCrossEntropy(),
}

TRM_ONLY = ("mlp_t", "puzzle_emb_len", "no_ACT_continue")


class Arch(BaseModel):
    """Keys that HRM and TRM share. As in the reference, keys that it does not know are passed over."""

    family: Family = "hrm"
    batch_size: Count = 1
    seq_len: Count
    vocab_size: Count
    num_puzzle_identifiers: Count
    puzzle_emb_ndim: Annotated[int, Field(ge=0)] = 0

    H_cycles: Count
    L_cycles: Count
    H_layers: Annotated[int, Field(ge=0)]
    L_layers: Count

    hidden_size: Count
    expansion: Positive
    num_heads: Count
    pos_encodings: str
    rms_norm_eps: Positive = 1e-5
    rope_theta: Positive = 10000.0

    halt_max_steps: Count
    halt_exploration_prob: Share
    forward_dtype: Literal["bfloat16", "float16", "float32", "float64"] = "bfloat16"

    mlp_t: bool = False
    puzzle_emb_len: Annotated[int, Field(ge=0)] = 0
    no_ACT_continue: bool = False
    compat: Literal["sapient"] | None = "sapient"

    @property
    def slots(self) -> int:
        """Leading positions of the puzzle embedding."""
        puzzle = _puzzle(self)
        return puzzle.slots_at(self.hidden_size) if puzzle else 0


def model_config(arch: Arch) -> ModelConfig:
    """Schedule, parts and size of a reference model.

    Raises:
        ConfigError: an unknown kind of positions, or a width of nothing.
    """
    if feed_forward_width(arch.hidden_size, arch.expansion, 1) < 1:
        raise ConfigError(
            f"expansion={arch.expansion:g} of hidden_size={arch.hidden_size} leaves no feed-forward width"
        )
    unequal = arch.family == "hrm" and arch.H_layers != arch.L_layers
    schedule = HRMSchedule if arch.family == "hrm" else TRMSchedule
    return ModelConfig(
        schedule=schedule(high_cycles=arch.H_cycles, low_cycles=arch.L_cycles),
        block=MLPMixer(eps=arch.rms_norm_eps) if arch.mlp_t else PostNorm(eps=arch.rms_norm_eps),
        embedding=Tokens(),
        positions=_positions(arch),
        puzzle=_puzzle(arch),
        size=Size(
            width=arch.hidden_size,
            layers=arch.L_layers,
            heads=arch.num_heads,
            expansion=arch.expansion,
        ),
        networks={"high": NetworkConfig(layers=arch.H_layers)} if unequal else {},
    )


def task_spec(arch: Arch) -> TaskSpec:
    """The facts of the data that the reference keeps in its model configuration."""
    return TaskSpec(seq_len=arch.seq_len, vocab_size=arch.vocab_size, num_identifiers=arch.num_puzzle_identifiers)


def training_policy(arch: Arch) -> HaltingConfig:
    """Who halts in training. `compat: sapient` draws the exploration anew at every segment, as the reference does."""
    policy = Correctness if arch.no_ACT_continue else QLearning
    return policy(
        max_segments=arch.halt_max_steps,
        exploration=arch.halt_exploration_prob,
        redraw=arch.compat == "sapient",
    )


def evaluation_policy(arch: Arch) -> HaltingConfig:
    """In evaluation the reference runs every puzzle to the last segment."""
    return Fixed(max_segments=arch.halt_max_steps)


def problem(error: ValidationError) -> str:
    """The first problem that a configuration has, in one line."""
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    if first["type"] == "missing":
        return f"{where} is missing"
    return f"{where}={first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


def loss(name: str) -> LossConfig:
    """Raises ConfigError for a loss that the reference does not have."""
    if name not in LOSSES:
        raise ConfigError(f"loss_type {name!r} came; the reference has: {', '.join(LOSSES)}")
    return LOSSES[name]


def _positions(arch: Arch) -> PositionsConfig:
    kinds: dict[str, PositionsConfig] = {
        "rope": Rotary(theta=arch.rope_theta),
        "learned": Learned(),
        "none": NoPositions(),
    }
    if arch.pos_encodings not in kinds:
        raise ConfigError(f"pos_encodings {arch.pos_encodings!r} came; wanted one of: {', '.join(kinds)}")
    return kinds[arch.pos_encodings]


def _puzzle(arch: Arch) -> PuzzleConfig | None:
    if not arch.puzzle_emb_ndim:
        return None
    return PuzzleConfig(width=arch.puzzle_emb_ndim, slots=arch.puzzle_emb_len or None)
