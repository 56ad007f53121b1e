"""A model that answers, in processes of its own, and puzzles for it."""

from collections.abc import AsyncIterator

import pytest

pytest.importorskip("fastapi", reason="wants `pip install 'hrm-lab[web]'`")
pytest.importorskip("prometheus_client", reason="wants `pip install 'hrm-lab[web]'`")

from httpx import ASGITransport, AsyncClient

from hrmlab.presets import preset
from hrmlab.web.app import application
from hrmlab.web.front import Front
from hrmlab.web.limits import Limits
from hrmlab.web.metrics import Metrics
from hrmlab.web.protocol import Job
from hrmlab.web.worker import Worker

JOB = Job("sudoku-6x6", device="cpu", threads=1, slots=8)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def puzzles() -> list[str]:
    task = preset("sudoku-6x6").make().task
    return [task.format(tokens) for tokens in task.generate(1, 48, seed=3).test.inputs]


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture(scope="module")
async def front(anyio_backend: str, metrics: Metrics) -> AsyncIterator[Front]:
    front = Front([Worker(JOB, metrics.turned)], Limits(queue=24, batch=40, body=20_000, timeout=30, upload=0.5))
    await front.start()
    yield front
    await front.close()


@pytest.fixture(scope="module")
async def client(front: Front, metrics: Metrics) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(application(front, metrics))
    async with AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        yield client
