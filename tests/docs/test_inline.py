"""What stands in a sentence or a table as code: commands have known words, settings are settings of some model."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import pytest
from docs.checked import EXTRAS, script
from docs.pages import PAGES, ROOT
from markdown_it import MarkdownIt

from hrmlab.api.rules import spelled_out
from hrmlab.api.targets import find_config
from hrmlab.cli.arguments import COMMON, Verb
from hrmlab.cli.verbs import VERBS
from hrmlab.config import encode
from hrmlab.errors import HrmLabError
from hrmlab.presets import PRESETS
from hrmlab.training.config import RunConfig
from hrmlab.training.overrides import override_run

SETTING = re.compile(r'"?(model|training|data|halting|evaluation|loss|high|low|task)(\[[\w"]+\]|\.\w+)*=.')
FILE = re.compile(r"(tests|benchmarks|examples|docs|src)/[\w./-]+|[a-z]+/[\w/-]+\.(py|md|svg|json)")
KEY = re.compile(r"(model|training|data|halting|evaluation)(\.\w+)+")
FILES = re.compile(r"\.(md|py|json|svg|csv|npz|new|jsonl)$")
EXTRA = re.compile(r"tools/setup\.py((?: [\w-]+)*)|hrm-lab\[([\w,-]+)\]")
FORMER = {"training.compile", "model.size.network_layers"}
"""Keys of earlier versions, which docs/compatibility.md says are read still."""
GROUND: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((name, ()) for name in PRESETS),
    ("hrm-sudoku-extreme", ("model.puzzle.rank=16",)),
    ("hrm-sudoku-4x4", ("model.schedule=levels",)),
    ("hrm-sudoku-4x4", ("model.block=post_norm", "model.embedding=tokens", "model.positions=rotary", "high.layers=6")),
    ("sudoku-6x6", ("model.retention=damped",)),
)
"""Models of which a setting may speak."""


def spans(page: str) -> Iterator[tuple[int, str]]:
    """Code in a page's sentences, with the line where its paragraph begins."""
    for token in MarkdownIt().enable("table").parse((ROOT / page).read_text(encoding="utf-8")):
        for child in token.children or ():
            if child.type == "code_inline":
                yield (token.map or [0])[0] + 1, child.content


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/LOG.md"])  # which tells of what was
def test_commands_have_known_words(page: str) -> None:
    wrong = []
    for line, text in spans(page):
        if not text.startswith("hrm "):
            continue
        words = shlex.split(text)[1:]
        verb = known(words)
        if verb is None:
            if words[0] not in ("--help", "--version", "VERB") and words != ["data"]:
                wrong.append(f"{page}:{line}: {text}: no such verb")
            continue
        flags = {option.flag for option in (*verb.options, *COMMON)} | {"--help"}
        wrong += [
            f"{page}:{line}: {text}: no option {word}"
            for word in words
            if word.startswith("--") and word.partition("=")[0] not in flags
        ]
    assert not wrong, "\n".join(wrong)


def known(words: list[str]) -> Verb | None:
    for count in (2, 1):
        for verb in VERBS:
            if verb.name == " ".join(words[:count]):
                return verb
    return None


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/LOG.md"])
def test_settings_are_settings_of_some_model(page: str) -> None:
    wrong = []
    for line, text in spans(page):
        if SETTING.match(text) and "..." not in text and (why := refused(text)):
            wrong.append(f"{page}:{line}: {text}: {why}")
        elif KEY.fullmatch(text) and not FILES.search(text) and text not in keys() | FORMER:
            wrong.append(f"{page}:{line}: {text}: no such key")
    assert not wrong, "\n".join(wrong)


@cache
def refused(text: str) -> str:
    """Why no model takes the settings; empty if one does."""
    why = ""
    for name, before in GROUND:
        try:
            override_run(base(name, before), spelled_out([text] if "{" in text else shlex.split(text)))
            return ""
        except HrmLabError as error:
            why = why or str(error)
    return why


@cache
def base(name: str, before: tuple[str, ...]) -> RunConfig:
    return override_run(find_config(name), before)


@cache
def keys() -> set[str]:
    """Every dotted key that one of the models has."""
    found: set[str] = set()

    def walk(data: object, at: str) -> None:
        if isinstance(data, dict):
            for name, value in data.items():
                found.add(f"{at}{name}")
                walk(value, f"{at}{name}.")

    for name, before in GROUND:
        walk(encode(base(name, before)), "")
    return found


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/LOG.md"])
def test_files_tests_and_modules_are_there(page: str) -> None:
    wrong = []
    for line, text in spans(page):
        words = text.split()
        if words[0] == "python" and "/" in words[-1] + words[1]:
            script(tuple(words[1:]))
        elif FILE.fullmatch(text):
            there = any((place / text).exists() for place in (ROOT, ROOT / "src/hrmlab", ROOT / "docs"))
            wrong += [] if there else [f"{page}:{line}: {text}: no such file"]
        elif re.fullmatch(r"test_\w+", text):
            wrong += [] if text in names_of_tests() else [f"{page}:{line}: {text}: no such test"]
        elif re.fullmatch(r"hrmlab(\.\w+)+", text) and not FILES.search(text) and not importable(text):
            wrong.append(f"{page}:{line}: {text}: nothing of that name")
    assert not wrong, "\n".join(wrong)


@cache
def names_of_tests() -> set[str]:
    found = [re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE) for path in ROOT.glob("tests/**/*.py")]
    return {name for names in found for name in names}


def importable(text: str) -> bool:
    """Whether it is a module, or something in one."""
    path, _, name = text.rpartition(".")
    try:
        return hasattr(import_module(path), name) or bool(import_module(text))
    except ImportError:
        return False


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/LOG.md"])
def test_extras_are_there(page: str) -> None:
    named = {word for _, text in spans(page) for found in EXTRA.finditer(text) for word in found[0].split()[1:]}
    listed = {word for _, text in spans(page) for found in EXTRA.finditer(text) for word in (found[2] or "").split(",")}
    assert named | listed - {""} <= {*EXTRAS}
