"""A request's body, as bytes of anybody, and what it asks for."""

import asyncio
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request

from hrmlab.reading import parsed, whole
from hrmlab.web.limits import Limits
from hrmlab.web.refusal import Refusal

M = TypeVar("M", bound=BaseModel)


class Question(BaseModel):
    """Puzzles to solve: one as `puzzle`, or several as `puzzles`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    puzzle: Annotated[str | None, Field(description="as `hrm solve` takes it, e.g. 81 digits with . for empty")] = None
    puzzles: Annotated[list[str] | None, Field(min_length=1, description="answered together, in their order")] = None
    timeout: Annotated[float | None, Field(gt=0, allow_inf_nan=False, description="seconds until it is given up")] = (
        None
    )
    stream: Annotated[bool, Field(description="events of every segment (text/event-stream)")] = False

    @property
    def texts(self) -> list[str]:
        return [self.puzzle] if self.puzzle is not None else self.puzzles or []


SCHEMA: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Question.model_json_schema()}}}
}


async def question(request: Request, limits: Limits) -> Question:
    """Which puzzles are asked.

    Raises:
        Refusal: as `asked`; or too many puzzles (413), or one and several of them (422).
    """
    found = await asked(request, limits, Question)
    if (found.puzzle is None) == (found.puzzles is None):
        raise Refusal(422, "wanted either puzzle, a text, or puzzles, a list of them")
    if len(found.texts) > limits.batch:
        raise Refusal(413, f"{len(found.texts)} puzzles came; wanted {limits.batch} at most in one request")
    return found


async def asked(request: Request, limits: Limits, kind: type[M]) -> M:
    """What a body says, as one of `kind`.

    Raises:
        Refusal: it is no JSON (400), not told to be (415), too much (413), too slow (408) or not what is wanted (422).
    """
    content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content != "application/json":
        raise Refusal(415, f"content type '{content}' came; wanted application/json")
    try:
        data = parsed(await asyncio.wait_for(body(request, limits.body), limits.upload))
    except TimeoutError:
        raise Refusal(408, f"the body did not come in {limits.upload:.0f} s") from None
    except ValueError as error:
        raise Refusal(400, f"the body is no JSON: {error}") from None
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise Refusal(422, _why(error)) from None


async def body(request: Request, most: int) -> bytes:
    """The body, read no further than it may be long.

    Raises:
        Refusal: it is longer (413), or whoever sends it is gone.
    """
    told = request.headers.get("content-length", "")
    size = whole(told) or 0
    parts, length = [], 0
    try:
        async for part in request.stream():
            length += len(part)
            if max(length, size) > most:
                raise Refusal(413, f"a body of {max(length, size)} bytes came; wanted {most} at most")
            parts.append(part)
    except ClientDisconnect:
        raise Refusal(400, "the connection was closed before the body had come") from None
    return b"".join(parts)


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the body"
    return f"{place}: {first['msg']}"
