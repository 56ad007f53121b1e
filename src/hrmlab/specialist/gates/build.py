"""G1: the model can be built, and which weights of the old one it takes."""

from hrmlab.api.differences import fitting, skeleton
from hrmlab.errors import ConfigError
from hrmlab.results.specialist import Evidence, Gate
from hrmlab.specialist.citing import cite
from hrmlab.specialist.gates.base import Trial


def build(trial: Trial) -> Gate:
    """Both models without numbers, and their tensors beside each other."""
    try:
        after = skeleton(trial.changed)
    except ConfigError as error:
        return trial.gate("build", False, f"`{error}`".replace("``", "`"))
    fit = fitting(skeleton(trial.base).state_dict(), after.state_dict())
    counts = {name: len(tensors) for name, tensors in fit.items()}
    record = trial.ledger.append("build", {"proposal": trial.proposal.id}, {**counts, "tensors": fit})
    return trial.gate("build", True, compatibility(record, counts), record.id)


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
