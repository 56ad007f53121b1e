"""What is asked over HTTP, and what comes back."""

import asyncio
import json
from typing import Any

import pytest
from httpx import AsyncClient
from starlette.testclient import TestClient
from web.conftest import JOB

from hrmlab import api
from hrmlab.web.app import application
from hrmlab.web.front import Front
from hrmlab.web.limits import Limits
from hrmlab.web.metrics import Metrics
from hrmlab.web.worker import Worker

pytestmark = pytest.mark.anyio


async def test_one_puzzle(client: AsyncClient, puzzles: list[str]) -> None:
    found = await client.post("/solve", json={"puzzle": puzzles[0]})
    (wanted,) = api.solve("sudoku-6x6", puzzles[:1], device="cpu", quiet=True).results
    assert found.status_code == 200
    answer = found.json()
    assert answer.pop("confidence") == pytest.approx(wanted.confidence, abs=1e-4)
    assert answer == {name: value for name, value in vars(wanted).items() if name != "confidence"}
    assert answer["solved"] is True


async def test_several_of_which_one_is_no_puzzle(client: AsyncClient, puzzles: list[str]) -> None:
    found = (await client.post("/solve", json={"puzzles": [*puzzles[:20], "12", "." * 36]})).json()
    assert (found["count"], found["errors"]) == (22, 2) and 0 < found["seconds"] < 30
    assert [result["input"] for result in found["results"]] == [*puzzles[:20], "12", "." * 36]
    assert found["solved"] == sum(bool(result["solved"]) for result in found["results"]) > 15
    assert "36 cells" in found["results"][20]["error"] and "exactly one solution" in found["results"][21]["error"]


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    pairs = (part.split("\n") for part in text.strip().split("\n\n"))
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]


async def test_segments_as_they_come(client: AsyncClient, puzzles: list[str]) -> None:
    found = await client.post("/solve", json={"puzzles": [puzzles[1], "?", puzzles[2]], "stream": True})
    assert found.headers["content-type"].startswith("text/event-stream")
    told = events(found.text)
    plain = (await client.post("/solve", json={"puzzles": [puzzles[1], "?", puzzles[2]]})).json()
    for index in (0, 2):
        segments = [data for name, data in told if name == "segment" and data["puzzle"] == index]
        (answer,) = [data for name, data in told if name == "answer" and data["puzzle"] == index]
        assert [data["segment"] for data in segments] == list(range(1, answer["segments"] + 1))
        assert [data["done"] for data in segments] == [False] * (len(segments) - 1) + [True]
        assert segments[-1]["output"] == answer["output"] == plain["results"][index]["output"]
    assert told[-1][0] == "end" and told[-1][1]["count"] == 3 and told[-1][1]["errors"] == 1
    assert [name for name, _ in told].count("answer") == 3


@pytest.mark.parametrize(
    ("status", "said", "body"),
    [
        (400, "no JSON", b"{"),
        (400, "not UTF-8", b'{"puzzle": "\xff"}'),
        (400, "deep", b'{"puzzle": ' + b"[" * 15_000),
        (413, "20000 at most", b'{"puzzle": "' + b"1" * 20_000 + b'"}'),
        (413, "40 at most", json.dumps({"puzzles": ["1"] * 41}).encode()),
        (422, "either puzzle", b"{}"),
        (422, "either puzzle", b'{"puzzle": "1", "puzzles": ["1"]}'),
        (422, "puzzles", b'{"puzzles": []}'),
        (422, "valid string", b'{"puzzle": 1}'),
        (422, "timeout", b'{"puzzle": "1", "timeout": NaN}'),
        (422, "timeout", b'{"puzzle": "1", "timeout": 0}'),
        (422, "36 cells", b'{"puzzle": "1"}'),
        (422, "Extra", b'{"puzzle": "1", "halting": "fixed"}'),
        (422, "dictionary", b"[]"),
    ],
)
async def test_what_is_not_wanted_is_refused_in_words(client: AsyncClient, status: int, said: str, body: bytes) -> None:
    found = await client.post("/solve", content=body, headers={"content-type": "application/json"})
    assert found.status_code == status and said in found.json()["error"]


async def test_other_paths_methods_and_types(client: AsyncClient) -> None:
    found = await client.post("/solve", content=b"{}", headers={"content-type": "text/plain"})
    assert found.status_code == 415 and "text/plain" in found.json()["error"]
    assert (await client.get("/solve")).status_code == 405
    nowhere = await client.get("/docs")
    assert nowhere.status_code == 404 and "POST /solve" in nowhere.json()["error"]


async def test_a_body_that_does_not_come(client: AsyncClient) -> None:
    async def slow() -> Any:
        yield b'{"puzzle": '
        await asyncio.sleep(1.5)
        yield b'"1"}'

    found = await client.post("/solve", content=slow(), headers={"content-type": "application/json"})
    assert found.status_code == 408


async def test_more_than_there_is_room_for_is_told_to_come_later(
    client: AsyncClient, front: Front, puzzles: list[str]
) -> None:
    first = asyncio.create_task(client.post("/solve", json={"puzzles": puzzles[:30]}))
    while front.outstanding < 30:
        await asyncio.sleep(0.001)
    second = await client.post("/solve", json={"puzzles": puzzles[:30]})
    assert second.status_code == 429 and int(second.headers["retry-after"]) >= 1
    assert "30 puzzles are before you" in second.json()["error"]
    assert (await client.post("/solve", json={"puzzle": puzzles[0]})).status_code == 200
    assert (await first).json()["errors"] == 0


async def test_what_is_not_answered_in_time_is_given_up(client: AsyncClient, front: Front, puzzles: list[str]) -> None:
    found = await client.post("/solve", json={"puzzle": puzzles[0], "timeout": 1e-6})
    assert found.status_code == 504 and "in time" in found.json()["error"]
    several = await client.post("/solve", json={"puzzles": puzzles[:2], "timeout": 1e-6})
    assert [result["reason"] for result in several.json()["results"]] == ["late", "late"]
    assert front.outstanding == 0


async def test_what_is_said_of_itself(client: AsyncClient, metrics: Metrics) -> None:
    health = (await client.get("/health")).json()
    assert health["status"] == "ok" and health["model"] == "sudoku-6x6" and health["parameters"] > 10_000
    text = (await client.get("/metrics")).text
    assert 'hrm_requests_total{status="200"}' in text and "hrm_segment_seconds_bucket" in text
    solved = metrics.registry.get_sample_value("hrm_puzzles_total", {"outcome": "solved"})
    assert solved is not None and solved > 20
    schema = (await client.get("/openapi.json")).json()
    assert set(schema["paths"]) == {"/solve", "/health", "/metrics"}
    assert schema["paths"]["/solve"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]


def test_other_servers_start_it_and_close_it(puzzles: list[str]) -> None:
    """As uvicorn alone does, or Ray (examples/ray/server.py)."""
    front = Front([Worker(JOB)], Limits())
    with TestClient(application(front, Metrics(), starts=True), base_url="http://localhost") as client:
        assert client.post("/solve", json={"puzzle": puzzles[0]}).json()["solved"] is True
    assert front.trouble() == "starting" and front.outstanding == 0
