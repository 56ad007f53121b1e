"""Data sets."""

from hrmlab.cli.arguments import Option, Positional, Verb

DATA = (
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
)
