"""Training, answering, when to stop, how fast."""

from hrmlab.cli.arguments import Option, Positional, Verb
from hrmlab.cli.options import DEPTH, ENGINE, HALTING, LOSS, OVERRIDES, RUN, SECONDS, STEPS, TRIES, N

RUNNING = (
    Verb(
        "train",
        "train a model and evaluate it",
        "working:train",
        (
            Positional("PRESET", "a preset (`hrm catalog preset`) or a configuration file", "optional"),
            OVERRIDES,
        ),
        (
            SECONDS,
            STEPS,
            Option("--resume", "go on with an interrupted run", str, "RUN"),
            Option("--watch", "probes to run now and then; a lost run ends", str, choices=("economy", "standard")),
            Option("--keep", "checkpoints to keep, the newest (2)", int, "N", default=2),
        ),
    ),
    Verb(
        "eval",
        "accuracy on held-out puzzles",
        "working:evaluate",
        (RUN,),
        (
            Option("--data", "a data set to take the held-out puzzles from", str, "DIR"),
            Option("--n", "only the first N puzzles", int, "N"),
            HALTING,
            ENGINE,
            *TRIES,
        ),
    ),
    Verb(
        "solve",
        "answer puzzles",
        "solving:solve",
        (RUN, Positional("PUZZLE", "puzzles as text; '-' reads them from standard input", "many")),
        (
            Option("--jobs", "a file with a puzzle a line; bad lines are reported, the others solved", str, "FILE"),
            Option("--show", "draw the board after each segment"),
            Option("--vector", "answer under a vector that `hrm adapt` fitted", str, "FILE"),
            HALTING,
            ENGINE,
            *TRIES,
        ),
    ),
    Verb(
        "serve",
        "watch models think on a local page, and answer puzzles over HTTP",
        "serving:serve",
        (Positional(RUN.name, f"{RUN.help}; sudoku-9x9 if left out", "optional"),),
        (
            Option(
                "--host", "the address to listen on; any but this machine's own wants a token", str, default="127.0.0.1"
            ),
            Option("--port", "0 takes a free one", int, "N", default=8000),
            Option("--token-file", "a file with the token that requests must bear (or HRM_TOKEN=...)", str, "FILE"),
            Option("--runs", "a folder whose runs the page shows (runs, if there is one)", str, "DIR"),
            Option("--processes", "that solve, each with the whole model", int, "N", default=1),
            Option("--slots", "puzzles at work at once in each of them", int, "N", default=256),
            Option("--queue", "puzzles that may wait for a slot; more are told to come later", int, "N", default=1024),
            Option("--batch", "puzzles in one request", int, "N", default=256),
            Option("--timeout", "seconds after which a puzzle is given up", float, "S", default=60.0),
            HALTING,
            ENGINE,
        ),
    ),
    Verb(
        "halting",
        "every halting rule on the same weights: accuracy against segments",
        "halting:compare",
        (RUN,),
        (N, DEPTH, LOSS, Option("--also", "compare this one too (repeatable)", str, "RULE", many=True)),
    ),
    Verb(
        "halting tune",
        "pick the cheapest rule that keeps the accuracy and write it into the run",
        "halting:tune",
        (RUN,),
        (N, DEPTH, LOSS, Option("--rule", "only this one, by its name in `hrm halting` or as text", str, "RULE")),
    ),
    Verb(
        "bench",
        "engines beside each other: speed, memory, share of what the machine can do",
        "measuring:bench",
        (Positional("TARGET", "a run, a model that comes with hrm-lab, a preset or a configuration file"), OVERRIDES),
        (
            Option("--engines", "only these, with commas between", str, "NAMES"),
            Option("--seconds", "to measure for, in each comparison", float, "S", default=20.0),
            Option("--against", "a file of an earlier measurement: exit code 1 if slower", str, "FILE"),
            Option("--explain", "what each engine does, and where the time goes"),
        ),
    ),
)
