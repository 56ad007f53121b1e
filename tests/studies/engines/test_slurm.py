"""Slurm's jobs by submitit's local executor: the same files and the same processes, without a queue."""

import shutil
from pathlib import Path

import pytest
from study_folders import planned

from hrmlab.errors import ConfigError, HrmLabError
from hrmlab.studies.engines import Slurm
from hrmlab.studies.run import run_cells

pytest.importorskip("submitit", reason="pip install 'hrm-lab[slurm]'")
HERE = Slurm(cluster="local", minutes=5)


def test_cells_are_jobs(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)
    ran = run_cells(folder, ids, "study_cells:good", jobs=2, engine=HERE, quiet=True)
    assert (ran.done, ran.reused, ran.failed) == (3, 0, {})
    assert [folder.status(id).results["own"]["exact"] for id in ids] == [0.0, 1.0, 2.0]
    assert [folder.status(id).results["own"]["threads"] for id in ids] == ["1", "1", "1"]
    assert all(folder.status(id).process is None for id in ids)


def test_a_job_that_dies_is_recorded_with_its_reason(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)
    ran = run_cells(folder, ids, "study_cells:mixed", jobs=2, engine=HERE, quiet=True)
    assert ran.done == 1 and ran.failed[ids[1]] == "seed 1 has a bad day"
    assert "killed by SIGKILL" in ran.failed[ids[2]]


def test_a_study_that_fails_at_once_says_why(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)
    with pytest.raises(HrmLabError, match="no puzzles came"):
        run_cells(folder, ids, "study_cells:bad", engine=HERE, quiet=True)
    assert [folder.status(id).state for id in ids] == ["failed", "planned", "planned"]


@pytest.mark.skipif(shutil.which("srun") is not None, reason="there is a Slurm here, which would take the job")
def test_without_slurm_the_way_out_is_named(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)
    with pytest.raises(ConfigError, match="slurm,cluster=local"):
        run_cells(folder, ids, "study_cells:good", engine=Slurm(), quiet=True)
