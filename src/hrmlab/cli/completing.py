"""What may come next on the command line, as the shell asks at every press of Tab: fast, so nothing heavy is imported.

argcomplete speaks with the shells; they set `_ARGCOMPLETE`, and `entry.main` comes here. What the words can be is read
from the table of verbs and from words.json, which `tools/words.py` writes. Where nothing is offered the shell completes
files.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hrmlab.cli.arguments import COMMON, Option, Verb
from hrmlab.cli.verbs import VERBS

Words = Mapping[str, str]
"""What may be typed, each with its explanation."""

NO_FLAGS = "\0"
"""A sign that begins no option: argparse then hands every word on, options too."""
MODELS = ("model",)
ANY = ("model", "preset")
KINDS: Mapping[str, tuple[str, ...]] = {
    "RUN": MODELS,
    "TARGET": ANY,
    "A": ANY,
    "B": ANY,
    "PRESET": ("preset",),
    "tune TASK": ("preset",),
    "data build TASK": ("task", "preset"),
    "specialist RUN": ANY,
    "STUDY": ("study",),
    "check NAME": ("block", "attention", "halting", "embedding", "task"),
    "PROBE": ("probe",),
    "RULE": ("halting",),
    "demo NAME": ("preset",),
    "PLACE": ("engine",),
}
"""The kinds of names that an argument takes, by its name or metavar, with its verb where that alone says too little."""
FOLDERS = {"RUN", "TARGET", "A", "B", "PRESET", "DIR"}
"""Arguments that take a folder with a run or a data set, or a configuration file."""
FIXED: Mapping[str, tuple[str, ...]] = {
    "specialist install HOST": ("claude", "codex", "gemini", "opencode", "vscode", "plugin"),
    "completion SHELL": ("bash", "zsh", "fish"),
    "new KIND": ("block", "attention", "halting", "embedding", "task"),
}


def answer() -> None:
    """Answer the shell that asked, and end the process."""
    import argcomplete

    parser = argparse.ArgumentParser(prog="hrm", prefix_chars=NO_FLAGS, add_help=False)
    words = parser.add_argument("words", nargs="*")
    words.completer = lambda prefix, parsed_args, **_: candidates(parsed_args.words or [], prefix)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options=False, validator=lambda word, prefix: True)


def candidates(before: Sequence[str], current: str) -> Words:
    """What may stand in place of the last word.

    Args:
        before: the words before it, without `hrm`.
        current: as much of it as is typed.
    """
    verb, rest = _verb(before)
    found: dict[str, str] = {}
    if not any(word.startswith("-") for word in rest):
        typed = " ".join([*before, ""])
        below = [v for v in VERBS if v.name.startswith(typed)]
        found |= {v.name.removeprefix(typed).partition(" ")[0]: v.summary for v in reversed(below)}
    if verb is not None:
        found |= _argument(verb, rest, current)
    return {word: why for word, why in found.items() if word.startswith(current)}


def _verb(words: Sequence[str]) -> tuple[Verb | None, Sequence[str]]:
    """The verb that the words begin with, if they name one, and those after it."""
    for count in (2, 1):
        for verb in VERBS:
            if len(words) >= count and verb.name == " ".join(words[:count]):
                return verb, words[count:]
    return None, []


def _argument(verb: Verb, before: Sequence[str], current: str) -> Words:
    options = {option.flag: option for option in (*verb.options, *COMMON)}
    places, waiting = [], None
    for word in before:
        if waiting is not None:
            waiting = None
        elif word in options:
            waiting = options[word] if options[word].type is not None else None
        elif not word.startswith("-"):
            places.append(word)
    if waiting is not None:
        return _value(verb, waiting, current)
    flag, equals, text = current.partition("=")
    if equals and flag in options:
        return {f"{flag}={word}": why for word, why in _value(verb, options[flag], text).items()}
    if current.startswith("-"):
        return {flag: option.help for flag, option in options.items() if option.many or flag not in before}
    for number, positional in enumerate(verb.positionals):
        if number == len(places) or positional.count == "many":
            if positional.name == "KEY=VALUE":
                return _assignment(verb, places, current)
            return _named(verb, positional.name, current)
    return {}


def _value(verb: Verb, option: Option, current: str) -> Words:
    if option.choices:
        return dict.fromkeys(option.choices, option.help)
    return _named(verb, option.metavar or "", current)


def _named(verb: Verb, name: str, current: str) -> Words:
    """Names of the kinds that an argument takes, and folders and files where it takes them."""
    names, here = _words()["names"], f"{verb.name} {name}"
    if here == "catalog KIND":
        return {kind: f"{len(entries)} of them" for kind, entries in names.items()}
    found = dict.fromkeys(FIXED.get(here, ()), "")
    for kind in KINDS.get(here, KINDS.get(name, ())):
        found |= names[kind]
    return {**found, **(_places(current) if name in FOLDERS else {})}


def _places(current: str) -> Words:
    """Folders beside what is typed, those of runs by name and others open to go on, and configuration files."""
    folder, last = os.path.split(current)
    found: dict[str, str] = {}
    try:
        entries = sorted(Path(folder or ".").expanduser().iterdir())
    except (OSError, RuntimeError):
        return found
    for entry in entries:
        if not entry.name.startswith(last) or (entry.name.startswith(".") and not last.startswith(".")):
            continue
        path = os.path.join(folder, entry.name)  # noqa: PTH118 -- as it is typed, ~ and all
        if (entry / "config.json").is_file():
            found[path] = "a run"
        elif entry.is_dir():
            found[f"{path}/"] = "a folder"
        elif entry.suffix == ".json":
            found[path] = "a configuration file"
    return found


def _assignment(verb: Verb, places: Sequence[str], current: str) -> Words:
    """`key=`, or `key=value` where the values can be listed."""
    known = _settings(verb, places[0] if places else "")
    key, equals, _ = current.partition("=")
    if equals:
        return {f"{key}={value}": "" for value in known.get(key, ())}
    return {f"{key}=": "|".join(values) for key, values in known.items()}


def _settings(verb: Verb, target: str) -> Mapping[str, Sequence[str]]:
    """The keys that may be set, with their values: of a preset, of a task, or of any preset for a run of one's own."""
    words = _words()
    preset = target if target in words["names"]["preset"] else None
    keys = {
        key: about["values"]
        for key, about in words["keys"].items()
        if preset is None or preset in about.get("presets", (preset,))
    }
    if verb.name != "data build":
        return keys if not verb.name.startswith("import") else {}
    if target in words["settings"]:
        return dict(words["settings"][target])
    return {key.removeprefix("task."): values for key, values in keys.items() if key.startswith("task.")}


@cache
def _words() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
    return found
