"""Inside the sandbox: register a plug-in's parts, then measure, train or answer as the job says.

What this process reports is its word alone. Scores are computed outside, from answers.
"""

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hrmlab.specialist.sandbox.trial import begun

SEEDS = 2**31
JOB, OUT, PLUGIN = "job.json", "out", "plugin.py"


def main(arguments: list[str]) -> int:
    """Confine, then do the one job of the scratch folder."""
    scratch, holds = begun(arguments)
    job = json.loads((scratch / JOB).read_text())
    from hrmlab.errors import HrmLabError

    try:
        found = JOBS[job["do"]](scratch, job)
    except HrmLabError as error:
        found = {"error": str(error)}
    (scratch / OUT / "result.json").write_text(json.dumps({"holds": holds, **found}))
    return 0


def measured(scratch: Path, job: dict[str, Any]) -> dict[str, Any]:
    """All measures of base and change."""
    from hrmlab.specialist.gates.here import MEASURES

    base, changed = _configurations(scratch, job)
    return {name: MEASURES[name](base, changed) for name in job["measures"]}


def trained(scratch: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Train one of both on the data that lies here; 0 steps: its first weights."""
    import torch

    from hrmlab.api.puzzles import both
    from hrmlab.api.training import trainer_of
    from hrmlab.core.weights import save_weights

    config = _chosen(scratch, job)
    steps = max(job["steps"], 1)
    data = replace(config.data, path=str(scratch / "data"))
    training = replace(config.training, steps=steps, seconds=None, seed=job["seed"] % SEEDS, engine="eager")
    config = replace(config, data=data, training=training)
    trainer = trainer_of(config, both(config, quiet=True), torch.device("cpu"))
    if job["steps"]:
        trainer.run(lambda at: True)
    save_weights(trainer.evaluated_model if job["steps"] else trainer.model, scratch / OUT / "weights.safetensors")
    return {}


def answered(scratch: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Answer puzzles whose labels are not here."""
    import numpy as np
    import torch

    from hrmlab.core.model import HRM
    from hrmlab.core.weights import load_weights
    from hrmlab.inference.solver import answer
    from hrmlab.tasks.base import IGNORE, Examples

    config = _chosen(scratch, job)
    torch.manual_seed(job["seed"] % SEEDS)
    model = HRM(config.model, config.task.spec()).eval()
    load_weights(model, scratch / "weights.safetensors")
    inputs, names = np.load(scratch / "inputs.npy"), np.load(scratch / "identifiers.npy")
    unknown = np.full_like(inputs, IGNORE)
    puzzles = Examples(inputs, unknown, names, np.zeros(len(inputs), dtype=np.int64))
    found = answer(model, puzzles, replace(config.evaluation, max_segments=job["segments"]), check=config.task.valid)
    np.save(scratch / OUT / "answers.npy", found.tokens.astype(np.int32))
    np.save(scratch / OUT / "segments.npy", found.segments.astype(np.int64))
    return {}


JOBS: dict[str, Callable[[Path, dict[str, Any]], dict[str, Any]]] = {
    "measure": measured,
    "train": trained,
    "answer": answered,
}


def _configurations(scratch: Path, job: dict[str, Any]) -> tuple[Any, Any]:
    from hrmlab.api.rules import spelled_out
    from hrmlab.config import decode
    from hrmlab.training.config import RunConfig
    from hrmlab.training.overrides import override_run

    base = decode(RunConfig, job["base"])
    if not job["plugged"]:
        return base, base
    _register(scratch / PLUGIN)
    return base, override_run(base, spelled_out(job["changes"]))


def _chosen(scratch: Path, job: dict[str, Any]) -> Any:
    return _configurations(scratch, job)[1]


def _register(file: Path) -> None:
    """Import the plug-in, which registers its parts.

    Raises:
        ConfigError: whatever goes wrong in it.
    """
    from hrmlab.errors import ConfigError

    spec = importlib.util.spec_from_file_location("plugin", file)
    if spec is None or spec.loader is None:
        raise ConfigError("the plug-in is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["plugin"] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"the plug-in cannot be imported: {type(error).__name__}: {error}") from None


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
