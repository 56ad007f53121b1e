"""What is wrong inside, and which change helps."""

from hrmlab.cli.arguments import Option, Positional, Verb
from hrmlab.cli.options import OVERRIDES, RUN, WHERE

EXPLAINING = (
    Verb(
        "diagnose",
        "what is wrong inside a model: the number, the threshold, what to do",
        "diagnosing:diagnose",
        (Positional("TARGET", "a run, a shipped model, a preset or a configuration file"), OVERRIDES),
        (
            Option("--preset", "how much to look at", str, choices=("economy", "standard", "full"), default="standard"),
            Option("--only", "this probe alone (repeatable; `hrm catalog probe`)", str, "PROBE", many=True),
            Option("--n", "held-out puzzles to look at", int, "N"),
            Option("--segments", "how deep to look", int, "N"),
            Option("--strict", "exit with 1 where something fails"),
            Option("--watch", "look again at every new checkpoint until the run is over"),
        ),
    ),
    Verb(
        "report",
        "one page to look at a model: verdicts, figures, its answers segment by segment",
        "reporting:report",
        (RUN,),
        (
            Option("--preset", "how much to look at", str, choices=("economy", "standard", "full"), default="standard"),
            Option("--n", "held-out puzzles to look at", int, "N"),
            Option("--segments", "how deep to look", int, "N"),
        ),
    ),
    Verb(
        "ablate",
        "which change makes a model better: runs over seeds, tables, figures, a verdict in words",
        "ablating:ablate",
        (
            Positional("STUDY", "a shipped study (`hrm catalog study`), a JSON file, or module:function"),
            Positional("KEY=VALUE", "changes of the configuration, in all arms", "many"),
        ),
        (
            Option("--quick", "the reduced form of a shipped study: minutes on one core"),
            Option("--jobs", "runs at a time, of one thread each (here 1, elsewhere all)", int, "N"),
            WHERE,
            Option("--seeds", "so many in place of the study's own, from --seed on", int, "N"),
            Option("--seconds", "training time of every run, in place of the study's budget", float, "S"),
            Option("--steps", "optimiser steps of every run, in place of the study's budget", int, "N"),
        ),
    ),
    Verb(
        "tune",
        "search for a better architecture and better hyper-parameters, and prove them on fresh seeds",
        "tuning:tune",
        (Positional("TASK", "the preset or configuration file to begin from"), OVERRIDES),
        (
            Option("--seconds", "training time of a trial, in place of the preset's budget", float, "S"),
            Option("--steps", "optimiser steps of a trial, in place of the preset's budget", int, "N"),
            Option("--trials", "to be trained in all, the preset among them", int, "N", default=30),
            Option("--jobs", "processes at a time, of one thread each", int, "N", default=1),
            WHERE,
            Option("--seeds", "pairs of runs that confirm the result; 5 are the fewest that can", int, "N", default=5),
            Option("--storage", "of the trials: a database's URL in place of a file in --out", str, "URL"),
            Option("--max-params", "the most trained numbers", int, "N"),
            Option("--max-flops", "the most operations of one segment of one puzzle", int, "N"),
            Option("--max-latency-ms", "the longest segment of one puzzle on this machine", float, "MS"),
            Option("--max-memory-mb", "the most memory in training", float, "MB"),
        ),
    ),
)
