"""The specialist, for people and coding agents."""

from hrmlab.cli.arguments import Option, Positional, Verb
from hrmlab.cli.options import OVERRIDES, UNSANDBOXED

CONSULTING = (
    Verb(
        "specialist",
        "an expert on the architecture: looks, proposes, weighs, tries, proves or refutes; no language model needed",
        "consulting:specialist",
        (
            Positional("RUN", "a run, a shipped model, a preset or a configuration file"),
            Positional("PROBLEM", 'in words, e.g. "gradients do not reach the low level"'),
        ),
        (
            Option("--proposals", "the most to examine, one change each", int, "N", default=3),
            Option("--seeds", "pairs of training runs a proposal; fewer than 5 can show nothing", int, "N", default=5),
            Option("--steps", "optimiser steps of each run", int, "N", default=200),
            Option("--n", "held-out puzzles that probes look at", int, "N", default=32),
            Option("--no-train", "propose and weigh, and try nothing"),
            Option("--model", "a language model in the place of the rules, e.g. anthropic:NAME, ollama:NAME", str, "M"),
            Option("--url", "of a server that speaks OpenAI's chat completions", str, "URL"),
            Option("--budget", "of that model, e.g. requests=20,tokens=100000,usd=0.5,minutes=10", str, "LIMITS"),
            Option("--yes", "try what that model proposes without asking"),
            UNSANDBOXED,
        ),
    ),
    Verb(
        "specialist install",
        "the specialist and its tools in a coding agent, for the project at --out (here if left out)",
        "consulting:install",
        (Positional("HOST", "claude, codex, gemini, opencode or vscode; plugin: a marketplace for all projects"),),
    ),
    Verb(
        "propose",
        "a change of your own, its prediction on record; what can be said without training it",
        "consulting:propose",
        (Positional("TARGET", "a run, a shipped model, a preset or a configuration file"), OVERRIDES),
        (
            Option("--plugin", "a Python file with parts that the changes use; run in a sandbox", str, "FILE"),
            UNSANDBOXED,
            Option("--because", "why it should help", str, "TEXT", default=""),
            Option("--predict", "what will be measured", str, "TEXT", default=""),
            Option(
                "--aim",
                "the measure that it is for: exact, mean_segments, memory_training, ...",
                str,
                "NAME",
                default="exact",
            ),
        ),
    ),
    Verb(
        "patch",
        "a change of a fork of the reference as a diff, its script run before and after in a sandbox",
        "consulting:patch",
        (
            Positional("FORK", "the folder of a checkout; it is not touched"),
            Positional("EDITS", 'a JSON list of {"file", "search", "replace"}; each text is found exactly once'),
        ),
        (
            Option("--test", "a Python script of the fork that ends with 0 where all is well", str, "FILE"),
            Option("--because", "why it should help", str, "TEXT", default=""),
            Option("--predict", "what will be seen", str, "TEXT", default=""),
            UNSANDBOXED,
        ),
    ),
    Verb(
        "verify",
        "a proposal through all gates: accepted, rejected or inconclusive",
        "consulting:verify",
        (Positional("DIR", "a folder that `hrm propose` made"),),
        (
            Option("--seeds", "pairs of training runs; fewer than 5 can show nothing", int, "N", default=5),
            Option("--steps", "optimiser steps of each run", int, "N", default=200),
            UNSANDBOXED,
        ),
    ),
    Verb(
        "mcp",
        "the specialist's tools for coding agents, over the Model Context Protocol on standard input and output",
        "consulting:mcp",
        (),
        (
            Option(
                "--root",
                "a folder whose runs and files may be named (repeatable; here if left out)",
                str,
                "DIR",
                many=True,
            ),
            Option("--allow-write", "accepted changes may be written below the roots"),
            Option("--port", "serve HTTP on 127.0.0.1 instead", int, "N"),
        ),
    ),
    Verb(
        "evidence",
        "what a consultation's numbers were measured by, record by record",
        "consulting:evidence",
        (Positional("DIR", "a folder that `hrm specialist` made"),),
        (
            Option("--id", "this record alone, in full", str, "ID"),
            Option("--mend", "keep the records before the first damaged one, and set the rest aside"),
        ),
    ),
)
