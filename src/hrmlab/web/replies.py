"""What is sent back: JSON, also for errors, and events as they come (SSE)."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse

from hrmlab.errors import printable
from hrmlab.results import Solution
from hrmlab.web.front import Order

STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
STATUS = {"late": 504, "lost": 503}
"""Of a single puzzle without an answer, by the reason; any other error is the asker's."""


def error(status: int, why: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A refusal."""
    return JSONResponse({"error": printable(why)}, status, headers)


def single(solution: Solution) -> JSONResponse:
    """The answer to one puzzle."""
    if solution.error is not None:
        return error(STATUS.get(solution.reason or "", 422), solution.error)
    return JSONResponse(asdict(solution))


def several(solutions: list[Solution], seconds: float) -> JSONResponse:
    """The answers to a batch."""
    return JSONResponse({"results": [asdict(solution) for solution in solutions]} | _summary(solutions, seconds))


async def streamed(order: Order, clock: Any) -> AsyncIterator[bytes]:
    """Events `segment`, `answer` for each puzzle, and `end`."""
    async for event in order.events():
        if event.segment is not None:
            yield _event("segment", event.segment)
        elif event.solution is not None:
            yield _event("answer", {"puzzle": event.index} | asdict(event.solution))
    yield _event("end", _summary(order.solutions, clock()))


def _summary(solutions: list[Solution], seconds: float) -> dict[str, Any]:
    return {
        "count": len(solutions),
        "solved": sum(bool(solution.solved) for solution in solutions),
        "errors": sum(solution.error is not None for solution in solutions),
        "seconds": seconds,
    }


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
