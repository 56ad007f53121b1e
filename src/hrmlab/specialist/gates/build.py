"""G1: the model can be built, and which weights of the old one it takes."""

from typing import Any

from hrmlab.api.differences import fitting, skeleton
from hrmlab.errors import ConfigError
from hrmlab.results.specialist import Evidence, Gate
from hrmlab.specialist.citing import cite
from hrmlab.specialist.gates.base import Trial
from hrmlab.training.config import RunConfig


def build(trial: Trial) -> Gate:
    """Both models without numbers, and their tensors beside each other."""
    try:
        values = trial.place.measure("build")
    except ConfigError as error:
        return trial.gate("build", False, f"`{str(error).replace('`', '')}`")
    counts = {name: len(tensors) for name, tensors in values["tensors"].items()}
    record = trial.ledger.append("build", {"proposal": trial.proposal.id}, values)
    return trial.gate("build", True, compatibility(record, counts), record.id)


def measured(base: RunConfig, changed: RunConfig) -> dict[str, Any]:
    """Tensors by name that are kept, missing, reshaped and dropped, and how many."""
    fit = fitting(skeleton(base).state_dict(), skeleton(changed).state_dict())
    return {**{name: len(tensors) for name, tensors in fit.items()}, "tensors": fit}


def compatibility(record: Evidence, counts: dict[str, int]) -> str:
    """Which weights carry over, in words."""
    kept = f"{cite(record, 'kept', 'd')} tensors carry over"
    broken = [
        f"{cite(record, name, 'd')} {words}"
        for name, words in (("missing", "are new"), ("reshaped", "have another shape"), ("dropped", "are dropped"))
        if counts[name]
    ]
    if not broken:
        return f"Backward compatible: all {kept}, by name and shape; old checkpoints load."
    return f"Breaking: {kept}, {', '.join(broken)}; `hrm transfer` moves what fits."
