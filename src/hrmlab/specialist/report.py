"""The report for people, and the check that it says nothing which was not measured."""

from collections.abc import Iterator
from shlex import quote

from hrmlab.errors import HrmLabError
from hrmlab.results.specialist import Consultation, Proposal
from hrmlab.specialist.citing import unfounded

VERDICTS = {"accept": "accepted", "reject": "rejected", "inconclusive": "inconclusive", None: "not tried"}


def markdown(told: Consultation) -> str:
    """The report as Markdown.

    Raises:
        HrmLabError: a number in it is not in the evidence, or a verdict is not its gates'.
    """
    if problems := list(faults(told)):
        raise HrmLabError(f"the report does not hold: {'; '.join(problems)}")
    lines = [
        f"# {told.target}: {told.problem}",
        "",
        f"Advice: {told.advisor}. Judgement: gates.",
        "",
        "## 1. As it is",
        "",
    ]
    lines += [f"- {sentence}" for sentence in told.analysis]
    lines += ["", "## 2-5. Proposals", ""]
    if not told.proposals:
        lines += ["No rule has anything to propose.", ""]
    for proposal in told.proposals:
        lines += _proposal(proposal, told.target)
    if told.conclusion:
        lines += [f"## What came of it, in the words of {told.advisor}", "", *told.conclusion, ""]
    if told.not_examined:
        lines += ["Proposed too, and not examined:", "", *(f"- {title}" for title in told.not_examined), ""]
    lines += ["## What these numbers do not say", "", *(f"- {limit}" for limit in told.limits), ""]
    if told.next:
        lines += ["## Next", "", "```bash", *told.next, "```", ""]
    lines += ["## Evidence", "", "| | by | on | SHA-256 |", "|---|---|---|---|"]
    for record in told.evidence:
        about = ", ".join(f"{name} {value}" for name, value in record.about.items() if name != "command")
        lines.append(f"| {record.id} | {record.tool} | {about} | {record.digest[:12]} |")
    lines += ["", f"All values: {told.folder}/evidence.jsonl (`hrm evidence {told.folder}`).", ""]
    return "\n".join(lines)


def faults(told: Consultation) -> Iterator[str]:
    """What a consultation says without having measured it."""
    for sentence in (*told.analysis, *told.conclusion):
        yield from unfounded(sentence, told.evidence)
    for proposal in told.proposals:
        texts = (proposal.rationale, proposal.cost, proposal.gradient_flow, proposal.compatibility)
        for text in (*texts, *(gate.summary for gate in proposal.gates)):
            yield from (f"{proposal.id}: {problem}" for problem in unfounded(text, told.evidence))
        names = [gate.name for gate in proposal.gates if gate.passed]
        if proposal.verdict == "accept" and not {"gradient flow", "build", "cost", "confirmation"} <= set(names):
            yield f"{proposal.id} is accepted and its gates ({', '.join(names)}) do not say so"
        if proposal.verdict != "reject" and any(gate.passed is False for gate in proposal.gates):
            yield f"{proposal.id} did not pass a gate and is not rejected"


def _proposal(proposal: Proposal, target: str) -> list[str]:
    parts = {
        "Rationale": proposal.rationale,
        "Principle": proposal.principle,
        "What it does": proposal.explanation,
        "For the architecture": proposal.implications,
        "Gradient flow": proposal.gradient_flow,
        "Cost in memory and time": proposal.cost,
        "Compatibility": proposal.compatibility,
        "Predicted, before any run": f"{proposal.prediction} (`{proposal.aim}`, {proposal.better} is better)",
        "How to test it": proposal.testing,
    }
    changes = " \\\n    ".join(f"'{change}'" if "'" not in change else quote(change) for change in proposal.changes)
    lines = [f"### {proposal.id}: {proposal.title}: {VERDICTS[proposal.verdict]}", ""]
    lines += ["```bash", f"hrm train {target} \\\n    {changes}", "```", ""]
    if proposal.source:
        lines += ["with this plug-in, saved as `plugin.py` and named by `--import plugin`:", ""]
        lines += ["```python", proposal.source.rstrip(), "```", ""]
    lines += [f"- **{name}.** {text}" for name, text in parts.items() if text]
    lines += ["", "| gate | | |", "|---|---|---|"]
    signs = {True: "passed", False: "failed", None: "open"}
    lines += [f"| {gate.name} | {signs[gate.passed]} | {gate.summary} |" for gate in proposal.gates]
    return [*lines, "", f"**{VERDICTS[proposal.verdict].capitalize()}**: {proposal.reason}.", ""]
