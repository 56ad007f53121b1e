"""The page's files and questions over HTTP, and who may ask them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from httpx import ASGITransport, AsyncClient
from web.conftest import JOB

from hrmlab import api
from hrmlab.web import watcher as module
from hrmlab.web.app import application
from hrmlab.web.front import Front
from hrmlab.web.limits import Limits
from hrmlab.web.metrics import Metrics
from hrmlab.web.pages import FILES, HERE
from hrmlab.web.refusal import Refusal
from hrmlab.web.watcher import Watcher

pytestmark = pytest.mark.anyio
PUZZLE = ".6.3....4.......56.4......51...1..3."


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    words = ("data.train=8", "data.test=4", "model.size.width=8")
    api.train("sudoku-4x4", words, out=folder / "four", steps=2, device="cpu", quiet=True)
    (folder / "four" / "report.html").write_text("<script>alert(1)</script>")
    return folder


@pytest.fixture(scope="module")
async def watcher(anyio_backend: str, runs: Path) -> AsyncIterator[Watcher]:
    watcher = Watcher(JOB, str(runs))
    yield watcher
    await watcher.close()


@pytest.fixture(scope="module")
async def page(watcher: Watcher) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(application(Front([], Limits(body=20_000)), Metrics(), watcher=watcher))
    async with AsyncClient(transport=transport, base_url="http://localhost", timeout=120) as client:
        yield client


async def tokens(page: AsyncClient) -> list[int]:
    found = await page.post("/watch/read", json={"model": "sudoku-6x6", "text": PUZZLE})
    assert found.json()["problem"] is None
    return list(found.json()["tokens"])


async def test_every_file_of_the_page_is_given(page: AsyncClient) -> None:
    index = await page.get("/")
    assert index.status_code == 200 and "script-src 'self'" in index.headers["content-security-policy"]
    names = [name for names in FILES.values() for name in names]
    for name in names:
        found = await page.get(f"/page/{name}")
        assert found.status_code == 200 and found.headers["x-content-type-options"] == "nosniff"
        assert f"page/{name}" in index.text
    assert set(names) >= {file.name for file in HERE.iterdir()} - {"index.html"}


@pytest.mark.parametrize("name", ["index.html", "../pages.py", "..%2fpages.py", "%2fetc%2fpasswd", "page.html"])
async def test_no_other_file_is(page: AsyncClient, name: str) -> None:
    assert (await page.get(f"/page/{name}")).status_code == 404


async def test_without_a_page_there_is_none() -> None:
    transport = ASGITransport(application(Front([], Limits()), Metrics()))
    async with AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/")).status_code == (await client.get("/watch/models")).status_code == 404


async def test_models_and_rules(page: AsyncClient, runs: Path) -> None:
    found = (await page.get("/watch/models")).json()
    assert found["models"][0]["name"] == "sudoku-6x6"
    assert {f"{runs}/four", "maze-9x9"} < {model["name"] for model in found["models"]}
    assert {"fixed", "correctness", "q_learning"} <= set(found["rules"]) and "any_of" not in found["rules"]


async def test_an_example_is_a_held_out_puzzle(page: AsyncClient, runs: Path) -> None:
    four = f"{runs}/four"
    first, again, other = [
        (await page.get("/watch/example", params={"model": four, "number": number})).json() for number in (0, 4, 1)
    ]
    assert first == again != other and len(first["tokens"]) == 16
    read = (await page.post("/watch/read", json={"model": four, "text": first["text"]})).json()
    assert read == {"tokens": first["tokens"], "problem": None}


@pytest.mark.parametrize(
    ("path", "question", "status", "why"),
    [
        ("film", {"model": "nothing", "tokens": [1]}, 422, "no run 'nothing'"),
        ("film", {"model": "../four", "tokens": [1]}, 422, "no run '../four'"),
        ("film", {"model": "sudoku-6x6", "tokens": [1, 2]}, 422, "wanted 36"),
        ("film", {"model": "sudoku-6x6", "tokens": [99] * 36}, 422, "of 0 to 7"),
        ("film", {"model": "sudoku-6x6", "tokens": [-1] * 36}, 422, "of 0 to 7"),
        ("film", {"model": "sudoku-6x6", "tokens": [1] * 36}, 422, "exactly one solution"),
        ("film", {"model": "sudoku-6x6", "tokens": [0] * 36}, 422, "cannot be written"),
        ("film", {"model": "sudoku-6x6", "tokens": [1.5] * 36}, 422, "valid integer"),
        ("film", {"model": "sudoku-6x6", "tokens": [1] * 20000}, 413, "bytes"),
        ("film", {"model": "sudoku-6x6"}, 422, "tokens"),
        ("film", {"model": "sudoku-6x6", "tokens": [1], "path": "/etc"}, 422, "path"),
        ("read", {"model": "sudoku-6x6", "text": 5}, 422, "text"),
    ],
)
async def test_what_cannot_be_answered_is_told(
    page: AsyncClient, path: str, question: dict[str, Any], status: int, why: str
) -> None:
    found = await page.post(f"/watch/{path}", json=question)
    assert found.status_code == status and why in found.json()["error"], found.text


@pytest.mark.parametrize(
    "change",
    [{"halting": "no_such"}, {"halting": "fixed("}, {"segments": 0}, {"segments": -1}, {"segments": 10**30}],
)
async def test_rules_and_depths_that_are_none(page: AsyncClient, change: dict[str, Any]) -> None:
    found = await page.post("/watch/film", json={"model": "sudoku-6x6", "tokens": await tokens(page)} | change)
    assert found.status_code == 422 and len(found.json()["error"].split()) > 3, found.text


async def test_a_model_without_attention_has_none_to_show(page: AsyncClient) -> None:
    question = {"model": "sudoku-6x6", "tokens": await tokens(page), "segments": 3}
    assert (await page.post("/watch/looks", json=question)).json() is None


async def test_a_report_runs_apart_from_everything_else(page: AsyncClient) -> None:
    found = await page.get("/watch/report", params={"run": "four"})
    assert found.text == "<script>alert(1)</script>"
    assert "sandbox allow-scripts;" in found.headers["content-security-policy"].replace("scripts", "scripts;")
    assert "allow-same-origin" not in found.headers["content-security-policy"]
    assert (await page.get("/watch/report", params={"run": "../four"})).status_code == 422


async def test_runs_and_their_curves(page: AsyncClient, runs: Path) -> None:
    found = (await page.get("/watch/runs")).json()
    assert found["folder"] == str(runs) and [run["name"] for run in found["runs"]] == ["four"]
    assert (await page.get("/watch/curves", params={"run": "four"})).json()["curves"]
    assert (await page.get("/watch/curves")).status_code == 422


async def test_it_is_begun_again_when_it_has_died(page: AsyncClient, watcher: Watcher) -> None:
    await page.get("/watch/runs")
    (process,) = (child for child in psutil.Process().children() if "hrmlab.web.watching" in child.cmdline())
    process.kill()
    process.wait()
    assert (await page.get("/watch/runs")).status_code in (200, 503)
    assert (await page.get("/watch/runs")).status_code == 200


async def test_one_that_takes_too_long_is_ended(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(JOB)
    try:
        monkeypatch.setattr(module, "TIMEOUT", 0.05)
        with pytest.raises(Refusal, match="not answered in") as refused:
            await watcher.ask("models")
        assert refused.value.status == 504
        monkeypatch.setattr(module, "TIMEOUT", 100.0)
        assert (await watcher.ask("models"))["models"]
        monkeypatch.setattr(module, "WAITING", 0)
        with pytest.raises(Refusal) as refused:
            await watcher.ask("models")
        assert refused.value.status == 429
    finally:
        await watcher.close()


async def test_the_page_is_open_and_its_questions_want_the_token(watcher: Watcher) -> None:
    transport = ASGITransport(application(Front([], Limits()), Metrics(), "sec;ret é", None, watcher=watcher))
    async with AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        assert (await client.get("/")).status_code == (await client.get("/page/live.js")).status_code == 200
        for path in ("/watch/runs", "/watch/models", "/page", "/pages", "http://localhost//"):
            assert (await client.get(path)).status_code == 401, path
        for cookie, status in (("sec%3Bret%20%C3%A9", 200), ("sec", 401), ("", 401), ("%ff", 401)):
            found = await client.get("/watch/runs", headers={"Cookie": f"a=b; hrm_token={cookie}"})
            assert found.status_code == status, cookie
