"""The specialist's examination without a language model: rules and gates on cases whose answer is known.

    python benchmarks/specialist/run.py

Prints every case and the score, and keeps both beside this file (results.json). A minute on one core; nothing is
trained.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from cases import ADVICE, CHANGES, COSTS, HRM, SMALL, Advice, Change, Cost

from hrmlab import api
from hrmlab.api.rules import spelled_out
from hrmlab.config import encode
from hrmlab.errors import HrmLabError
from hrmlab.presets import preset
from hrmlab.specialist.facts import examine
from hrmlab.specialist.ledger import NAME, Ledger
from hrmlab.specialist.proposing import propose
from hrmlab.specialist.rules import drafts
from hrmlab.specialist.topics import topics_of
from hrmlab.training.overrides import override_run

HERE = Path(__file__).parent


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (kind, name, wanted, found, right) in enumerate(answers(Path(folder))):
            print(
                f"{'right' if right else 'WRONG':<6} {kind:<7} {name}: {found}"
                + ("" if right else f" (wanted {wanted})")
            )
            rows.append({"case": number, "kind": kind, "name": name, "wanted": wanted, "found": found, "right": right})
    score = sum(row["right"] for row in rows)
    print(f"{score} of {len(rows)}")
    about = {"score": score, "cases": len(rows), "by": "rules and gates, no language model", "rows": rows}
    (HERE / "results.json").write_text(json.dumps(about, indent=1) + "\n")


def answers(folder: Path) -> Iterator[tuple[str, str, Any, Any, bool]]:
    """Kind, name, what was wanted, what was found, whether it is right."""
    for number, case in enumerate(ADVICE):
        yield ("advice", case.name, *advised(case, folder / f"a{number}"))
    for number, change in enumerate(CHANGES):
        yield ("change", change.name, *stopped(change, folder / f"c{number}"))
    for cost in COSTS:
        yield ("cost", cost.name, *counted(cost))


def model(changes: tuple[str, ...], folder: Path) -> Path:
    folder.mkdir()
    config = override_run(preset(HRM).make(), spelled_out([*SMALL, *changes]))
    file = folder / "model.json"
    file.write_text(json.dumps(encode(config)))
    return file


def advised(case: Advice, folder: Path) -> tuple[str, str, bool]:
    target = model(case.changes, folder)
    facts = examine(target, case.problem, topics_of(case.problem), Ledger(folder / NAME), n=8, quiet=True)
    found = [draft.rule for draft in drafts(facts)]
    right = (not case.wanted or case.wanted in found[: case.within]) and case.unwanted not in found
    return case.wanted or f"not {case.unwanted}", ", ".join(found[:3]), right


def stopped(case: Change, folder: Path) -> tuple[str, str, bool]:
    target = model((), folder)
    try:
        told = propose(
            target, case.changes, because="", predict="", aim=case.aim, out=folder / "proposal", quiet=True
        ).proposal  # fmt: skip
        at = [gate.name for gate in told.gates if gate.passed is False]
    except HrmLabError:
        at = ["build"]  # the configuration itself refuses it
    return case.stopped or "nowhere", at[0] if at else "nowhere", (at[0] if at else "") == case.stopped


def counted(case: Cost) -> tuple[float, float, bool]:
    found = api.inspect(case.target, spelled_out(case.changes)).plain()
    if case.path.startswith("ratio."):
        one, other = case.path.removeprefix("ratio.").split("/")
        base = api.inspect(case.target, ["model.schedule.grad_window=6"]).flops
        below = base[one] if other == "base" else found["flops"][other]
        value: Any = found["flops"][one] / below
    else:
        value = found
        for name in case.path.split("."):
            value = value[name]
    return case.known, value, abs(value - case.known) < 1e-9


if __name__ == "__main__":
    main()
