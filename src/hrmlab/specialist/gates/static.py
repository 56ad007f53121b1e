"""G0: the change is one change, and touches nothing that decides how it is judged."""

from hrmlab.api.differences import settings
from hrmlab.config import encode
from hrmlab.results.specialist import Gate
from hrmlab.specialist.gates.base import Trial

PROTECTED = ("name", "task", "data", "training.seed", "training.steps", "training.seconds", "training.evaluate")
"""What is asked, of which puzzles, with which seeds and for how long: the judge's, never the candidate's."""
SEVERAL = 3


def static(trial: Trial) -> Gate:
    """No protected setting changes, and few settings do."""
    changed = [row["key"] for row in settings(encode(trial.base), encode(trial.changed))]
    touched = [key for key in changed if key.startswith(PROTECTED)]
    record = trial.ledger.append("static", {"proposal": trial.proposal.id}, {"settings": changed})
    if touched:
        words = f"`{', '.join(touched)}` decides how a change is judged; no change may touch it."
        return trial.gate("static", False, words, record.id)
    if not changed:
        return trial.gate("static", False, "Nothing changes.", record.id)
    if len(changed) > SEVERAL:
        return trial.gate("static", False, f"It changes `{', '.join(changed)}`: more than one thing.", record.id)
    return trial.gate("static", True, f"It changes `{', '.join(changed)}`, and nothing that judges it.", record.id)
