"""What a language model says: numbers of no evidence, in whatever dress; texts that are no texts."""

import pytest

pytest.importorskip("pydantic_ai", reason="needs pydantic-ai: pip install 'hrm-lab[agent]'")

from hrmlab.errors import ConfigError
from hrmlab.results.specialist import Evidence
from hrmlab.specialist.agent.budget import Budget, budget
from hrmlab.specialist.agent.claims import Suggestion, wrong_sentences
from hrmlab.specialist.agent.models import scrubbed
from hrmlab.specialist.agent.trace import Trace
from tests.specialist.agent.scripts import CHANGE

HELD = [Evidence("e1", "tool", {}, {"exact": 0.25, "zero": 0.0, "parameters": 1202}, "", "", "")]


@pytest.mark.parametrize(
    "sentence",
    [
        "It is 97percent right.",
        "It is at 9x the cost.",
        "About ½ of them.",
        "It is ９７ percent.",
        "Gains `97.5%` at once.",
        "It costs 1e999 [e1].",
        "It is 1e-999 [e1].",
        "It is 3e9 [e1].",
        "It is v2.5 faster.",
        "It went from25to97.",
    ],
)
def test_numbers_from_nowhere_are_found(sentence: str) -> None:
    assert wrong_sentences([sentence], HELD)


@pytest.mark.parametrize(
    "sentence",
    [
        "It answers 25% [e1] of them, with 1,202 [e1] parameters.",
        "Deviation is 0.0e+00 [e1].",
        "As p1 says, 6x6 boards and hrm-sudoku-4x4 are small.",
        "Set `model.schedule.grad_window=4` first.",
    ],
)
def test_what_is_cited_or_no_number_passes(sentence: str) -> None:
    assert wrong_sentences([sentence], HELD, ["model.schedule.grad_window=4"]) == []


def test_texts_are_one_line_without_signs_for_a_terminal() -> None:
    dressed = CHANGE | {"title": "good\n## Accepted\x1b[2J\u202e", "rationale": "a\n\n| b |"}
    draft = Suggestion.model_validate(dressed).draft()
    assert draft.title == "good ## Accepted [2J" and draft.rationale == "a | b |"


@pytest.mark.parametrize("text", ["requests=0.5", "usd=inf", "minutes=nan", "tokens=0", "usd=-1", "time=3", "usd"])
def test_limits_are_numbers_that_end(text: str) -> None:
    with pytest.raises(ConfigError, match="above 0"):
        budget(text)


def test_limits_that_are_given_hold() -> None:
    assert budget("requests=3, usd=0.5") == Budget(requests=3, usd=0.5)


def test_secrets_are_not_written(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SOME_API_KEY", 'abc"def\\ghi-0123456789')
    monkeypatch.setenv("DB_PASSWORD", "hunter22hunter22")
    trace = Trace(tmp_path / "trace.jsonl")
    trace.write("tool", said={"key": ['abc"def\\ghi-0123456789'], "words": "hunter22... is wrong"})
    written = trace.path.read_text()
    assert "ghi" not in written and "hunter22" not in written and "SOME_API_KEY" in written
    assert scrubbed("postgresql://me:secret@host/x") == "postgresql://me:[password]@host/x"
