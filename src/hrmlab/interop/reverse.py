"""From a run of ours back to the reference's configuration, where it can say the same."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from hrmlab.attention import SDPA
from hrmlab.blocks import MLPMixer, PostNorm
from hrmlab.core.model import ModelConfig
from hrmlab.core.networks import NetworkConfig
from hrmlab.core.schedules import HRMSchedule, TRMSchedule
from hrmlab.embeddings import Learned, NoPositions, Rotary, Tokens
from hrmlab.errors import ConfigError
from hrmlab.halting import QLearning
from hrmlab.interop.arch import Arch, model_config
from hrmlab.interop.published import ARCH
from hrmlab.interop.sapient import HierarchicalReasoningModel_ACTV1Config
from hrmlab.interop.trm import TinyRecursiveReasoningModel_ACTV1Config
from hrmlab.losses import StablemaxCrossEntropy
from hrmlab.spec import TaskSpec
from hrmlab.training.config import RunConfig
from hrmlab.training.optimisers import AdamAtan2Config, AdamW


def arch_of(run: RunConfig, spec: TaskSpec) -> Arch:
    """The reference's configuration of a model.

    Raises:
        ConfigError: the reference cannot build this model, and which part is beyond it.
    """
    model, size = run.model, run.model.size
    schedule, block, positions = model.schedule, model.block, model.positions
    if not isinstance(schedule, (HRMSchedule, TRMSchedule)) or schedule != type(schedule)(
        high_cycles=schedule.high_cycles, low_cycles=schedule.low_cycles
    ):
        raise ConfigError(f"the reference has no schedule '{schedule.kind}' like this one; it has hrm and trm")
    trm = isinstance(schedule, TRMSchedule)
    mixer = isinstance(block, MLPMixer)
    plain = isinstance(block, PostNorm) and isinstance(block.attention, SDPA)
    if not isinstance(block, (MLPMixer, PostNorm)) or not (plain or (mixer and trm)) or model.embedding != Tokens():
        raise ConfigError(
            f"the reference cannot build block '{block.kind}' with embedding '{model.embedding.kind}'; it has "
            "post_norm, in TRM mlp_mixer, and tokens"
        )
    if (model.injection, model.retention, model.initial) != (None, None, "random"):
        raise ConfigError("the reference adds what enters an update, keeps nothing, and starts from random states")
    if model.puzzle is not None and (model.puzzle.rank, model.puzzle.buckets) != (None, None):
        raise ConfigError("the reference keeps a whole vector for each puzzle; puzzle.rank and buckets are beyond it")
    if others := [name for name, network in model.networks.items() if network != NetworkConfig(layers=network.layers)]:
        raise ConfigError(f"the reference's networks differ in their layers alone; '{others[0]}' differs in more")
    kinds: dict[type, str] = {Rotary: "rope", Learned: "learned", NoPositions: "none"}
    if type(positions) not in kinds:
        raise ConfigError(f"the reference has no positions '{positions.kind}'; it has rotary, learned and none")
    values: dict[str, Any] = {
        "batch_size": run.training.batch_size,
        "seq_len": spec.seq_len,
        "vocab_size": spec.vocab_size,
        "num_puzzle_identifiers": spec.num_identifiers,
        "puzzle_emb_ndim": model.puzzle.width if model.puzzle else 0,
        "H_cycles": schedule.high_cycles,
        "L_cycles": schedule.low_cycles,
        "H_layers": 0 if trm else model.stack("high").size.layers,
        "L_layers": size.layers if trm else model.stack("low").size.layers,
        "hidden_size": size.width,
        "expansion": size.expansion,
        "num_heads": size.heads,
        "pos_encodings": kinds[type(positions)],
        "rms_norm_eps": block.eps,
        "rope_theta": positions.theta if isinstance(positions, Rotary) else 10000.0,
        "halt_max_steps": run.halting.max_segments,
        "halt_exploration_prob": getattr(run.halting, "exploration", 0.0),
    }
    found: Arch
    if trm:
        own: dict[str, Any] = {
            "mlp_t": mixer,
            "puzzle_emb_len": (model.puzzle.slots or 0) if model.puzzle else 0,
            "no_ACT_continue": not isinstance(run.halting, QLearning),
        }
        found = TinyRecursiveReasoningModel_ACTV1Config(**values, **own)
    else:
        found = HierarchicalReasoningModel_ACTV1Config(**values)
    if (theirs := _begun_as(model, model_config(found))) != model:
        raise ConfigError(f"the reference cannot build this model: {'; '.join(_differences(model, theirs, 'model'))}")
    return found


def _begun_as(ours: ModelConfig, theirs: ModelConfig) -> ModelConfig:
    """`theirs` with our initial values, which trained weights have replaced."""
    head = replace(theirs.halting_head, bias=ours.halting_head.bias)
    puzzle = replace(theirs.puzzle, init_std=ours.puzzle.init_std) if ours.puzzle and theirs.puzzle else theirs.puzzle
    return replace(theirs, halting_head=head, puzzle=puzzle)


def _differences(ours: Any, theirs: Any, path: str) -> list[str]:
    """Each setting that two configurations disagree on, with both values."""
    if is_dataclass(ours) and type(ours) is type(theirs):
        pairs = [(field.name, getattr(ours, field.name), getattr(theirs, field.name)) for field in fields(ours)]
        return [line for name, a, b in pairs if a != b for line in _differences(a, b, f"{path}.{name}")]
    return [f"{path}={ours!r}, there {theirs!r}"]


def all_config(run: RunConfig, arch: Arch) -> dict[str, Any]:
    """What the reference keeps beside its weights: the merged configuration, plain and nested."""
    training, optimiser = run.training, run.training.optimiser
    keys = ARCH[arch.family].keys() | {"rms_norm_eps", "rope_theta"}
    shape = {key: value for key, value in arch.model_dump().items() if key in keys}
    loss = "stablemax" if isinstance(run.loss, StablemaxCrossEntropy) else "softmax"
    adam = optimiser if isinstance(optimiser, (AdamAtan2Config, AdamW)) else AdamAtan2Config()
    path = run.data.path or f"data/{run.task.kind}"
    data = {"data_path": path} if arch.family == "hrm" else {"data_paths": [path]}
    trm = {"ema": training.ema is not None, "ema_rate": training.ema or 0.999} if arch.family == "trm" else {}
    return {
        "arch": shape
        | {
            "name": ARCH[arch.family]["name"],
            "loss": {"name": "losses@ACTLossHead", "loss_type": f"{loss}_cross_entropy"},
        },
        **data,
        "global_batch_size": training.batch_size,
        "epochs": max(round((training.steps or 1) * training.batch_size / max(run.data.train, 1)), 1),
        "lr": adam.lr,
        "lr_min_ratio": training.min_lr_ratio if training.decay == "cosine" else 1.0,
        "lr_warmup_steps": training.warmup_steps,
        "beta1": adam.betas[0],
        "beta2": adam.betas[1],
        "weight_decay": adam.weight_decay,
        "puzzle_emb_lr": training.puzzle_lr,
        "puzzle_emb_weight_decay": training.puzzle_weight_decay,
        "seed": training.seed,
        "run_name": run.name,
        **trm,
    }
