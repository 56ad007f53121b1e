"""`specialist`, `propose`, `verify`, `evidence`: advice with proof, and what it was proved by."""

import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hrmlab.cli.output import Outcome, say
from hrmlab.errors import ConfigError, DataError
from hrmlab.results import Consultation, Ledger, Result
from hrmlab.terminal import note

if TYPE_CHECKING:
    from rich.console import Console

    from hrmlab.results.specialist import Proposal
    from hrmlab.specialist.advising import Advisor
    from hrmlab.specialist.hosts import Installed
    from hrmlab.specialist.patching import Patched
    from hrmlab.specialist.proposing import Proposed

REJECTED = 1


@dataclass(frozen=True)
class Served(Result):
    """A server's end has nothing to say."""


STATES = {True: "passed", False: "failed", None: "open"}


def specialist(options: Namespace) -> Outcome:
    from hrmlab.specialist.consulting import consult

    advisor = _advisor(options)
    result = consult(
        options.run,
        options.problem,
        proposals=options.proposals,
        seeds=options.seeds,
        steps=options.steps,
        train=not options.no_train,
        n=options.n,
        advisor=advisor,
        approve=None if advisor is None or options.yes else _approved,
        unconfined=options.allow_unsandboxed,
        out=options.out,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _consulted(to, result), writes_out=True)


def _source(plugin: str | None) -> str:
    if plugin is None:
        return ""
    try:
        return Path(plugin).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"--plugin {plugin} cannot be read ({error}); wanted a Python file") from None


def _advisor(options: Namespace) -> "Callable[[Path], Advisor] | None":
    """None without --model."""
    if options.model is None:
        if options.url or options.budget:
            raise ConfigError("--url and --budget are for a language model; say which with --model")
        return None
    from hrmlab.specialist.agent.budget import budget
    from hrmlab.specialist.agent.models import model_of

    limits, model = budget(options.budget), model_of(options.model, options.url)
    from hrmlab.specialist.agent.advisor import LanguageModel

    return lambda folder: LanguageModel(model, folder, limits, quiet=options.quiet)


def _approved(proposal: "Proposal") -> bool:
    """Asked of whoever sits there; nobody is asked where nobody can answer, and nothing is run."""
    if not sys.stdin.isatty():
        note(f"{proposal.id} is weighed and not tried: nobody is here to approve it (--yes approves all)", False)
        return False
    print(f"{proposal.id}: {proposal.title}\n  {' '.join(proposal.changes)}\n  {proposal.rationale}", file=sys.stderr)
    if proposal.source:
        shown = "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in proposal.source)
        print(f"it brings code, which is run in the sandbox if you allow it:\n\n{shown}", file=sys.stderr)
    print("try it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def propose(options: Namespace) -> Outcome:
    from hrmlab.specialist import proposing

    result = proposing.propose(
        options.target,
        getattr(options, "key=value"),
        because=options.because,
        predict=options.predict,
        aim=options.aim,
        source=_source(options.plugin),
        unconfined=options.allow_unsandboxed,
        out=options.out or "proposal",
        quiet=options.quiet,
    )
    return _proposed(result)


def patch(options: Namespace) -> Outcome:
    from hrmlab.specialist import patching

    result = patching.patch(
        options.fork,
        patching.edits_of(options.edits),
        because=options.because,
        predict=options.predict,
        test=options.test,
        unconfined=options.allow_unsandboxed,
        out=options.out or "patch",
    )
    return Outcome(result, lambda to: _patched(to, result), 0 if result.passed else REJECTED, writes_out=True)


def verify(options: Namespace) -> Outcome:
    from hrmlab.specialist import proposing

    result = proposing.verify(
        options.dir,
        seeds=options.seeds,
        steps=options.steps,
        unconfined=options.allow_unsandboxed,
        quiet=options.quiet,
    )
    return _proposed(result)


def mcp(options: Namespace) -> Outcome:
    from hrmlab.specialist.server import default_state, serve
    from hrmlab.specialist.tools import Workshop

    roots = tuple(Path(root) for root in options.root or ["."])
    if missing := [root for root in roots if not root.is_dir()]:
        raise DataError(f"--root {missing[0]} is no folder")
    serve(Workshop(Path(options.out) if options.out else default_state(), roots, options.allow_write), options.port)
    return Outcome(Served(), lambda to: None, writes_out=True)


def install(options: Namespace) -> Outcome:
    from hrmlab.specialist.hosts import install as write

    result = write(options.host, options.out or ".")
    return Outcome(result, lambda to: _installed(to, result), writes_out=True)


def evidence(options: Namespace) -> Outcome:
    from hrmlab.specialist.ledger import NAME
    from hrmlab.specialist.ledger import Ledger as File

    file = File(Path(options.dir) / NAME)
    if not file.path.is_file():
        raise DataError(f"no evidence in {options.dir}; wanted a folder that `hrm specialist` made")
    mended = file.mend() if options.mend else 0
    records = file.records()
    if options.id is not None:
        records = [record for record in records if record.id == options.id]
        if not records:
            raise DataError(f"no evidence '{options.id}' in {options.dir}; type `hrm evidence {options.dir}` for all")
    result = Ledger(str(file.path), True, records, mended)
    return Outcome(result, lambda to: _kept(to, result))


def _proposed(result: "Proposed") -> Outcome:
    return Outcome(
        result,
        lambda to: _gates(to, result),
        REJECTED if result.proposal.verdict == "reject" else 0,
        writes_out=True,
    )


def _patched(to: "Console", result: "Patched") -> None:
    to.print(result.diff, markup=False, highlight=False)
    for gate in result.gates:
        say(to, f"{gate.name}: {STATES[gate.passed]}. {gate.summary}")
    say(to, f"next: {result.apply}" if result.passed else "it does not pass; nothing was changed")


def _gates(to: "Console", result: "Proposed") -> None:
    for gate in result.proposal.gates:
        say(to, f"{gate.name}: {STATES[gate.passed]}. {gate.summary}")
    say(to, f"{result.proposal.verdict or 'not tried yet'}: {result.proposal.reason}")
    if not result.tried and result.proposal.verdict is None:
        say(to, f"next: hrm verify {result.folder}")


def _installed(to: "Console", result: "Installed") -> None:
    for file in result.files:
        say(to, f"{file}{' (added to what was there)' if file in result.kept else ''}")
    say(to, f"next: {result.next}")


def _consulted(to: "Console", result: Consultation) -> None:
    from rich.table import Table
    from rich.text import Text

    for sentence in result.analysis:
        say(to, f"- {sentence}")
    table = Table("", "proposal", "verdict", "why", "change")
    for proposal in result.proposals:
        verdict = proposal.verdict or "not tried"
        table.add_row(proposal.id, Text(proposal.title), verdict, proposal.reason, Text(" ".join(proposal.changes)))
    if result.proposals:
        to.print(table)
    else:
        say(to, "no rule has anything to propose; say more of what is wrong, or try `hrm diagnose` and `hrm tune`")
    for sentence in result.conclusion:
        say(to, sentence)
    if result.not_examined:
        say(to, f"not examined: {'; '.join(result.not_examined)}")
    for command in result.next:
        say(to, f"next: {command}")
    say(to, f"report: {result.report}")


def _kept(to: "Console", result: Ledger) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "by", "on", "values")
    for record in result.evidence:
        about, values = (", ".join(f"{k} {v}" for k, v in part.items()) for part in (record.about, record.values))
        table.add_row(record.id, record.tool, Text(about), Text(values if len(result.evidence) == 1 else values[:200]))
    to.print(table)
    say(to, f"{len(result.evidence)} records, the chain is intact")
    if result.mended:
        say(to, f"{result.mended} damaged lines were set aside in {Path(result.path).with_suffix('.damaged')}")
