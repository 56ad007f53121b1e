"""The HTTP interface: `POST /solve`, `GET /health`, `GET /metrics`, `GET /openapi.json`, and the page."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException

from hrmlab.web import replies
from hrmlab.web.asking import SCHEMA, Question, question
from hrmlab.web.front import Front
from hrmlab.web.guard import Guard
from hrmlab.web.metrics import TYPE, Metrics
from hrmlab.web.pages import pages
from hrmlab.web.refusal import Refusal
from hrmlab.web.watcher import Watcher

GONE = 499
"""Status, in the log alone, of a request that nobody waits for any more."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": why, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    for status, why in {
        400: "no JSON, or for another host",
        401: "no token, where one is wanted",
        408: "the body came too slowly",
        413: "too many bytes or puzzles",
        415: "not application/json",
        422: "not what is wanted, or no fair puzzle",
        429: "no room now; Retry-After says when",
        503: "the model is being loaded, or the server is closing",
        504: "not answered in time",
    }.items()
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the answer, or several with their count; as events where a stream is asked for",
        "content": {"application/json": {}, "text/event-stream": {}},
    }
}
MEASURES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus' text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def application(
    front: Front,
    metrics: Metrics,
    token: str | None = None,
    hosts: frozenset[str] | None = None,
    *,
    watcher: Watcher | None = None,
    starts: bool = False,
) -> Guard:
    """The application around a front.

    Args:
        token, hosts: as `Guard` takes them.
        watcher: what answers the page; None for no page.
        starts: whether it starts the front and closes it (ASGI's lifespan), for servers other than `hrm serve`.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        await front.start()
        yield
        await front.close()

    app = FastAPI(
        title="hrm-lab", version=version("hrm-lab"), docs_url=None, redoc_url=None, lifespan=life if starts else None
    )
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)

    @app.post(
        "/solve", responses=ANSWERS | REFUSALS, response_class=Response, openapi_extra=SCHEMA, response_model=None
    )
    async def solve(request: Request) -> Response:
        """Answer one puzzle or several, at once or segment by segment."""
        start, status = time.perf_counter(), 500
        try:
            asked = await question(request, front.limits)
            response = await _solve(front, request, asked, lambda: time.perf_counter() - start)
            status = response.status_code
            return response
        except Refusal as refusal:
            status = refusal.status
            raise
        finally:
            metrics.requests.labels(str(status)).inc()
            metrics.seconds.observe(time.perf_counter() - start)

    @app.get("/health", response_model=None, responses={503: {"description": "no puzzle can be taken now"}})
    async def health() -> Response:
        """Whether puzzles are taken, and what solves them."""
        trouble = front.trouble()
        about = {"status": trouble or "ok", "outstanding": front.outstanding, **front.about}
        return JSONResponse(about, 503 if trouble else 200)

    @app.get("/metrics", responses=MEASURES, response_class=Response, response_model=None)
    async def measures() -> Response:
        """What Prometheus reads."""
        metrics.working.set(sum(worker.turn.working for worker in front.workers))
        metrics.waiting.set(sum(worker.turn.waiting for worker in front.workers))
        metrics.restarts.set(sum(worker.restarts for worker in front.workers))
        return Response(metrics.text(), headers={"Content-Type": TYPE})

    if watcher is not None:
        app.include_router(pages(watcher, front.limits))
    described = app.openapi

    def openapi() -> dict[str, Any]:
        schema = described()
        schema.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
    return Guard(app, token, hosts)


async def _solve(front: Front, request: Request, asked: Question, clock: Callable[[], float]) -> Response:
    timeout = min(asked.timeout or front.limits.timeout, front.limits.timeout)
    async with AsyncExitStack() as stack:
        order = await stack.enter_async_context(front.order(asked.texts, timeout, asked.stream))
        if asked.stream:
            kept = stack.pop_all()  # the stream gives up what is left when it ends
            return StreamingResponse(
                _stream(kept, order, clock), media_type="text/event-stream", headers=replies.STREAM
            )
        solutions = await _unless_gone(request, order.answered())
    if solutions is None:
        return Response(status_code=GONE)
    return replies.single(solutions[0]) if asked.puzzle is not None else replies.several(solutions, clock())


async def _stream(kept: AsyncExitStack, order: Any, clock: Callable[[], float]) -> AsyncIterator[bytes]:
    async with kept:
        async for event in replies.streamed(order, clock):
            yield event


async def _unless_gone(request: Request, answers: Any) -> Any:
    """The answers; None where nobody waits for them any more."""
    work, gone = asyncio.ensure_future(answers), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        for task in (work, gone):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return replies.error(refusal.status, refusal.why, refusal.headers)


async def _invalid(request: Request, found: Exception) -> Response:
    assert isinstance(found, RequestValidationError)
    first = found.errors()[0]
    return replies.error(422, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


async def _http(request: Request, found: Exception) -> Response:
    assert isinstance(found, HTTPException)
    known = "; wanted POST /solve, GET /health, /metrics or /openapi.json" if found.status_code in (404, 405) else ""
    return replies.error(found.status_code, f"{found.detail}{known}", dict(found.headers or {}))
