"""Several processes on one search in a PostgreSQL database, which a server of its own holds."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hrmlab.presets import preset
from hrmlab.studies.tuning.halving import Score
from hrmlab.studies.tuning.limits import Limits
from hrmlab.studies.tuning.search import Search

pytest.importorskip("optuna", reason="optuna is not installed: pip install 'hrm-lab[studies]'")
pytest.importorskip("psycopg2", reason="no driver for PostgreSQL: pip install psycopg2-binary")
TOOLS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
pytestmark = pytest.mark.skipif(not TOOLS, reason="no PostgreSQL here: apt install postgresql")
BASE = preset("sudoku-4x4").make()
PROGRAM = """
import sys
from hrmlab.presets import preset
from hrmlab.studies.tuning.halving import Score
from hrmlab.studies.tuning.limits import Limits
from hrmlab.studies.tuning.search import Search
search = Search(preset("sudoku-4x4").make(), Limits(), sys.argv[1], None)
search.run(lambda config, go_on: Score(1 - config.model.size.width / 100, float(config.model.size.width)), 12)
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A server below a temporary folder, on a socket alone."""
    own: dict[str, int] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("postgres")
        own = {"user": user.pw_uid, "group": user.pw_gid}
    place = Path(subprocess.check_output(["mktemp", "-d", "/tmp/hrm-pg-XXXXXX"], text=True, **own).strip())  # type: ignore[call-overload]
    control, data = str(TOOLS[-1] / "pg_ctl"), str(place / "data")

    def do(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True, cwd="/", **own)  # type: ignore[call-overload]

    do(control, "init", "-D", data, "-o", "-A trust -U hrm")
    do(control, "start", "-w", "-D", data, "-l", str(place / "log"), "-o", f"-k {place} -c listen_addresses=''")
    try:
        yield f"postgresql+psycopg2://hrm@/postgres?host={place}"
    finally:
        do(control, "stop", "-m", "immediate", "-D", data)
        shutil.rmtree(place, ignore_errors=True)


def test_processes_share_a_search(url: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", PROGRAM, url]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    trials = Search(BASE, Limits(), url).trials()
    done = [trial for trial in trials if trial.score is not None]
    assert len(done) >= 12 and sum(trial.preset for trial in trials) == 1
    assert all(trial.score == Score(1 - trial.point["width"] / 100, float(trial.point["width"])) for trial in done)
