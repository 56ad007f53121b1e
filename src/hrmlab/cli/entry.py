"""From arguments to exit code: 0 done, 1 done and the answer is no, 2 the user's to mend, 3 interrupted."""

import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hrmlab.cli.arguments import Verb, parse
from hrmlab.cli.verbs import VERBS
from hrmlab.errors import ConfigError, HrmLabError, printable, unknown

if TYPE_CHECKING:
    from hrmlab.cli.output import Outcome

DONE, NO, MISTAKE, INTERRUPTED = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code; never raises for what a user can cause."""
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may come next
        from hrmlab.cli.completing import answer

        answer()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _main(arguments)
        sys.stdout.flush()
        return code
    except HrmLabError as error:
        return _fail(str(error), "--json" in arguments, MISTAKE)
    except KeyboardInterrupt:
        return _fail("interrupted; type the same command again", "--json" in arguments, INTERRUPTED)
    except BrokenPipeError:
        _say_no_more()  # whoever read our output has enough
        return DONE
    except OSError as error:
        if (message := _of_the_system(error)) is None:
            raise
        try:
            sys.stdout.flush()
        except OSError:
            _say_no_more()
        return _fail(message, "--json" in arguments, MISTAKE)


def _main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return DONE
    if arguments[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"hrm-lab {version('hrm-lab')}")
        return DONE
    verb, rest = _verb(arguments)
    try:
        options = parse(verb, rest)
    except SystemExit as done:  # argparse has printed the help that was asked for
        return int(done.code or DONE)
    from hrmlab.cli.output import emit

    if modules := getattr(options, "import"):
        from hrmlab import api

        api.import_parts(modules)
    module, _, function = verb.runner.partition(":")
    run: Callable[[Any], Outcome] = getattr(import_module(f"hrmlab.cli.{module}"), function)
    return emit(run(options), options)


def overview() -> str:
    """What `hrm --help` prints."""
    width = max(len(verb.name) for verb in VERBS)
    lines = [f"  {verb.name:<{width}}  {verb.summary}" for verb in VERBS]
    return "\n".join(
        [
            "usage: hrm VERB [arguments] [options]",
            "",
            "A workbench for Hierarchical Reasoning Models.",
            "",
            *lines,
            "",
            "hrm VERB --help explains a verb; hrm --version prints the version.",
            "Every verb takes --json, --quiet, --seed N, --device NAME, --threads N, --import MODULE, --out PATH.",
            "Exit codes: 0 done, 1 done and the answer is no, 2 a mistake in what came, 3 interrupted.",
        ]
    )


def _verb(arguments: list[str]) -> tuple[Verb, list[str]]:
    """The verb that the arguments begin with, and the rest of them."""
    for words in (2, 1):
        name = " ".join(arguments[:words])
        for verb in VERBS:
            if verb.name == name:
                return verb, arguments[words:]
    first = arguments[0]
    below = [verb.name for verb in VERBS if verb.name.startswith(f"{first} ")]
    if below:
        if len(arguments) == 1 or arguments[1] in ("-h", "--help"):
            raise ConfigError(f"`hrm {first}` wants one more word: {', '.join(below)}")
        raise ConfigError(unknown("verb", " ".join(arguments[:2]), below))
    if first.startswith("-"):
        raise ConfigError(f"'{first}' came where a verb was wanted, e.g. `hrm demo`; type `hrm --help`")
    raise ConfigError(f"{unknown('verb', first, [verb.name for verb in VERBS])}; type `hrm --help`")


def _of_the_system(error: OSError) -> str | None:
    """What a user can mend of what the system refuses: a name that cannot be, a file that is another's, a full disk."""
    if error.filename is not None:
        return printable(f"'{error.filename}' came: {error.strerror}; wanted a file or folder that can be used here")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{error.strerror}; make room and type the same command again"
    return None


def _say_no_more() -> None:
    """Let go of an output that takes nothing: Python would complain at exit if it could still flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, as_json: bool, code: int) -> int:
    print(f"hrm: {message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": message}))
    return code
