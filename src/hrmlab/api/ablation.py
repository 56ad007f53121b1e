"""`ablate`: a study from its definition to tables, figures and a verdict in words."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hrmlab.api.places import study_engine
from hrmlab.api.rules import spelled_out
from hrmlab.api.settings import choose_device
from hrmlab.api.study_results import result
from hrmlab.api.study_sources import find_study
from hrmlab.api.targets import find_config
from hrmlab.config import encode
from hrmlab.errors import ConfigError
from hrmlab.reports.study import write_study
from hrmlab.results import Study
from hrmlab.studies import plan as plans
from hrmlab.studies.engines import Engine
from hrmlab.studies.plan import Allowance, expand
from hrmlab.studies.run import run_cells
from hrmlab.studies.store import StudyFolder
from hrmlab.terminal import note
from hrmlab.training.folder import folder_name

CELL = "hrmlab.api.ablating:run_cell"


def ablate(
    study: str | Path | plans.Study,
    overrides: Sequence[str] = (),
    *,
    quick: bool = False,
    jobs: int | None = None,
    engine: str | Engine = "local",
    seeds: int | None = None,
    first_seed: int = 0,
    steps: int | None = None,
    seconds: float | None = None,
    modules: Sequence[str] = (),
    device: str = "auto",
    out: str | Path | None = None,
    quiet: bool = False,
) -> Study:
    """Run all cells of a study that are not done, and compare its arms.

    Args:
        study: a shipped study (`hrm catalog study`), a JSON file, `module:function`, or the study itself.
        overrides: `dotted.key=value` changes of all arms, after the study's own.
        quick: the reduced form of a shipped study, minutes on one core.
        jobs: runs at a time, of one thread each; None is one here, and all of them on another engine.
        engine: where the runs compute: `local`, `ray` or `slurm`, and its settings (`hrm catalog engine`).
        seeds: so many in place of the study's own, counted from `first_seed`.
        steps, seconds: the budget of every run, in place of the study's.
        modules: that every run imports first, for parts of your own.
        out: the study's folder; None is `studies/NAME`. What is done there already is not run again.

    Raises:
        ConfigError, DataError, CheckpointError: what cannot be used, and what to type.
        MissingExtraError: a package that the engine needs is not installed.
        HrmLabError: the first cell failed; nothing else was run.
    """
    if choose_device(device) != choose_device():
        raise ConfigError(
            f"--device {device} came; the runs of a study compute on '{choose_device()}' here; "
            "hide that device from the process, e.g. with CUDA_VISIBLE_DEVICES="
        )
    place = study_engine(engine)
    chosen = _changed(find_study(study, quick=quick), overrides, seeds, first_seed, steps, seconds)
    base = find_config(chosen.base)
    plan = expand(chosen, base)
    folder = StudyFolder(Path(out) if out is not None else Path("studies") / folder_name(chosen.name))
    folder.prepare(encode(chosen), [cell.plain() for cell in plan.cells])
    note(f"{chosen.name}: {len(plan.arms)} arms, {len(chosen.seeds)} seeds, into {folder.path}", quiet)
    ran = run_cells(
        folder, [cell.id for cell in plan.cells], CELL, jobs=jobs, modules=modules, engine=place, quiet=quiet
    )
    words = ["hrm", "ablate", str(folder.path / "study.json"), "--out", f"{folder.path}-again"]
    words += [] if jobs is None else ["--jobs", str(jobs)]
    words += ["--engine", engine] if isinstance(engine, str) and engine != "local" else []
    words += [word for name in modules for word in ("--import", name)]
    return write_study(result(plan, folder, shlex.join(words), ran.reused), folder.path)


def _changed(
    study: plans.Study,
    overrides: Sequence[str],
    seeds: int | None,
    first_seed: int,
    steps: int | None,
    seconds: float | None,
) -> plans.Study:
    """The study with what the caller sets, all its overrides spelled out.

    Raises:
        ConfigError: no seeds, or a budget in both steps and seconds.
    """
    if seeds is not None and seeds < 1:
        raise ConfigError(f"--seeds {seeds} came; wanted 1 or more")
    count = seeds if seeds is not None else len(study.seeds)
    own = seeds is None and not first_seed
    given = steps is not None or seconds is not None
    return replace(
        study,
        overrides=tuple(spelled_out([*study.overrides, *overrides])),
        factors={
            factor: {level: tuple(spelled_out(some)) for level, some in levels.items()}
            for factor, levels in study.factors.items()
        },
        evaluations={name: tuple(spelled_out(some)) for name, some in study.evaluations.items()},
        seeds=study.seeds if own else tuple(range(first_seed, first_seed + count)),
        budget=Allowance(steps=steps, seconds=seconds) if given else study.budget,
    )
