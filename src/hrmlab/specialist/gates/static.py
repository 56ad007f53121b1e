"""G0: the change is one change, and touches nothing that decides how it is judged; code is read before it runs."""

from hrmlab.results.specialist import Gate
from hrmlab.specialist.gates.base import Trial
from hrmlab.specialist.plugins.source import objections

PROTECTED = ("name", "task", "data", "training.seed", "training.steps", "training.seconds", "training.evaluate")
"""What is asked, of which puzzles, with which seeds and for how long: the judge's, never the candidate's."""
WHOLE = ("training", "model")
"""Given at once, they change whatever is in them."""
SEVERAL = 3
MOST = 6
"""Objections that are shown."""


def static(trial: Trial) -> Gate:
    """No protected setting changes, and few settings do; a plug-in defines parts and reaches for nothing else."""
    changed = trial.touched
    touched = [key for key in changed if key.startswith(PROTECTED) or key in WHOLE]
    wrong = objections(trial.proposal.source) if trial.proposal.source else []
    record = trial.ledger.append("static", {"proposal": trial.proposal.id}, {"settings": changed, "objections": wrong})
    if wrong:
        return trial.gate("static", False, f"Its code: `{'; '.join(wrong[:MOST]).replace('`', '')}`.", record.id)
    if touched:
        words = f"`{', '.join(touched)}` decides how a change is judged; no change may touch it."
        return trial.gate("static", False, words, record.id)
    if not changed:
        return trial.gate("static", False, "Nothing changes.", record.id)
    if len(changed) > SEVERAL:
        return trial.gate("static", False, f"It changes `{', '.join(changed)}`: more than one thing.", record.id)
    return trial.gate("static", True, f"It changes `{', '.join(changed)}`, and nothing that judges it.", record.id)
