"""What a verb takes, as data, and the parser made of it: one-line errors in place of argparse's usage dump."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, NoReturn

from hrmlab.errors import ConfigError


@dataclass(frozen=True)
class Positional:
    """An argument without a flag. count: exactly one, at most one, or any number."""

    name: str
    help: str
    count: Literal["one", "optional", "many"] = "one"

    @property
    def usage(self) -> str:
        return {"one": "{}", "optional": "[{}]", "many": "[{} ...]"}[self.count].format(self.name)


@dataclass(frozen=True)
class Option:
    """An argument with a flag. type: None for a switch; many: may be given several times."""

    flag: str
    help: str
    type: Any = None
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    default: Any = None
    many: bool = False

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        if self.type is None:
            parser.add_argument(self.flag, action="store_true", help=self.help)
            return
        parser.add_argument(
            self.flag,
            type=self.type,
            metavar=self.metavar,
            choices=self.choices,
            default=[] if self.many else self.default,
            action="append" if self.many else "store",
            help=self.help,
        )


@dataclass(frozen=True)
class Verb:
    """A verb. runner: module and function below `hrmlab.cli`, imported when the verb is run."""

    name: str
    summary: str
    runner: str
    positionals: tuple[Positional, ...] = ()
    options: tuple[Option, ...] = ()


def threads(text: str) -> int | str:
    """A number of threads, or "auto"."""
    return text if text == "auto" else int(text)


COMMON = (
    Option("--json", "print exactly one JSON object on standard output"),
    Option("--quiet", "no progress and no notes on standard error"),
    Option("--seed", "of whatever the verb draws at random", int, "N"),
    Option("--device", "where to compute", str, choices=("auto", "cpu", "cuda", "mps"), default="auto"),
    Option("--threads", "CPU threads; auto measures how many are worth it", threads, "N", default="auto"),
    Option("--import", "import a module that registers parts of your own (repeatable)", str, "MODULE", many=True),
    Option("--out", "where to write", str, "PATH"),
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; type `{self.prog} --help`")


def parse(verb: Verb, arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments of a verb by name; positional ones and options may stand in any order.

    Raises:
        ConfigError: an unknown option (with the nearest), an argument missing or too many, a value of the wrong type.
    """
    parser = build(verb)
    options, rest = parser.parse_known_args(arguments)
    words = _words(verb, parser, rest)
    for positional in verb.positionals:
        name = positional.name.lower()
        if positional.count == "many":
            setattr(options, name, words)
            words = []
        elif words:
            setattr(options, name, words.pop(0))
        elif positional.count == "optional":
            setattr(options, name, None)
        else:
            raise ConfigError(f"{positional.name} is missing: {positional.help}; type `{parser.prog} --help`")
    if words:
        raise ConfigError(f"'{words[0]}' came after all that `hrm {verb.name}` takes; type `{parser.prog} --help`")
    return options


def build(verb: Verb) -> argparse.ArgumentParser:
    """The parser of a verb's options; positional arguments are told apart by `parse`."""
    width = max((len(positional.name) for positional in verb.positionals), default=0)
    lines = "".join(f"\n  {p.name:<{width}}  {p.help}" for p in verb.positionals)
    usage = " ".join(["hrm", verb.name, *(p.usage for p in verb.positionals), "[options]"])
    parser = _Parser(
        prog=f"hrm {verb.name}",
        usage=usage,
        description=verb.summary + ("\n" + lines if lines else ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for option in (*verb.options, *COMMON):
        option.add_to(parser)
    return parser


def _words(verb: Verb, parser: argparse.ArgumentParser, rest: list[str]) -> list[str]:
    """The positional arguments among what argparse did not take."""
    cut = rest.index("--") if "--" in rest else len(rest)
    for word in rest[:cut]:
        if word.startswith("-") and word != "-":
            flag = word.partition("=")[0]
            known = [option.flag for option in (*verb.options, *COMMON)]
            near = get_close_matches(flag, known, n=1, cutoff=0.5)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ConfigError(f"unknown option '{flag}' of `hrm {verb.name}`{hint} (type `{parser.prog} --help`)")
    return rest[:cut] + rest[cut + 1 :]
