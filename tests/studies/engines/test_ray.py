"""Ray's tasks on a cluster of two nodes, both on this machine; one of them is killed while it works."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from study_folders import planned

from hrmlab.errors import ConfigError
from hrmlab.studies.engines import Ray
from hrmlab.studies.run import run_cells

ray = pytest.importorskip("ray", reason="pip install 'hrm-lab[ray]'")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture
def cluster() -> Iterator["ray.cluster_utils.Cluster"]:  # type: ignore[name-defined]
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.mark.parametrize("shared", [False, True])
def test_cells_are_tasks(tmp_path: Path, cluster: "ray.cluster_utils.Cluster", shared: bool) -> None:  # type: ignore[name-defined]
    folder, ids = planned(tmp_path)
    engine = Ray(address=cluster.address, shared=shared)
    ran = run_cells(folder, ids, "study_cells:good", engine=engine, quiet=True)
    assert (ran.done, ran.reused, ran.failed) == (3, 0, {})
    assert [folder.status(id).results["own"]["exact"] for id in ids] == [0.0, 1.0, 2.0]
    assert all((folder.cell(id) / "calls").read_text() == "x" for id in ids)
    assert all((folder.cell(id) / "log.txt").read_text() == "at work\n" for id in ids)


def test_what_a_lost_node_had_is_begun_again_elsewhere(
    tmp_path: Path,
    cluster: "ray.cluster_utils.Cluster",  # type: ignore[name-defined]
) -> None:
    second = cluster.add_node(num_cpus=1)
    folder, ids = planned(tmp_path, seeds=4)
    lost = []

    def kill() -> None:  # once both nodes have a cell at work
        until = time.monotonic() + 120
        while len(list(folder.path.glob("cells/*/began-*"))) < 2 and time.monotonic() < until:
            time.sleep(0.1)
        lost.append(time.monotonic())
        cluster.remove_node(second, allow_graceful=False)

    run_cells(folder, ids[:1], "study_cells:good", engine=Ray(address=cluster.address, shared=True), quiet=True)
    killer = Thread(target=kill, daemon=True)
    killer.start()
    ran = run_cells(folder, ids, "study_cells:patient", engine=Ray(address=cluster.address, shared=True), quiet=True)
    killer.join()
    assert lost and (ran.done, ran.failed) == (3, {})
    attempts = [folder.status(id).attempts for id in ids]
    assert sum(attempts) == 5 and max(attempts) == 2


def test_no_cluster_is_one_line(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)
    with pytest.raises(ConfigError, match=r"no Ray cluster answers at '127\.0\.0\.1:9' .*ray start --head"):
        run_cells(folder, ids, "study_cells:good", engine=Ray(address="127.0.0.1:9"), quiet=True)
