"""What to type first, and what this machine and package have."""

from hrmlab.cli.arguments import Option, Positional, Verb
from hrmlab.cli.options import SECONDS, STEPS

BEGINNING = (
    Verb(
        "demo",
        "the main job: make puzzles, train, evaluate, solve before your eyes",
        "working:demo",
        (),
        (Option("--preset", "what to train", str, "NAME", default="sudoku-9x9"), SECONDS, STEPS),
    ),
    Verb("doctor", "versions, devices and engines of this machine, and why not more", "looking:doctor"),
    Verb(
        "catalog",
        "every part, task, preset and model there is",
        "looking:catalog",
        (Positional("KIND", "only these, e.g. preset, block, halting", "optional"),),
    ),
    Verb(
        "completion",
        "the lines that have a shell complete verbs, options, presets, runs and keys",
        "looking:completion",
        (Positional("SHELL", 'bash, zsh or fish; e.g. eval "$(hrm completion bash)" in ~/.bashrc'),),
    ),
)
