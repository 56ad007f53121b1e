"""What the specialist says, and what it says it from."""

from dataclasses import dataclass, field
from typing import Any, Literal

from hrmlab.results.base import Result

Decision = Literal["accept", "reject", "inconclusive"]


@dataclass(frozen=True)
class Evidence:
    """One measurement in the ledger.

    id: "e1", "e2", ... in order. tool: what measured. about: on what, with which arguments. values: by name.
    previous, digest: SHA-256 of the record before and of this one with it.
    """

    id: str
    tool: str
    about: dict[str, Any]
    values: dict[str, Any]
    time: str
    previous: str
    digest: str


@dataclass(frozen=True)
class Gate:
    """One check of a proposal. passed: None where it cannot say. evidence: ids. summary: with its numbers cited."""

    name: str
    passed: bool | None
    summary: str
    evidence: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Proposal:
    """One change, why, what it costs, and what came of it. Numbers in texts are followed by their evidence, "[e3]".

    changes: `dotted.key=value`, what one types after `hrm train TARGET`. source: of a plug-in that they use, a Python
    file's text, or "". aim: the measure that it is for; better: which
    way. prediction: said before any run. principle: of hierarchical reasoning that it rests on. explanation: what the
    change does in the code. implications: for the architecture. compatibility: of weights and configurations, with what
    breaks. testing: how it is to be tested. gates: what was tested. verdict, reason: of the gates, "" before them.
    """

    id: str
    title: str
    rule: str
    changes: list[str]
    aim: str
    better: Literal["higher", "lower"]
    prediction: str
    principle: str
    rationale: str
    explanation: str
    implications: str
    testing: str
    source: str = ""
    gradient_flow: str = ""
    cost: str = ""
    compatibility: str = ""
    gates: list[Gate] = field(default_factory=list)
    verdict: Decision | None = None
    reason: str = ""


@dataclass(frozen=True)
class Consultation(Result):
    """What the specialist found, proposed and proved.

    advisor: "rules", or the language model. analysis: sentences on the model as it is. conclusion: what a language
    model says of the trials; verdicts are the gates'. not_examined: proposals that were made but that were not among
    the first, by title. limits: what these numbers do not say. report: the file for people.
    """

    target: str
    problem: str
    topics: list[str]
    advisor: str
    analysis: list[str]
    proposals: list[Proposal]
    conclusion: list[str]
    not_examined: list[str]
    evidence: list[Evidence]
    limits: list[str]
    next: list[str]
    folder: str
    report: str
    seconds: float


@dataclass(frozen=True)
class Ledger(Result):
    """The evidence of a consultation, in order. intact: every record fits the one before. mended: records set aside."""

    path: str
    intact: bool
    evidence: list[Evidence]
    mended: int = 0
