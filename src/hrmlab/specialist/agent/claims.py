"""What a language model says is held to: numbers from the evidence, changes that can be made, the gates' verdicts."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, Field

from hrmlab.api.differences import skeleton
from hrmlab.api.rules import spelled_out
from hrmlab.errors import ConfigError
from hrmlab.results.specialist import Evidence, Proposal
from hrmlab.specialist.citing import CITED, CODE, unfounded
from hrmlab.specialist.facts import Facts
from hrmlab.specialist.plugins.source import objections
from hrmlab.specialist.rules import Draft
from hrmlab.training.overrides import override_run

Aim = Literal["exact", "mean_segments", "parameters", "operations_segment", "memory_training"]
Verdict = Literal["accept", "reject", "inconclusive", "not tried"]


class Findings(BaseModel):
    """What limits the model as it is. Every number is followed by its evidence: "a cosine of 0.56 [e3]"."""

    sentences: list[str] = Field(min_length=1, max_length=12)


class Suggestion(BaseModel):
    """One change: `changes` as typed after `hrm train TARGET`, e.g. ["model.schedule.grad_window=4"]."""

    title: str = Field(min_length=3, max_length=120)
    changes: list[str] = Field(min_length=1, max_length=3)
    aim: Aim
    prediction: str = Field(description="what will be measured, said before it is")
    principle: str = Field(description="of hierarchical reasoning that it rests on")
    rationale: str = Field(description="why, with the numbers that ask for it, each followed by its evidence [eN]")
    explanation: str = Field(description="what the change does in the code")
    implications: str = Field(description="for the architecture: levels, coherence, what else changes")
    testing: str = Field(default="", description="how it is to be tested beyond the gates")
    source: str = Field(default="", description="of a plug-in that the changes use, one Python file registering parts")

    def draft(self) -> Draft:
        """As the rules make them."""
        return Draft(
            title=plain(self.title),
            prediction=plain(self.prediction),
            principle=plain(self.principle),
            rationale=plain(self.rationale),
            explanation=plain(self.explanation),
            implications=plain(self.implications),
            testing=plain(self.testing),
            changes=self.changes if self.source else spelled_out(self.changes),
            source=self.source,
            aim=self.aim,
            better="higher" if self.aim == "exact" else "lower",
            rule="a language model's",
        )


class Suggestions(BaseModel):
    """Changes that answer the problem, the best first; none if nothing is worth trying."""

    proposals: list[Suggestion] = Field(max_length=3)


class Conclusion(BaseModel):
    """What came of the trials. verdicts: by proposal, as the gates gave them."""

    verdicts: dict[str, Verdict]
    sentences: list[str] = Field(min_length=1, max_length=8)


def wrong_sentences(sentences: Sequence[str], evidence: Sequence[Evidence], code: Iterable[str] = ()) -> list[str]:
    """Numbers without evidence, in whatever form: glued to letters, as fractions, inside `code`.

    Args:
        code: spans that may stand in backquotes with numbers in them: the proposal's own changes.
    """
    found, allowed = [], set(code)
    for sentence in sentences:
        found += unfounded(sentence, evidence)
        rest = CODE.sub(lambda span: "" if span[0].strip("`") in allowed else span[0].replace("`", " "), sentence)
        words = re.split(r"[\s`]+", CITED.sub(" ", rest))
        found += [f"'{word}' has a number that is cited from nothing" for word in words if _numeric(word)]
    return list(dict.fromkeys(found))


NAMES = re.compile(r"[(\"']*(?:[a-z]+(?:-[a-z]+)*-)?\d+x\d+[.,:;)\"']*|[(\"']*p\d[.,:;)\"']*")
"""Boards (`6x6`, `hrm-sudoku-6x6`) and proposals (`p1`): digits that measure nothing."""


def _numeric(word: str) -> bool:
    return not NAMES.fullmatch(word) and any(unicodedata.numeric(letter, None) is not None for letter in word)


def plain(text: str) -> str:
    """In one line, without signs that a terminal or Markdown would take for something else."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def wrong_suggestions(said: Suggestions, facts: Facts, evidence: Sequence[Evidence], most: int) -> Iterator[str]:
    """What keeps suggestions from being examined, with the way out."""
    if len(said.proposals) > most:
        yield f"{len(said.proposals)} proposals came; at most {most} will be examined"
    seen: set[tuple[str, ...]] = set()
    for number, suggestion in enumerate(said.proposals, 1):
        own = f"proposal {number} ({suggestion.title})"
        if problem := _unbuildable(suggestion, facts):
            yield f"{own} {problem}"
            continue
        if (key := tuple(sorted(suggestion.changes))) in seen:
            yield f"{own} is there twice"
        seen.add(key)
        texts = [suggestion.rationale, suggestion.explanation, suggestion.implications, suggestion.principle]
        texts += [suggestion.title, suggestion.testing]
        allowed = {*suggestion.changes, *(change.partition("=")[0] for change in suggestion.changes)}
        yield from (f"{own}: {problem}" for problem in wrong_sentences(texts, evidence, allowed))


def _unbuildable(suggestion: Suggestion, facts: Facts) -> str | None:
    """Code is read and not run; settings are built here."""
    if suggestion.source:
        if wrong := objections(suggestion.source):
            return f"has code that is not run: {'; '.join(wrong[:6])}"
        if suggestion.aim != "exact":
            return f"aims at {suggestion.aim}; with code of its own it may aim at exact only"
        return None  # whether it can be built shows when it is run, which is for a person to allow
    try:
        changed = override_run(facts.config, spelled_out(suggestion.changes))
        skeleton(changed)
    except ConfigError as error:
        return f"cannot be built: {error}"
    return "changes nothing: the model has these settings" if changed == facts.config else None


def wrong_conclusion(said: Conclusion, proposals: Sequence[Proposal], evidence: Sequence[Evidence]) -> Iterator[str]:
    """Verdicts that are not the gates', and numbers without evidence."""
    real = {proposal.id: proposal.verdict or "not tried" for proposal in proposals}
    for id in sorted(real.keys() | said.verdicts.keys()):
        if said.verdicts.get(id) != real.get(id):
            yield f"verdict of {id}: you say {said.verdicts.get(id)}, the gates say {real.get(id, 'nothing')}"
    yield from wrong_sentences(said.sentences, evidence)
