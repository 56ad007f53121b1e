"""The process that solves: what it is asked, when it dies, and when nobody waits for it any more."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from httpx import ASGITransport, AsyncClient
from web.conftest import JOB

from hrmlab.errors import ConfigError
from hrmlab.web.app import application
from hrmlab.web.front import Front
from hrmlab.web.limits import Limits
from hrmlab.web.metrics import Metrics
from hrmlab.web.protocol import Found, Job, Late, Lost, Said
from hrmlab.web.refusal import Refusal
from hrmlab.web.worker import Worker

pytestmark = pytest.mark.anyio
ENDLESS = Job("sudoku-6x6", halting="fixed,max_segments=100000", device="cpu", threads=1, slots=2)
"""Not done before it is told so."""


@pytest.fixture(scope="module")
async def slow(anyio_backend: str) -> AsyncIterator[Front]:
    front = Front([Worker(ENDLESS)], Limits())
    await front.start()
    yield front
    await front.close()


async def until(true: object) -> None:
    async with asyncio.timeout(100):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_what_is_forgotten_makes_room(slow: Front, puzzles: list[str]) -> None:
    (worker,) = slow.workers
    tokens, heard = slow.task.parse(puzzles[0]).tolist(), list[Said]()
    numbers = [worker.ask(tokens, heard.append) for _ in range(5)]
    await until(lambda: (worker.turn.working, worker.turn.waiting) == (2, 3))
    for number in numbers[:4]:
        worker.forget(number)
    await until(lambda: (worker.turn.working, worker.turn.waiting) == (1, 0))
    worker.forget(numbers[4])
    worker.forget(numbers[4])
    assert not worker.asked and not heard


async def test_a_request_that_nobody_waits_for_is_given_up(slow: Front, puzzles: list[str]) -> None:
    """The connection is closed before the answer: by hand, as a test client never does it."""
    app, sent, gone = application(slow, Metrics()), [], asyncio.Event()
    body = b'{"puzzle": "%s"}' % puzzles[0].encode()
    coming = iter([{"type": "http.request", "body": body}])

    async def receive() -> dict[str, object]:
        if (message := next(coming, None)) is not None:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/solve", "headers": headers, "query_string": b""}
    request = asyncio.create_task(app(scope, receive, send))
    await until(lambda: slow.outstanding == 1)
    gone.set()
    await asyncio.wait_for(request, 10)
    assert slow.outstanding == 0
    (worker,) = slow.workers
    assert worker.ready is not None and not worker.asked


async def test_a_stream_that_nobody_reads_is_given_up(slow: Front, puzzles: list[str]) -> None:
    async with slow.order([puzzles[0]], 30.0, watched=True) as order:
        events = order.events()
        seen = [await anext(events) for _ in range(3)]
        assert [event.segment["segment"] for event in seen if event.segment] == [1, 2, 3]
        assert slow.outstanding == 1
    assert slow.outstanding == 0


async def test_answers_that_came_in_time_are_read_whenever(
    front: Front, puzzles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a slow reader of a stream, long after the time of its puzzles."""
    monkeypatch.setattr("hrmlab.web.front.GRACE", 0.0)
    async with front.order([puzzles[0], "1", puzzles[1]], 5.0, watched=True) as order:
        await until(lambda: front.outstanding == 0)
        order._until = 0.0
        solutions = await asyncio.wait_for(order.answered(), 10)
    assert [solution.reason for solution in solutions] == ["halted", None, "halted"]
    assert solutions[0].output and solutions[2].output


async def test_time_that_is_over_ends_work_in_a_slot(slow: Front, puzzles: list[str]) -> None:
    async with slow.order([puzzles[0]], 0.3, watched=False) as order:
        (solution,) = await order.answered()
    assert solution.reason == "late" and solution.input == puzzles[0]


async def test_a_process_that_says_nothing_holds_nobody_up(
    slow: Front, puzzles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped for a while: late is said by the front. Stopped for long, it is ended and another one begun."""
    (worker,) = slow.workers
    before = worker._process
    assert before is not None
    before.send_signal(signal.SIGSTOP)
    monkeypatch.setattr("hrmlab.web.front.GRACE", 0.1)
    async with slow.order([*puzzles[:2], "1"], 0.1, watched=False) as order:
        solutions = await asyncio.wait_for(order.answered(), 10)
    assert [solution.reason for solution in solutions] == ["late", "late", None] and slow.outstanding == 0
    monkeypatch.setattr("hrmlab.web.worker.STUCK", 0.2)
    before.send_signal(signal.SIGCONT)  # so that it is heard once more, and the new patience holds
    async with slow.order(puzzles[:1], 60.0, watched=True) as order:
        events = order.events()
        assert (await anext(events)).segment is not None
        before.send_signal(signal.SIGSTOP)
        ends = [event.solution.reason async for event in events if event.solution]
    assert ends == ["lost"]
    await until(lambda: worker.ready is not None)
    assert worker._process is not before and worker.restarts == 1


async def test_a_process_that_dies_is_replaced_and_what_it_had_is_said_to_be_lost(puzzles: list[str]) -> None:
    worker = Worker(JOB)
    front = Front([worker], Limits())
    with pytest.raises(Refusal, match="starting"):
        async with front.order(puzzles[:1], 1.0, watched=False):
            pass
    await front.start()
    try:
        app = application(front, Metrics())
        async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost", timeout=60) as client:
            heard: list[Said] = []
            worker.ask(front.task.parse(puzzles[0]).tolist(), heard.append)
            assert worker._process is not None
            worker._process.send_signal(signal.SIGSTOP)
            asked = asyncio.create_task(client.post("/solve", json={"puzzle": puzzles[0]}))
            await until(lambda: front.outstanding == 2)
            worker._process.kill()
            answer = await asked
            assert answer.status_code == 503 and "died" in answer.json()["error"]
            assert [type(said) for said in heard] == [Lost]
            health = await client.get("/health")
            assert (health.status_code, health.json()["status"]) == (503, "starting")
            refused = await client.post("/solve", json={"puzzle": puzzles[0]})
            assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
            await until(lambda: worker.ready is not None)
            assert (await client.post("/solve", json={"puzzle": puzzles[0]})).status_code == 200
            assert worker.restarts == 1
    finally:
        await front.close()
    assert front.outstanding == 0 and worker._process.returncode is not None


async def test_two_processes_share_the_work(puzzles: list[str]) -> None:
    front = Front([Worker(ENDLESS), Worker(ENDLESS)], Limits())
    await front.start()
    try:
        async with AsyncExitStack() as orders:
            for puzzle in puzzles[:16]:
                await orders.enter_async_context(front.order([puzzle], 30.0, watched=False))
            assert [len(worker.asked) for worker in front.workers] == [8, 8]
            await until(lambda: all(worker.turn.working == 2 for worker in front.workers))
        assert front.outstanding == 0
    finally:
        await front.close()


async def test_a_job_that_cannot_be_done_is_refused() -> None:
    worker = Worker(Job("nowhere", device="cpu"))
    with pytest.raises(ConfigError, match="nowhere"):
        await worker.start()
    await worker.close()


async def test_answers_are_those_asked_for_whatever_else_is_going_on(front: Front, puzzles: list[str]) -> None:
    (worker,) = front.workers
    heard: dict[int, Said] = {}
    for index, puzzle in enumerate(puzzles):
        late = index % 5 == 4
        worker.ask(
            front.task.parse(puzzle).tolist(),
            lambda said, index=index: heard.update({index: said}),
            until=0.0 if late else None,
        )
    await until(lambda: len(heard) == len(puzzles))
    assert {index for index, said in heard.items() if isinstance(said, Late)} == set(range(4, len(puzzles), 5))
    assert all(isinstance(said, Found) for index, said in heard.items() if index % 5 != 4)
