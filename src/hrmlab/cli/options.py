"""Arguments that several verbs take."""

from hrmlab.cli.arguments import Option, Positional

RUN = Positional("RUN", "a run folder, a checkpoint or weights file, or a model that comes with hrm-lab")
OVERRIDES = Positional("KEY=VALUE", "changes of the configuration, e.g. training.batch_size=64", "many")
SECONDS = Option("--seconds", "training time, in place of the preset's budget", float, "S")
STEPS = Option("--steps", "optimiser steps, in place of the preset's budget", int, "N")
HALTING = Option("--halting", "another policy: KIND or KIND,key=value,...", str, "RULE")
TRIES = (
    Option("--attempts", "tries at each puzzle", int, "K", default=1),
    Option("--vary", "what makes tries differ", str, choices=("start", "noise", "symmetry", "none"), default="start"),
    Option(
        "--select",
        "whose answer is taken",
        str,
        choices=("vote", "confidence", "first", "residual", "verifier"),
        default="vote",
    ),
    Option("--checkpoint", "another run of the same task that answers too (repeatable)", str, "RUN", many=True),
)
ENGINE = Option(
    "--engine",
    "what computes the segments; auto is eager unless compiling pays",
    str,
    choices=("auto", "reference", "eager", "compiled", "captured"),
    default="auto",
)
WHERE = Option(
    "--engine", "where runs compute: local, ray or slurm, with settings (slurm,gpus=1)", str, "PLACE", default="local"
)
N = Option("--n", "only the first N puzzles", int, "N")
DEPTH = Option("--segments", "how deep to record", int, "N")
LOSS = Option("--target-accuracy-loss", "what stopping may cost", str, "SHARE", default="0.5%")
COMPAT = Option("--compat", "repeat what the reference does where hrm-lab does otherwise", str, choices=("sapient",))
UNSANDBOXED = Option("--allow-unsandboxed", "run code of a proposal even where this system cannot confine it")
