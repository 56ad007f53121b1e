"""What a model is made of, and what can be made of it."""

from hrmlab.cli.arguments import Option, Positional, Verb
from hrmlab.cli.options import OVERRIDES, RUN

CHANGING = (
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
        "adapt",
        "a vector for a new puzzle from a few demonstrations, the network staying as it is",
        "changing:adapt",
        (RUN,),
        (
            Option("--examples", "the demonstrations: ARC JSON, or CSV with the columns input,output", str, "FILE"),
            Option("--test", "more examples, which are only measured on", str, "FILE"),
            Option("--seconds", "of fitting (10)", float, "S"),
            Option("--steps", "updates of the vector, in place of seconds", int, "N"),
            Option("--lr", "learning rate", float, "RATE", default=0.1),
            Option("--start", "where it begins", str, choices=("mean", "blank"), default="mean"),
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
)
