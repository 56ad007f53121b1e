"""Who reads the facts and proposes: rules, or a language model; what is proposed is judged alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hrmlab.results.specialist import Proposal
from hrmlab.specialist.facts import Facts, analysis
from hrmlab.specialist.ledger import Ledger
from hrmlab.specialist.rules import Draft, drafts


@dataclass(frozen=True)
class Advice:
    """analysis: sentences on the model as it is, numbers cited. drafts: the most called for first. limits: what kept
    the adviser from saying more."""

    analysis: list[str]
    drafts: list[Draft]
    limits: list[str] = field(default_factory=list)


class Advisor(Protocol):
    """Reads, proposes, sums up; gates do the judging between."""

    name: str

    def advise(self, facts: Facts, ledger: Ledger, most: int) -> Advice:
        """Steps 1 and 2. most: proposals that will be examined."""

    def conclude(self, proposals: Sequence[Proposal], ledger: Ledger) -> Advice:
        """What came of it, as `Advice.analysis`; no drafts."""


class Rules:
    """No language model: every rule that the problem's topics call for."""

    name = "rules"

    def advise(self, facts: Facts, ledger: Ledger, most: int) -> Advice:
        return Advice(analysis(facts), drafts(facts))

    def conclude(self, proposals: Sequence[Proposal], ledger: Ledger) -> Advice:
        return Advice([], [])
