"""`--engine` on the verbs that answer puzzles: every name works, changes no answer, and stands in the protocol."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hrmlab import api
from hrmlab.api import engines as choosing
from hrmlab.cli.verbs import VERBS
from hrmlab.core.eager import Eager, Reference
from hrmlab.core.engines import ENGINES
from hrmlab.errors import ConfigError

Hrm = Callable[..., Any]


@pytest.mark.parametrize("verb", ["eval", "solve"])
def test_the_choices_are_the_engines(verb: str) -> None:
    (options,) = (v.options for v in VERBS if v.name == verb)
    (option,) = (option for option in options if option.flag == "--engine")
    assert option.choices is not None and set(option.choices) == {"auto", *ENGINES}


def test_an_evaluation_says_by_what_engine(hrm: Hrm, run: Path) -> None:
    plain, other = (hrm("eval", run, "--engine", name, "--json").json for name in ("auto", "reference"))
    assert (plain["protocol"]["engine"], other["protocol"]["engine"]) == ("eager", "reference")
    assert plain["by_segment"] == other["by_segment"]


@pytest.mark.parametrize("how", [(), ("--attempts", 2), ("--show",)])
def test_solving_by_another_engine_gives_the_same(
    hrm: Hrm, run: Path, puzzles: list[str], how: tuple[object, ...], tmp_path: Path
) -> None:
    jobs = tmp_path / "jobs.txt"
    jobs.write_text("\n".join(puzzles[:3]))
    plain, other = (
        hrm("solve", run, "--jobs", jobs, "--engine", name, "--json", "--quiet", *how).json["results"]
        for name in ("eager", "reference")
    )
    assert [(one["output"], one["segments"]) for one in plain] == [(one["output"], one["segments"]) for one in other]


def test_what_is_ahead_is_told_to_the_choice(
    run: Path, puzzles: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another engine chosen by itself is said in one line; a file's puzzles are estimated from its first ones."""
    asked: list[tuple[int, float]] = []

    def chosen(name: str, model: Any, rule: Any, ahead: Any, slots: int, check: Any) -> Eager:
        asked.append((len(ahead.first), ahead.times * len(ahead.first)))
        return Reference(model)

    monkeypatch.setattr(choosing, "engine_of", chosen)
    jobs = tmp_path / "jobs.txt"
    jobs.write_text(f"{puzzles[0]}\n" * 96)
    api.solve(run, jobs=jobs, device="cpu")
    api.solve(run, [puzzles[0]] * 64, attempts=3, device="cpu", quiet=True)
    assert asked[0] == (3, pytest.approx(96))
    assert asked[1] == (2, pytest.approx(3 * 64))
    assert capsys.readouterr().err.count("reference engine") == 1


def test_an_unknown_engine_is_named(run: Path, puzzles: list[str]) -> None:
    with pytest.raises(ConfigError, match="did you mean 'compiled'"):
        api.solve(run, puzzles[:1], engine="compield", device="cpu", quiet=True)
