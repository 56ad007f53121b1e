"""Tools that only read: what there is, what a model is, what was measured."""

from pathlib import Path
from typing import Any

from hrmlab.errors import DataError
from hrmlab.specialist.tools.workshop import Workshop, brief, told

PAGE = 20


def hrm_catalog(shop: Workshop, kind: str | None = None, search: str = "", offset: int = 0) -> dict[str, Any]:
    """Parts, presets, models, probes and studies by kind, with a line on each. Pages of 20.

    kind: block, attention, halting, schedule, embedding, optimiser, preset, model, probe, study, task and more; all
    kinds if left out. search: only entries with this word.
    """
    from hrmlab import api

    items = [vars(item) for item in api.catalog(kind).items]
    found = [item for item in items if search.lower() in " ".join(map(str, item.values())).lower()]
    page = found[offset : offset + PAGE]
    more = offset + PAGE < len(found)
    return {"items": page, "total": len(found), "next_offset": offset + PAGE if more else None}


def hrm_inspect(shop: Workshop, target: str, changes: list[str] | None = None) -> dict[str, Any]:
    """The schedule, parameters, operations and memory of a model, counted without making it. Measures nothing.

    target: a preset, a shipped model, a run or a configuration file. changes: dotted.key=value.
    """
    from hrmlab import api

    found = api.inspect(shop.target(target), shop.changes(changes)).plain()
    return {name: brief(value) for name, value in found.items() if name not in ("table", "picture")}


def hrm_compare(shop: Workshop, a: str, b: str) -> dict[str, Any]:
    """What differs between two models: settings, recurrence, which weights carry over, costs. No weights are read."""
    from hrmlab import api

    found: dict[str, Any] = brief(api.compare(shop.target(a), shop.target(b)).plain())
    return found


def hrm_evidence(shop: Workshop, folder: str, id: str | None = None) -> dict[str, Any]:
    """The measurements of a consultation or proposal, from its hash-chained ledger; one in full by its id.

    folder: what hrm_consult, hrm_propose or hrm_verify gave as `folder`.
    """
    from hrmlab.specialist.ledger import NAME, Ledger

    file = Ledger(Path(shop.inside(folder)) / NAME)
    records = [vars(record) for record in file.records()]
    if id is not None:
        chosen = [record for record in records if record["id"] == id]
        if not chosen:
            raise DataError(
                f"no evidence '{id}' in {folder}; there are {', '.join(r['id'] for r in records) or 'none'}"
            )
        return {"records": chosen, "intact": True}
    return {"records": [brief(record, 6) for record in records], "intact": True}


def hrm_job(shop: Workshop, job_id: str, wait_s: float = 0.0) -> dict[str, Any]:
    """A job as it stands after at most wait_s seconds (40 at most): state, log, and the result when it is done."""
    return told(shop.jobs.look(job_id, min(wait_s, 40.0)))
