# %% [markdown]
"""A tour in cells: open it as a notebook (VS Code, PyCharm, `jupytext --to ipynb examples/tour.py`), or run it.

python examples/tour.py

A model that comes with the package is asked a puzzle, watched while it thinks, looked into and disturbed; then another
one is changed and trained. Less than a minute on one CPU core.
"""

# %% A model: a schedule, parts and a size
import tempfile
from pathlib import Path

import torch

from hrmlab import api
from hrmlab.analysis.tracing import batch_of, hooks, sites, trace
from hrmlab.analysis.tracing.patches import replaced
from hrmlab.api.course import course_of
from hrmlab.api.puzzles import held_out
from hrmlab.api.targets import find_run

torch.set_num_threads(1)
run = find_run("hrm-sudoku-6x6")
model, task = run.load(torch.device("cpu")), run.config.task
print(model.schedule.describe())
print(f"{model.parameter_count():,} parameters, stops by: {run.config.evaluation}")

# %% A puzzle, as people type it, and its answer
puzzle = "6...4...........15.2...6..3.....65.."
(answer,) = api.solve("hrm-sudoku-6x6", [puzzle], quiet=True).results
print(f"{answer.output}, solved: {answer.solved}, {answer.segments} segments, {answer.confidence:.0%} sure")

# %% How it came to that: each segment is one pass through the schedule
tokens = task.fair(puzzle)
course = course_of(model, task, tokens, run.config.evaluation)
for segment in (0, 1, len(course["answers"]) - 1):
    broken, moved = len(course["broken"][segment]), course["residuals"]["high"][segment]
    print(f"after segment {segment + 1}: {broken} cells break a rule, the high state moved by {moved:.0%}")

# %% Every activation has an address: segment / counts of the levels / level and place
for site in sites(model)[:6]:
    print(f"  {site.name:<22} {site.shape}")
batch = batch_of(model, held_out(run.config, quiet=True)[0].part(slice(32)))
states = trace(model, batch, "h1/high.state", 8, reduce=None).stacked("h1/high.state")
steps = (states[1:] - states[:-1]).flatten(2).norm(dim=-1).mean(-1)
print("the high state settles:", " ".join(f"{step:.1f}" for step in steps))


# %% Which level does the work? Replace its state once, and see whether the puzzle is still solved
def solved() -> float:
    found = trace(model, batch, "logits", 12).logits[:, -1]
    return float((found.argmax(-1) == batch.labels).all(-1).float().mean())


print(f"undisturbed: {solved():.0%} solved after 12 segments")
for place in ("seg9/row4/low.state", "seg9/row5/high.state"):
    with hooks(model, forward=[(place, replaced("noise"))], segments=12):
        print(f"noise at {place}: {solved():.0%}")

# %% When to stop: the same weights under other rules
for rule in ("fixed,max_segments=4", "fixed,max_segments=16", "answer_stability,max_segments=16"):
    found = api.evaluate("hrm-sudoku-6x6", n=64, halting=rule, quiet=True)
    print(f"{rule:<32} {found.exact:.1%} exact, {found.mean_segments:.1f} segments a puzzle")

# %% Another model: what a change makes of it, before anything is trained
for change in ([], ["model.schedule=hrm"], ["model.schedule=hrm", "model.schedule.low_cycles=4"]):
    found = api.inspect("sudoku-4x4", change)
    words, size = " ".join(change) or "as it is", found.parameters["total"]
    print(f"{words}: {size:,} parameters, {len(found.schedule)} updates a segment")

# %% Train it for a few seconds
with tempfile.TemporaryDirectory() as folder:
    trained = api.train("sudoku-4x4", ["data.train=200"], seconds=15, out=Path(folder) / "run", quiet=True)
    print(f"{trained.steps} steps: {trained.exact:.0%} of the held-out puzzles solved")
