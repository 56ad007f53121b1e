"""The reference's configuration files as facts: keys, default values, and what this project makes of each key."""

from typing import Any

_PRETRAIN: dict[str, Any] = {
    "data_path": "data/arc-aug-1000",
    "global_batch_size": 768,
    "epochs": 100000,
    "eval_interval": 10000,
    "checkpoint_every_eval": True,
    "lr": 1e-4,
    "lr_min_ratio": 1.0,
    "lr_warmup_steps": 2000,
    "beta1": 0.9,
    "beta2": 0.95,
    "weight_decay": 0.1,
    "puzzle_emb_weight_decay": 0.1,
    "puzzle_emb_lr": 1e-2,
}
_ARCH: dict[str, Any] = {
    "loss": {"name": "losses@ACTLossHead", "loss_type": "stablemax_cross_entropy"},
    "halt_exploration_prob": 0.1,
    "halt_max_steps": 16,
    "hidden_size": 512,
    "num_heads": 8,
    "expansion": 4,
    "puzzle_emb_ndim": "${.hidden_size}",
    "pos_encodings": "rope",
}
PRETRAIN: dict[str, dict[str, Any]] = {
    "hrm": _PRETRAIN,
    "trm": {key: value for key, value in _PRETRAIN.items() if key != "data_path"}
    | {
        "data_paths": ["data/arc-aug-1000"],
        "data_paths_test": [],
        "evaluators": [{"name": "arc@ARC"}],
        "min_eval_interval": 0,
        "ema": False,
        "ema_rate": 0.999,
        "freeze_weights": False,
    },
}
ARCH: dict[str, dict[str, Any]] = {
    "hrm": _ARCH
    | {
        "name": "hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1",
        "H_cycles": 2,
        "L_cycles": 2,
        "H_layers": 4,
        "L_layers": 4,
    },
    "trm": _ARCH
    | {
        "name": "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
        "H_cycles": 3,
        "L_cycles": 6,
        "H_layers": 0,
        "L_layers": 2,
        "forward_dtype": "bfloat16",
        "mlp_t": False,
        "puzzle_emb_len": 16,
        "no_ACT_continue": True,
    },
}
GROUPS = {"hrm_v1": "hrm", "trm": "trm"}
"""Names of the `arch` files."""

OPTIONAL: dict[str, Any] = {
    "project_name": None,
    "run_name": None,
    "checkpoint_path": None,
    "load_checkpoint": None,
    "seed": 0,
    "eval_save_outputs": [],
}
ELSEWHERE = {
    "project_name": "runs are folders here; the tracker's project does not carry over",
    "checkpoint_path": "where a run is written is said with --out",
    "eval_save_outputs": "outputs of an evaluation are written with `hrm solve --jobs FILE --out FILE`",
    "eval_interval": "evaluations on the way are timed in seconds here (training.evaluate_every); set as checkpoints",
    "min_eval_interval": "evaluations on the way are timed in seconds here (training.evaluate_every)",
    "evaluators": "ARC data sets are voted on by `hrm eval RUN --data DIR` without being asked",
}
"""Keys that say nothing about the numbers, and where what they say stands here."""
INSIDE = {
    "batch_size",
    "seq_len",
    "vocab_size",
    "num_puzzle_identifiers",
    "causal",
    "rms_norm_eps",
    "rope_theta",
    "forward_dtype",
}
"""Keys of `arch` that have defaults in the code, or that the program fills in from the data set."""
