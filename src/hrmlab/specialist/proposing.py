"""`propose` and `verify`: a change of one's own through the same gates, its prediction on disk before any run."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hrmlab.api.rules import spelled_out
from hrmlab.api.targets import find_config
from hrmlab.config import decode
from hrmlab.errors import ConfigError, DataError
from hrmlab.reading import read_json
from hrmlab.reports.files import write_texts
from hrmlab.results.base import Result
from hrmlab.results.specialist import Proposal
from hrmlab.specialist.evaluator import fingerprint, sealed_seed, unchanged
from hrmlab.specialist.gates import Trial
from hrmlab.specialist.gates.cost import COUNTED
from hrmlab.specialist.ledger import NAME, Ledger
from hrmlab.specialist.trying import examined, register, registration, trial_of
from hrmlab.training.overrides import override_run

FILE = "proposal.json"
AIMS = ("exact", "mean_segments", *COUNTED)


@dataclass(frozen=True)
class Proposed(Result):
    """A proposal and where it is kept. tried: through all gates that it came to."""

    proposal: Proposal
    target: str
    folder: str
    tried: bool


def propose(
    target: str | Path,
    changes: Sequence[str],
    *,
    because: str,
    predict: str,
    aim: str = "exact",
    source: str = "",
    unconfined: bool = False,
    out: str | Path,
    quiet: bool = False,
) -> Proposed:
    """Write a change down with its prediction, and say what can be said without training it.

    Args:
        target: a run, a shipped model, a preset or a configuration file.
        changes: `dotted.key=value`, one thing.
        because: why it should help. predict: what will be measured.
        aim: the measure that it is for, of `AIMS`; all but accuracy are to fall.
        source: of a plug-in, a Python file's text that registers parts which the changes use; it is read, and run in
            the sandbox.
        unconfined: run it even where this system cannot confine it.
        out: a folder to make.

    Raises:
        ConfigError, DataError: what cannot be used, and what to type.
    """
    if aim not in AIMS:
        raise ConfigError(f"--aim {aim} came; wanted one of {', '.join(AIMS)}")
    if not changes:
        raise ConfigError("no change came; wanted dotted.key=value, e.g. model.schedule.grad_window=4")
    folder, config = Path(out), find_config(target)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty; choose another --out")
    spelled = list(changes) if source else spelled_out(changes)
    if not source:
        override_run(config, spelled)
    elif aim != "exact":
        raise ConfigError(f"--aim {aim} came with a plug-in, whose own word on costs decides nothing; wanted exact")
    proposal = Proposal(
        id="p1",
        title=", ".join(changes),
        rule="proposed by hand",
        changes=spelled,
        aim=aim,
        better="higher" if aim == "exact" else "lower",
        prediction=predict,
        principle="",
        rationale=because,
        explanation="",
        implications="",
        testing="",
        source=source,
    )
    ledger = Ledger(folder / NAME)
    ledger.append("judge", {"target": str(target)}, {"sha256": fingerprint()})
    register(proposal, str(target), ledger)
    told = examined(proposal, _trial(proposal, str(target), folder, 1, 1, unconfined, quiet), train=False)
    return _kept(told, str(target), folder, tried=False)


def verify(folder: str | Path, *, seeds: int, steps: int, unconfined: bool = False, quiet: bool = False) -> Proposed:
    """Take a proposal through all gates, training included.

    Args:
        unconfined: run a plug-in even where this system cannot confine it.

    Raises:
        DataError: there is no proposal, or it was changed since it was written down.
        HrmLabError: the judge was changed meanwhile.
    """
    if seeds < 1 or steps < 1:
        raise ConfigError(f"--seeds {seeds} --steps {steps} came; wanted 1 or more of each")
    place, judge = Path(folder), fingerprint()
    proposal, target = kept(place / FILE)
    proposal = replace(proposal, gates=[])
    registered = [record.values for record in Ledger(place / NAME).records() if record.tool == "predict"]
    if not registered or registered[0] != registration(proposal, target):
        raise DataError(f"{place / FILE} is not what was written down before it was tried; propose it anew")
    told = examined(proposal, _trial(proposal, target, place, seeds, steps, unconfined, quiet), train=True)
    unchanged(judge)
    return _kept(told, target, place, tried=True)


def _trial(
    proposal: Proposal, target: str, folder: Path, seeds: int, steps: int, unconfined: bool, quiet: bool
) -> Trial:
    ledger = Ledger(folder / NAME)
    registered = next(record for record in ledger.records() if record.tool == "predict")
    sealed = sealed_seed(registered.digest, proposal.id)
    return trial_of(
        proposal,
        target,
        ledger,
        folder,
        seeds=seeds,
        steps=steps,
        sealed=sealed,
        unconfined=unconfined,
        quiet=quiet,
    )


def _kept(proposal: Proposal, target: str, folder: Path, *, tried: bool) -> Proposed:
    told = Proposed(proposal, target, str(folder), tried)
    write_texts(folder, {FILE: json.dumps({"target": target, "proposal": asdict(proposal)}, indent=1) + "\n"})
    return told


def kept(file: Path) -> tuple[Proposal, str]:
    """A proposal on disk, and what it is a change of.

    Raises:
        DataError: there is none, or what is there is none.
    """
    try:
        read = read_json(file)
        return decode(Proposal, read["proposal"]), decode(str, read["target"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"no proposal at {file}; make one with `hrm propose TARGET KEY=VALUE --out DIR`") from None
