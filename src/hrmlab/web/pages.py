"""The page, and what it asks: `GET /`, its files below `/page/`, its questions below `/watch/`."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hrmlab.web.asking import asked
from hrmlab.web.limits import Limits
from hrmlab.web.refusal import Refusal
from hrmlab.web.watcher import Watcher

HERE = Path(__file__).parent / "page"
SHARED = Path(__file__).parent.parent / "reports" / "page"
"""Of the reports' page: the board, the charts, the style."""
FILES = {
    HERE: ("live.css", "asking.js", "editor.js", "pane.js", "runs.js", "live.js"),
    SHARED: ("page.css", "charts.js", "board.js", "attention.js", "player.js"),
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
"""What every page of ours may not do; a report may run its own script, but apart from everything else here."""
PAGE = POLICY + "script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
REPORT = POLICY + "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; sandbox allow-scripts"
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
Tokens = Annotated[list[int], Field(max_length=1 << 14)]
Name = Annotated[str, Field(max_length=1000)]


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    model: Name


class Read(_Question):
    """A puzzle as text."""

    text: Annotated[str, Field(max_length=1 << 16)]


class Film(_Question):
    """A puzzle to be followed. name: of an ARC task."""

    tokens: Tokens
    halting: Name | None = None
    segments: int | None = None
    name: Name | None = None


class Looks(_Question):
    """A puzzle whose attention is wanted."""

    tokens: Tokens
    segments: int
    name: Name | None = None


def pages(watcher: Watcher, limits: Limits) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)
    files = {name: folder / name for folder, names in FILES.items() for name in names}

    @router.get("/")
    async def index() -> Response:
        return _file(HERE / "index.html", {"Content-Security-Policy": PAGE})

    @router.get("/page/{name}")
    async def part(name: str) -> Response:
        if name not in files:
            raise Refusal(404, f"no file '{name}'")
        return _file(files[name])

    @router.get("/watch/models")
    async def models() -> Response:
        return JSONResponse(await watcher.ask("models"))

    @router.get("/watch/example")
    async def example(model: str, number: Annotated[int, Field(ge=0, le=1 << 31)]) -> Response:
        return JSONResponse(await watcher.ask("example", model=model, number=number))

    @router.post("/watch/read")
    async def read(request: Request) -> Response:
        return await _answered(watcher, "read", request, limits, Read)

    @router.post("/watch/film")
    async def film(request: Request) -> Response:
        return await _answered(watcher, "film", request, limits, Film)

    @router.post("/watch/looks")
    async def looks(request: Request) -> Response:
        return await _answered(watcher, "looks", request, limits, Looks)

    @router.get("/watch/runs")
    async def runs() -> Response:
        found: list[dict[str, Any]] = await watcher.ask("runs")
        return JSONResponse({"folder": watcher.runs, "runs": found})

    @router.get("/watch/curves")
    async def curves(run: str) -> Response:
        return JSONResponse(await watcher.ask("curves", run=run))

    @router.get("/watch/report")
    async def report(run: str) -> Response:
        return Response(
            await watcher.ask("report", run=run),
            media_type="text/html",
            headers=HEADERS | {"Content-Security-Policy": REPORT},
        )

    return router


async def _answered(
    watcher: Watcher, what: str, request: Request, limits: Limits, kind: type[_Question]
) -> JSONResponse:
    question = await asked(request, limits, kind)
    return JSONResponse(await watcher.ask(what, **question.model_dump()))


def _file(path: Path, headers: dict[str, str] | None = None) -> Response:
    return Response(path.read_bytes(), media_type=TYPES[path.suffix], headers=HEADERS | (headers or {}))
