"""What the command line offers: every verb, option, name, folder and key, at once and without torch."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from supply.lock import tool

from hrmlab.api.completing import SHELLS
from hrmlab.checks import FAMILIES
from hrmlab.cli.arguments import COMMON, Verb
from hrmlab.cli.completing import FOLDERS, KINDS, candidates
from hrmlab.cli.verbs import VERBS
from hrmlab.config import override
from hrmlab.errors import ConfigError
from hrmlab.presets import preset
from hrmlab.specialist.hosts import HOSTS


def test_the_words_are_those_of_today() -> None:
    words = tool("words")
    assert words.FILE.read_text(encoding="utf-8") == words.text(), "type `python tools/words.py`"


def test_every_verb_is_offered() -> None:
    first = candidates([], "")
    assert set(first) == {verb.name.partition(" ")[0] for verb in VERBS}
    assert first["halting"] == next(verb.summary for verb in VERBS if verb.name == "halting")
    assert set(candidates(["data"], "")) == {"build", "check", "show"}
    assert {"tune", "sudoku-6x6"} <= set(candidates(["halting"], ""))
    assert "tune" not in candidates(["halting", "sudoku-6x6"], "")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_option_is_offered_until_it_is_there(verb: Verb) -> None:
    words = verb.name.split()
    assert set(candidates(words, "-")) == {option.flag for option in (*verb.options, *COMMON)}
    left = candidates([*words, "--json", "--import", "mine"], "--")
    assert "--json" not in left and "--import" in left
    for option in verb.options:
        if option.choices:
            assert set(candidates([*words, option.flag], "")) == set(option.choices)
            assert f"{option.flag}={option.choices[0]}" in candidates(words, f"{option.flag}=")


def test_names_go_where_they_are_taken() -> None:
    assert "hrm-sudoku-extreme" in candidates(["train"], "hrm")
    assert "hrm-sudoku-extreme" not in candidates(["eval"], "hrm")
    assert "maze-9x9" in candidates(["eval"], "m")
    assert "confidence" in candidates(["solve", "sudoku-6x6", "--halting"], "c")
    assert "forward_residual" in candidates(["diagnose", "sudoku-6x6", "--only"], "f")
    assert set(candidates(["catalog"], "pre")) == {"preset"}


def test_what_is_fixed_is_what_the_verbs_know() -> None:
    assert set(candidates(["specialist", "install"], "")) == set(HOSTS)
    assert set(candidates(["new"], "")) == set(FAMILIES)
    assert set(candidates(["completion"], "")) == set(SHELLS)


@pytest.mark.parametrize("place", KINDS)
def test_the_arguments_of_the_table_exist(place: str) -> None:
    names = {p.name for verb in VERBS for p in verb.positionals}
    names |= {option.metavar for verb in VERBS for option in verb.options}
    verb, _, name = place.rpartition(" ")
    assert name in names and verb in {"", *(verb.name for verb in VERBS)}
    assert names >= FOLDERS


def test_folders_are_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("runs/one", "runs/two/deep", ".hidden/three"):
        Path(name).mkdir(parents=True)
    Path("runs/one/config.json").write_text("{}")
    Path("runs/mine.json").write_text("{}")
    Path("runs/notes.txt").write_text("")
    assert "runs/" in candidates(["eval"], "") and ".hidden/" not in candidates(["eval"], "")
    assert set(candidates(["eval"], "runs/")) == {"runs/one", "runs/two/", "runs/mine.json"}
    assert candidates(["eval"], "runs/o") == {"runs/one": "a run"}
    assert set(candidates(["compare", "runs/one"], "runs/t")) == {"runs/two/"}
    assert candidates(["eval"], "nowhere/") == {} == candidates(["eval"], "~nobody-of-this-name/")


def test_keys_are_those_of_the_preset() -> None:
    small, paper = (set(candidates(["train", name], "model.p")) for name in ("sudoku-6x6", "hrm-sudoku-extreme"))
    assert "model.puzzle.width=" in paper - small and "model.puzzle=" in small
    assert set(candidates(["train", "sudoku-6x6"], "model.initial=")) == {
        f"model.initial={value}" for value in ("learned", "random", "zero")
    }
    assert "box_rows=" in candidates(["data", "build", "sudoku"], "box")
    assert set(candidates(["data", "build", "maze-9x9"], "r")) == {"rows="}
    assert candidates(["import", "hrm"], "") == {}


@pytest.mark.parametrize("name", ["sudoku-6x6", "maze-9x9", "hrm-sudoku-extreme", "trm-arc-2"])
def test_every_key_that_is_offered_is_taken(name: str) -> None:
    """With one of its values where they are listed, else with the value that it has: no key is unknown."""
    for word in candidates(["train", name], ""):
        key = word.rstrip("=")
        for text in [value.partition("=")[2] for value in candidates(["train", name], word)] or ["1"]:
            try:
                override(preset(name).make(), [f"{key}={text}"])
            except ConfigError as error:
                assert "unknown" not in str(error), (key, text, error)


def spent() -> float:
    """Seconds of processor time of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_an_answer_is_quick_and_light(tmp_path: Path) -> None:
    """The shell waits for it. Processor time, the least of three tries: others may be at work on the machine."""
    line = "hrm train sudoku-9x9-h"
    asked = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "_ARGCOMPLETE": "1"}
    asked |= {"_ARGCOMPLETE_SHELL": "bash", "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "words")}
    times = []
    for _ in range(3):
        start = spent()
        program = [sys.executable, "-X", "importtime", "-m", "hrmlab"]
        done = subprocess.run(program, env={**os.environ, **asked}, capture_output=True, text=True, timeout=60)
        times.append(spent() - start)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "argcomplete" in loaded and not loaded & {"torch", "numpy", "pydantic", "rich"}
    assert (tmp_path / "words").read_text().split() == ["sudoku-9x9-hard"]
    assert min(times) < 0.3, times
