"""From the reference's configuration to a run of ours."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from hrmlab.errors import ConfigError
from hrmlab.interop.arch import Arch, evaluation_policy, loss, model_config, problem, training_policy
from hrmlab.interop.published import ELSEWHERE, OPTIONAL
from hrmlab.interop.sapient import HierarchicalReasoningModel_ACTV1Config
from hrmlab.interop.trm import TinyRecursiveReasoningModel_ACTV1Config
from hrmlab.interop.yaml_config import family_of
from hrmlab.reading import exists
from hrmlab.tasks import Arc, Maze, Sudoku, Task, dataset
from hrmlab.tasks.arc.source import TRAINED
from hrmlab.tasks.layout import load_metadata
from hrmlab.training.config import DataConfig, RunConfig, TrainingConfig
from hrmlab.training.optimisers import AdamAtan2Config

Compat = Literal["sapient"] | None
UNKNOWN = {"seq_len": 1, "vocab_size": 1, "num_puzzle_identifiers": 1}
"""Stand-ins for facts of the data, which no configuration of ours holds."""


def run_config(config: dict[str, Any], name: str, compat: Compat = None) -> tuple[RunConfig, list[str]]:
    """The run that a merged reference configuration describes, and notes on what was guessed or stands elsewhere.

    Args:
        config: as `yaml_config.read` gives it.
        compat: "sapient" repeats what the reference does where we think it wrong; see docs/compatibility.md.

    Raises:
        ConfigError: a value that cannot be translated, named.
    """
    shape = arch(config)
    notes: list[str] = []
    path = Path(_path(config))
    task, examples = _data(path, notes)
    steps = int(config["epochs"] * examples / config["global_batch_size"])
    if steps < 1:
        raise ConfigError(
            f"epochs={config['epochs']} of {examples:g} examples in batches of {config['global_batch_size']}: no step"
        )
    notes += [f"{key}: {why}" for key, why in ELSEWHERE.items() if _set(config, key)]
    if config.get("freeze_weights"):
        raise ConfigError("freeze_weights=True has no counterpart here: training changes every weight; leave it False")
    if config.get("load_checkpoint"):
        raise ConfigError("load_checkpoint has no counterpart here; type `hrm import CHECKPOINT` for its weights")
    ratio = float(config["lr_min_ratio"])
    if ratio == 1.0:
        notes.append("lr_min_ratio=1.0 means that the cosine never decays: a constant rate after the warm-up")
    policy = replace(training_policy(shape), redraw=compat == "sapient")  # type: ignore[call-arg]
    training = TrainingConfig(
        optimiser=AdamAtan2Config(
            lr=config["lr"], betas=(config["beta1"], config["beta2"]), weight_decay=config["weight_decay"]
        ),
        batch_size=config["global_batch_size"],
        steps=steps,
        seed=int(config["seed"] or 0),
        warmup_steps=config["lr_warmup_steps"],
        decay="constant" if ratio == 1.0 else "cosine",
        min_lr_ratio=ratio,
        clip=None,
        ema=config["ema_rate"] if config.get("ema") else None,
        ema_buffers=compat is None,
        puzzle_lr=config["puzzle_emb_lr"],
        puzzle_weight_decay=config["puzzle_emb_weight_decay"],
        checkpoint_every=_checkpoints(config, steps),
    )
    run = RunConfig(
        name=str(config["run_name"] or name),
        task=task,
        model=model_config(shape),
        training=training,
        data=DataConfig(path=str(path), train=max(int(examples), 1), test=1000, drop_busy=compat == "sapient"),
        loss=loss(config["arch"]["loss"]["loss_type"]),
        halting=policy,
        evaluation=evaluation_policy(shape),
    )
    return run, notes


def arch(config: dict[str, Any], **facts: int) -> Arch:
    """The model part of a merged configuration.

    Args:
        facts: seq_len, vocab_size and num_puzzle_identifiers, where they are known.

    Raises:
        ConfigError: a missing key or a value of the wrong type, named.
    """
    head = config["arch"]["loss"]["name"]
    if head != "losses@ACTLossHead":
        raise ConfigError(f"arch.loss.name {head!r} came; the loss head that can be translated is losses@ACTLossHead")
    kinds: dict[str, type[Arch]] = {
        "hrm": HierarchicalReasoningModel_ACTV1Config,
        "trm": TinyRecursiveReasoningModel_ACTV1Config,
    }
    values = UNKNOWN | {key: value for key, value in config["arch"].items() if key not in ("name", "loss")} | facts
    try:
        return kinds[family_of(config)](**values)
    except ValidationError as error:
        raise ConfigError(f"arch.{problem(error)}") from None


def _path(config: dict[str, Any]) -> str:
    if "data_paths" not in config:
        return str(config["data_path"])
    if config.get("data_paths_test"):
        raise ConfigError("data_paths_test has no counterpart here; the held-out puzzles stand in the data set's test/")
    if len(config["data_paths"]) != 1:
        raise ConfigError(f"data_paths names {len(config['data_paths'])} data sets; one can be translated")
    return str(config["data_paths"][0])


def _data(path: Path, notes: list[str]) -> tuple[Task, float]:
    """The task, and how many examples an epoch has: groups times the mean number of examples of a puzzle."""
    if exists(path / "train" / "dataset.json"):
        about = load_metadata(path / "train")
        return dataset.task_of(path), about.total_groups * about.mean_puzzle_examples
    name = path.name.lower()
    guesses: dict[str, tuple[Task, int]] = {
        "sudoku": (Sudoku(), 1000),
        "maze": (Maze(size=(30, 30), min_path=110), 1000),
        "arc2": (Arc(source="arcagi2"), TRAINED["arcagi2"]),
        "arc-2": (Arc(source="arcagi2"), TRAINED["arcagi2"]),
        "arc": (Arc(), TRAINED["arcagi"]),
    }
    for word, (task, examples) in guesses.items():
        if word in name:
            assumed = f"task '{task.kind}' by its name, and {examples:g} examples an epoch, assumed"
            notes.append(f"no data set at {path}: {assumed}")
            return task, float(examples)
    raise ConfigError(
        f"no data set at {path}, and its name does not say which task it holds; build it (`hrm data build`), or give "
        "its folder as data_path=DIR (HRM) or data_paths=[DIR] (TRM)"
    )


def _set(config: dict[str, Any], key: str) -> bool:
    value = config.get(key)
    return bool(value) and value != OPTIONAL.get(key)


def _checkpoints(config: dict[str, Any], steps: int) -> int | None:
    """Steps between checkpoints: one at each of the reference's evaluations."""
    if not config["checkpoint_every_eval"] or not config["eval_interval"]:
        return None
    return max(round(steps * float(config["eval_interval"]) / float(config["epochs"])), 1)
