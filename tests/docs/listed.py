"""What blocks cannot do here, each with its reason, and how long commands are made short. The only such table.

A command that is listed is still read: its words go through the parser of whoever takes them, names of presets, keys,
rules, studies, scripts and extras are looked up (`checked.py`). Everything else is run.
"""

from argparse import Namespace

WHY = {
    "make": "installs, or takes minutes: the target is looked up in the Makefile",
    "tools/setup.py": "installs: the extras are looked up in the lock",
    "pip": "wants a package index: the extras are looked up in pyproject.toml",
    "pytest": "the suite itself: the folders are looked up",
    "benchmarks": "hours, or a GPU: the script and its options are looked up",
    "torchrun": "many devices or hosts: tests/e2e/test_torchrun.py runs it; its words are parsed, as is what it starts",
    "slurm": "a cluster's own commands",
    "hosts": "programs of others, with an account",
    "serve": "listens until it is ended: test_serving.py runs it and asks it what the page asks",
    "mcp": "listens until it is ended: tests/specialist/test_server.py speaks to it",
    "demo": "ten minutes: tests/e2e/test_contract.py runs it small",
    "bench": "half a minute: tests/e2e/test_bench.py does it; the target and its overrides are resolved",
    "compiled": "compiles for a minute: tests/e2e/test_engine_option.py does it; target and overrides are resolved",
    "again": "takes seconds, and another of its kind is run",
    "ablate": "many runs: tests/e2e/test_ablate.py does it; the study and its overrides are resolved",
    "tune": "many runs: tests/studies/tuning does it; the target and its overrides are resolved",
    "verify": "many runs: tests/e2e/test_specialist.py does it",
    "language model": "an account with a provider: tests/specialist/agent speaks to servers on the loopback",
    "hub": "a network: the words are parsed",
    "published size": "a GPU and hours: the model as typed is counted, and a small one is trained",
    "watch": "goes on until another run has ended",
}

SMALL = (
    "model.size.width=16",
    "model.size.layers=1",
    "model.size.heads=2",
    "model.puzzle.width=16",
    "model.puzzle.slots=1",
    "model.schedule.high_cycles=1",
    "model.schedule.low_cycles=1",
    "halting.max_segments=2",
)
"""What a model of a published size is made small by."""

SHORT: dict[str, tuple[str, ...]] = {
    "data build": ("--train", "40", "--test", "10"),
    "train": ("--steps", "2", "training.batch_size=4", "evaluation.max_segments=2"),
    "eval": ("--n", "2"),
    "halting": ("--n", "4", "--segments", "8"),
    "halting tune": ("--n", "4", "--segments", "8"),
    "diagnose": ("--preset", "economy", "--n", "4", "--segments", "2"),
    "report": ("--preset", "economy", "--n", "2", "--segments", "2"),
    "adapt": ("--steps", "2"),
    "specialist": ("--no-train", "--n", "2", "--proposals", "1"),
}
"""What is put behind the words of a verb that would take long; a later option wins."""

ONCE = ("specialist", "report", "propose")
"""Verbs that take seconds however short they are made: the first is run, the words of the others are read."""


def shortened(verb: str, options: Namespace) -> tuple[str, ...]:
    """What is put behind the words of this command."""
    more = SHORT.get(verb, ())
    if verb == "train" and options.resume:
        return ()
    if verb == "train":
        path = any(word.startswith("data.path=") for word in getattr(options, "key=value"))
        more += () if path else ("data.train=40", "data.test=8")
        more += SMALL if options.preset.startswith(("hrm-arc", "trm-", "hrm-sudoku-extreme", "hrm-maze")) else ()
    if verb == "data build" and options.task in ("arc", "table", "hrm-arc-1", "trm-arc-1"):
        return ("puzzles=8", "augmentations=1") if "arc" in options.task else ()
    if verb == "data build" and (options.csv or options.hub):
        return ()
    return more
