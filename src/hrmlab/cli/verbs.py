"""The table of verbs: names, arguments and one line on each. A test pins it."""

from hrmlab.cli.arguments import Option, Positional, Verb
from hrmlab.cli.options import COMPAT, DEPTH, ENGINE, HALTING, LOSS, OVERRIDES, RUN, SECONDS, STEPS, TRIES, N

VERBS = (
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
        "data build",
        "generate puzzles or convert files into a data set",
        "data:build",
        (
            Positional("TASK", "a task (`hrm catalog task`), or a preset whose task is meant"),
            Positional("KEY=VALUE", "settings of the task, e.g. box_rows=2", "many"),
        ),
        (
            Option("--train", "training puzzles (1000; all where files are read)", int, "N"),
            Option("--test", "held-out puzzles (200; all where files are read)", int, "N"),
            Option("--csv", "a folder with train.csv and test.csv, or your own table", str, "PATH"),
            Option("--hub", "such a data set on the Hugging Face Hub, owner/name", str, "ID"),
            Option("--augmentations", "variants of each converted training puzzle", int, "N", default=0),
            Option("--symmetries", "each converted training maze in all its symmetries"),
            Option("--replace", "overwrite the data set at --out"),
        ),
    ),
    Verb(
        "data check",
        "every problem of a data set",
        "data:check",
        (Positional("DIR", "a data set, ours or the reference's"),),
    ),
    Verb(
        "data show",
        "draw puzzles of a data set",
        "data:show",
        (Positional("DIR", "a data set, ours or the reference's"),),
        (
            Option("--split", "which puzzles", str, choices=("train", "test"), default="train"),
            Option("--n", "how many", int, "N", default=3),
        ),
    ),
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
            HALTING,
            ENGINE,
            *TRIES,
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
    Verb(
        "parity",
        "does this machine compute what the reference computed?",
        "interchange:parity",
        (Positional("FILE", "golden vectors (.safetensors), or folders of them", "many"),),
        (
            Option("--compile", "through torch.compile; tolerances are wider"),
            Option("--dtype", "of the model", str, choices=("float32", "float64", "bfloat16"), default="float32"),
        ),
    ),
    Verb(
        "import",
        "a reference checkpoint as a run",
        "interchange:take",
        (
            Positional("PATH", "a folder with all_config.yaml, a weights file, or owner/name on the Hub"),
            Positional("KEY=VALUE", "the reference's keys, over those of its file", "many"),
        ),
        (Option("--data", "the data set that it was trained on", str, "DIR"), COMPAT),
    ),
    Verb(
        "import-config",
        "the reference's YAML as a configuration",
        "interchange:take_config",
        (
            Positional("FILE", "cfg_pretrain.yaml, all_config.yaml, or 'hrm' or 'trm' for the published defaults"),
            Positional("KEY=VALUE", "the reference's keys, as on its command line", "many"),
        ),
        (COMPAT,),
    ),
    Verb(
        "export",
        "a run for other programs",
        "interchange:give",
        (RUN,),
        (
            Option(
                "--format",
                "reference state dict, Hub folder with model card, or one ONNX segment",
                str,
                choices=("reference", "hub", "onnx"),
                default="reference",
            ),
        ),
    ),
    Verb(
        "inspect",
        "schedule, calls, parameters and warnings of a model",
        "looking:inspect",
        (Positional("TARGET", "a preset, a run or a configuration file"), OVERRIDES),
    ),
    Verb(
        "compare",
        "what differs between two models: settings, recurrence, weights, cost",
        "changing:compare",
        (
            Positional("A", "a run, a shipped model, a preset or a configuration file"),
            Positional("B", "another one"),
        ),
    ),
    Verb(
        "transfer",
        "the weights of a run, as far as they fit, in another model",
        "changing:transfer",
        (
            Positional("A", "a run, or a model that comes with hrm-lab"),
            Positional("B", "what to move them into: a preset, a run or a configuration file"),
            OVERRIDES,
        ),
    ),
    Verb(
        "new",
        "a block, attention, halting policy, embedding or task of your own: a working file and its test",
        "changing:new",
        (
            Positional("KIND", "block, attention, halting, embedding or task"),
            Positional("NAME", "of the part and its module, e.g. my_block"),
        ),
    ),
    Verb(
        "check",
        "does a part keep the rules that everything else relies on?",
        "changing:check",
        (Positional("NAME", "of the part (`hrm catalog`); one of your own wants --import MODULE"),),
        (
            Option(
                "--kind",
                "its family, where two have a part of that name",
                str,
                choices=("block", "attention", "halting", "embedding", "task"),
            ),
        ),
    ),
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
            Option("--jobs", "runs at a time, of one thread each", int, "N", default=1),
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
            Option("--seeds", "pairs of runs that confirm the result; 5 are the fewest that can", int, "N", default=5),
            Option("--storage", "of the trials: a database's URL in place of a file in --out", str, "URL"),
            Option("--max-params", "the most trained numbers", int, "N"),
            Option("--max-flops", "the most operations of one segment of one puzzle", int, "N"),
            Option("--max-latency-ms", "the longest segment of one puzzle on this machine", float, "MS"),
            Option("--max-memory-mb", "the most memory in training", float, "MB"),
        ),
    ),
)
