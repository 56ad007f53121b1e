"""What anybody sends to a server: bodies, and bytes that are hardly HTTP. It refuses them and goes on as it was."""

import errno
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from fuzz.damage import damaged, json_files
from fuzz.harness import fuzzed
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="wants `pip install 'hrm-lab[web]'`")

PUZZLE = ".6.3....4.......56.4......51...1..3."
BODIES = ({"puzzle": PUZZLE}, {"puzzles": [PUZZLE, PUZZLE], "timeout": 5.0}, {"puzzle": PUZZLE, "stream": True})
TOKENS = [1, 7, 1, 4, *[1] * 4, 5, *[1] * 7, 6, 7, 1, 5, *[1] * 6, 6, 2, *[1] * 3, 2, 1, 1, 4, 1]
QUESTIONS = {
    "/watch/read": {"model": "sudoku-6x6", "text": PUZZLE},
    "/watch/film": {"model": "sudoku-6x6", "tokens": TOKENS, "halting": "any_of(confidence, residual)", "segments": 2},
    "/watch/looks": {"model": "sudoku-6x6", "tokens": TOKENS, "segments": 2, "name": "x"},
}
HEADS = (
    b"POST /solve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n01234",
    b"POST /solve HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nabcde\r\n0\r\n\r\n",
    b"GET /health?a=b HTTP/1.0\r\nHost: [::1]:8000\r\nConnection: close\r\nAuthorization: Bearer x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nUpgrade: websocket\r\nCookie: a=b\r\n\r\n",
)
CLOSED = {errno.ENOTCONN, errno.ECONNRESET, errno.EPIPE}
"""The server has closed the connection meanwhile: as good an answer as any."""
GROWTH = 60 * 2**20
"""Bytes that a server may grow by, whatever the number of requests."""


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[tuple[int, psutil.Process]]:
    command = ["-m", "hrmlab", "serve", "sudoku-6x6", "--port", "0", "--threads", "1", "--device", "cpu"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    log = home / "server.log"
    with log.open("w") as said, subprocess.Popen([sys.executable, *command], stderr=said, env=environment) as process:
        while not (found := re.search(r":(\d+) answers", log.read_text())):
            assert process.poll() is None
            time.sleep(0.1)
        port, front = int(found[1]), psutil.Process(process.pid)
        workers, before = front.children(), front.memory_info().rss
        yield port, front
        assert set(workers) <= set(front.children()), "the process that solves has died"
        assert front.memory_info().rss < before + GROWTH
        assert post(port, json.dumps(BODIES[0]).encode())[0] == 200
        process.terminate()
        assert process.wait(30) == 0
    assert len(log.read_text().splitlines()) == 1, "nobody can fill the log"


def post(port: int, body: bytes, kind: str = "application/json", path: str = "/solve") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, {"Content-Type": kind, "Host": "localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@fuzzed()
@given(json_files(*BODIES))
def test_bodies(server: tuple[int, psutil.Process], body: bytes) -> None:
    status, answer = post(server[0], body)
    assert status in (200, 400, 413, 422, 429) or (status == 504 and b"timeout" in body), (status, answer)
    if status == 200:
        asked = json.loads(body)
        assert answer.startswith(b"event: ") if asked.get("stream") else json.loads(answer)
    else:
        error = json.loads(answer)["error"]
        assert error.isprintable() and len(error.split()) > 2 and len(error) < 4000


@fuzzed(0.2)
@given(st.sampled_from(sorted(QUESTIONS)), json_files(*QUESTIONS.values()))
def test_questions_of_the_page(server: tuple[int, psutil.Process], path: str, body: bytes) -> None:
    status, answer = post(server[0], body, path=path)
    assert status in (200, 400, 413, 422), (path, status, answer)  # 503 would be: the process that answers has died
    assert json.loads(answer) is None or status == 200 or json.loads(answer)["error"].isprintable()


@fuzzed()
@given(st.lists(damaged(*HEADS), min_size=1, max_size=3))
def test_bytes(server: tuple[int, psutil.Process], pieces: list[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", server[0]), timeout=20) as connection:
        found = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65536):
                found += data
        except OSError as error:
            assert error.errno in CLOSED, (error, pieces, found)
    for status in re.findall(rb"^HTTP/1\.1 (\d+)", found, re.MULTILINE):
        assert status[:1] in b"1234" or (status == b"503" and b"/health" in b"".join(pieces)), found
