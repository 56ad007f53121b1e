"""`tune`: search for a better run than a preset, and give it only if fresh seeds show that it is better."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hrmlab.api.configuring import configure
from hrmlab.api.places import study_engine
from hrmlab.api.training import fresh_path
from hrmlab.api.trials import work_on
from hrmlab.config import encode
from hrmlab.errors import ConfigError, MissingExtraError
from hrmlab.reports.files import write_texts
from hrmlab.reports.pareto import pareto
from hrmlab.results import Tuning
from hrmlab.studies.engines import Engine, Local, Ray
from hrmlab.studies.outcome import conclude
from hrmlab.studies.run import run_cells
from hrmlab.studies.store import StudyFolder
from hrmlab.studies.together import together
from hrmlab.studies.tuning.confirm import confirmation, verdict_of
from hrmlab.studies.tuning.limits import Limits
from hrmlab.studies.tuning.search import Search
from hrmlab.studies.tuning.space import configured, start_of
from hrmlab.studies.tuning.trial import Trial, front, most_accurate
from hrmlab.studies.verdict import Verdict
from hrmlab.terminal import note
from hrmlab.training.config import RunConfig

RUN_CELL = "hrmlab.api.ablating:run_cell"


def tune(
    target: str | Path,
    overrides: Sequence[str] = (),
    *,
    trials: int = 30,
    seconds: float | None = None,
    steps: int | None = None,
    max_params: int | None = None,
    max_flops: int | None = None,
    max_latency_ms: float | None = None,
    max_memory_mb: float | None = None,
    jobs: int = 1,
    engine: str | Engine = "local",
    seeds: int = 5,
    storage: str | None = None,
    modules: Sequence[str] = (),
    seed: int = 0,
    out: str | Path | None = None,
    quiet: bool = False,
) -> Tuning:
    """Search around a preset for a run that solves more puzzles, within limits, and confirm it on fresh seeds.

    Trials are measured on puzzles held back from training; the held-out puzzles are seen by the confirmation alone. A
    search that was interrupted goes on when the same is asked for with the same `out`; from another machine that
    shares `out`, or the database, a second call joins in.

    Args:
        target: the preset or configuration file; it is the first trial, and the result if nothing better is shown.
        trials: to be trained in all.
        seconds, steps: the budget of each, in place of the preset's.
        max_params, max_flops, max_latency_ms, max_memory_mb: as in `studies.tuning.limits`, checked before training.
        jobs: processes at a time, of one thread each.
        engine: where they run: `local`, `ray` or `slurm`, and its settings (`hrm catalog engine`).
        seeds: pairs of runs in the confirmation; with fewer than 5 nothing can be shown.
        storage: the URL of a database for the trials; None for a journal in `out`.
        modules: that every process imports first, for the parts that they register.
        out: a folder; None makes one below `runs/`.

    Raises:
        ConfigError: what cannot be used, or the preset itself is beyond the limits.
        MissingExtraError: Optuna is not installed.
        DataError: `out` holds something else.
    """
    base = configure(target, overrides, seconds, steps, seed)
    if trials < 1 or jobs < 1:
        raise ConfigError(f"--trials {trials} --jobs {jobs} came; wanted 1 or more of each")
    place = study_engine(engine)
    if isinstance(place, Ray) and not place.shared and storage is None:
        raise ConfigError(
            "--engine ray came without --storage, and no node sees the others' files; give a database "
            "(--storage postgresql://...), or say ray,shared=true if --out is the same on all nodes"
        )
    limits = Limits(params=max_params, flops=max_flops, latency_ms=max_latency_ms, memory_mb=max_memory_mb)
    if over := limits.over(limits.needs(base)):
        much = ", ".join(f"{name} {times:.2f} times" for name, times in over.items())
        raise ConfigError(f"{base.name} itself is over the limits ({much}); begin from a smaller one, or widen them")
    folder = Path(out) if out is not None else fresh_path(f"tune-{base.name}")
    kept = storage or str((folder / "journal.log").resolve())
    about = {"base": encode(base), "limits": encode(limits), "storage": kept, "trials": trials, "seed": seed}
    write_texts(folder, {})
    search = Search(base, limits, kept, seed)
    write_texts(folder, {"tune.json": json.dumps(about, indent=1) + "\n"})
    search.forget_the_dead()
    note(f"searching into {folder}; watch it with `optuna-dashboard {kept}`", quiet)
    if jobs == 1 and isinstance(place, Local):
        work_on(search, trials, quiet)
    else:
        together("hrmlab.api.trials:work_along", jobs, folder, modules, place)
    best = most_accurate(search.trials())
    verdict = None
    if best is not None:
        note(f"trial {best.number} was the best; confirming it on {seeds} fresh seeds", quiet)
        config = configured(base, search.space, best.point)
        verdict = _confirmed(base, config, folder / f"confirm-{best.number}", seeds, jobs, modules, place, quiet)
    return concluded(search, best, verdict, folder)


def _confirmed(
    base: RunConfig,
    found: RunConfig,
    path: Path,
    seeds: int,
    jobs: int,
    modules: Sequence[str],
    engine: Engine,
    quiet: bool,
) -> Verdict | None:
    plan, folder = confirmation(base, found, seeds), StudyFolder(path)
    folder.prepare(encode(plan.study), [cell.plain() for cell in plan.cells])
    ids = [cell.id for cell in plan.cells]
    run_cells(folder, ids, RUN_CELL, jobs=jobs, modules=modules, engine=engine, quiet=quiet)
    return verdict_of(conclude(plan, {id: folder.status(id) for id in ids}))


def concluded(search: Search, best: Trial | None, verdict: Verdict | None, folder: Path) -> Tuning:
    """Write what a search came to: the configuration of its best trial if that is accepted, else the preset's own.

    Args:
        best: the trial that was confirmed; None if the preset was the best.
        verdict: on that trial against the preset; None if no pair of runs came to an end.
    """
    trials = search.trials()
    improved = verdict is not None and verdict.decision == "accept"
    config = configured(search.base, search.space, best.point) if best is not None and improved else search.base
    rows = [_row(search, trial) for trial in trials]
    scored = [row for row in rows if row["exact"] is not None]
    fronts = [_row(search, trial) for trial in front(trials)]
    texts = {"best.json": json.dumps(encode(config), indent=1) + "\n", "trials.csv": _table(rows)}
    figure = None
    with suppress(MissingExtraError):
        texts["pareto.svg"] = pareto(scored, [row["number"] for row in fronts])
        figure = str(folder / "pareto.svg")
    told = Tuning(
        study=str(folder),
        trials=dict(Counter(trial.state for trial in trials)),
        front=[{key: row[key] for key in ("number", "preset", "exact", "cost", "changes")} for row in fronts],
        importance=search.importance(),
        candidate=None if best is None else best.number,
        decision=None if verdict is None else verdict.decision,
        effect=None if verdict is None else verdict.effect,
        p=None if verdict is None else verdict.p,
        improved=improved,
        conclusion=_conclusion(best, verdict, improved),
        config=str(folder / "best.json"),
        table=str(folder / "trials.csv"),
        figure=figure,
    )
    write_texts(folder, texts | {"result.json": json.dumps(told.plain(), indent=1) + "\n"})
    return told


def _conclusion(best: Trial | None, verdict: Verdict | None, improved: bool) -> str:
    if best is None:
        return "nothing better than the preset was found; the configuration is the preset's"
    if verdict is None:
        return f"trial {best.number} was better, but no pair of runs confirmed it; the configuration is the preset's"
    if improved:
        return f"trial {best.number} is better than the preset on fresh seeds: {verdict.reason}"
    return f"trial {best.number} was not shown to be better; the configuration is the preset's ({verdict.reason})"


def _row(search: Search, trial: Trial) -> dict[str, Any]:
    start = start_of(search.space)
    score, last = trial.score, trial.rungs.get(max(trial.rungs, default=-1))
    return {
        "number": trial.number,
        "state": trial.state,
        "preset": trial.preset,
        "exact": None if score is None else score.exact,
        "cost": None if score is None else score.cost,
        "last_rung_exact": None if last is None else last.exact,
        "params": trial.needs.get("params"),
        "reason": trial.reason,
        "changes": {name: value for name, value in trial.point.items() if value != start.get(name)},
    }


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"changes": json.dumps(row["changes"])} for row in rows)
    return text.getvalue()
