"""`hrm serve` as people run it: it answers, is told to end, and loses nothing that it had accepted."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("fastapi", reason="wants `pip install 'hrm-lab[web]'`")
httpx = pytest.importorskip("httpx", reason="wants `pip install httpx`")

from e2e.conftest import Hrm  # noqa: E402
from servers import ENVIRONMENT, Server  # noqa: E402

from hrmlab.presets import preset  # noqa: E402

TASK = preset("sudoku-6x6").make().task
PUZZLES = [TASK.format(tokens) for tokens in TASK.generate(1, 64, seed=5).test.inputs]


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    running: list[Server] = []
    yield running
    for server in running:
        server.process.kill()
        server.process.communicate()


def test_told_to_end_it_finishes_what_it_has_accepted(servers: list[Server]) -> None:
    server = Server("--slots", "4", "--json", "--host", "127.0.0.1")
    servers.append(server)
    with httpx.Client(base_url=server.url, timeout=60) as client:
        assert client.post("/solve", json={"puzzle": PUZZLES[0]}).json()["solved"] is True
        workers = psutil.Process(server.process.pid).children()
        assert len(workers) == 1
        found: dict[str, Any] = {}

        def ask() -> None:
            with client.stream("POST", "/solve", json={"puzzles": PUZZLES, "stream": True}) as response:
                found["text"] = "".join(response.iter_text())

        asking = threading.Thread(target=ask)
        asking.start()
        while json.loads(client.get("/health").text)["outstanding"] == 0:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        asking.join(60)
    assert found["text"].count("event: answer") == 64
    summary = json.loads(found["text"].rsplit("data: ", 1)[1])
    assert (summary["count"], summary["errors"]) == (64, 0)
    code, out, error = server.ended()
    assert code == 0 and not error
    assert sum(json.loads(out)["puzzles"].values()) == 65
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=1)


def test_the_front_gone_the_process_that_solves_ends_too(servers: list[Server]) -> None:
    server = Server()
    servers.append(server)
    (worker,) = psutil.Process(server.process.pid).children()
    server.process.kill()
    assert psutil.wait_procs([worker], timeout=20)[1] == []


def test_others_may_reach_it_with_a_token_alone(servers: list[Server], hrm: Hrm, tmp_path: Path) -> None:
    refused = hrm("serve", "sudoku-6x6", "--host", "0.0.0.0", "--port", "0")
    assert refused.code == 2 and "HRM_TOKEN=SECRET" in refused.err and "--token-file" in refused.err
    (tmp_path / "token").write_text("open sesame\n")
    server = Server("--host", "0.0.0.0", "--token-file", str(tmp_path / "token"))
    servers.append(server)
    url = server.url.replace("0.0.0.0", "127.0.0.1")
    assert httpx.get(f"{url}/health").status_code == 200
    asked = {"json": {"puzzle": PUZZLES[0]}}
    assert httpx.post(f"{url}/solve", **asked).status_code == 401
    bearing = {"Authorization": "Bearer open sesame"}
    assert httpx.post(f"{url}/solve", headers=bearing, **asked).json()["solved"] is True
    server.process.send_signal(signal.SIGINT)
    assert server.ended()[0] == 0


def test_mistakes(hrm: Hrm, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = hrm("serve", "sudoku-6x6", "--port", port)
        assert found.code == 2 and f"127.0.0.1:{port}" in found.err and "another --port" in found.err
    for words, said in (
        (("--port", "99999"), "0 to 65535"),
        (("--processes", "0"), "1 or more"),
        (("--timeout", "0"), "--timeout"),
        (("--queue", "-1"), "--queue"),
        (("--token-file", tmp_path / "none"), "none"),
        (("--halting", "nonsense"), "nonsense"),
    ):
        found = hrm("serve", "sudoku-6x6", "--port", "0", "--device", "cpu", *words)
        assert found.code == 2 and said in found.err, words
    assert hrm("serve", "no-such-run", "--port", "0").code == 2


def test_the_front_has_no_torch() -> None:
    """It starts at once, and takes a sixth of the memory of a process that solves."""
    code = "import sys, hrmlab.web.serving, hrmlab.cli.serving; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT).returncode == 0
