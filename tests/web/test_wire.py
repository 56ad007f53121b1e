"""Bytes that are no HTTP, at a moment when nothing more may be answered."""

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from hrmlab.web.wire import Wire

FIRST = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def answers(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Says all that it has to say, and reads no body."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def complaints(protocol: type[H11Protocol]) -> tuple[bytes, list[str]]:
    """What a client is sent that talks on when it has its answer, and what the event loop then complains of."""
    said: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(str(context["exception"])))
    server = uvicorn.Server(uvicorn.Config(answers, http=protocol, lifespan="off", log_level="critical", port=0))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname()[:2])
    found = b""
    try:
        writer.write(FIRST)
        found = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"not a chunk\r\n")
        found += await reader.read()
    finally:
        writer.close()
        server.should_exit = True
        await serving
    return found, said


def test_a_client_whose_body_turns_out_bad_after_its_answer_is_hung_up_on() -> None:
    found, said = asyncio.run(complaints(Wire))
    assert found.startswith(b"HTTP/1.1 404") and found.count(b"HTTP/1.1") == 1
    assert said == []


def test_uvicorns_own_would_fill_the_log() -> None:
    """Where this fails, uvicorn does it by itself: `Wire` can go."""
    _, said = asyncio.run(complaints(H11Protocol))
    assert len(said) == 1 and "MUST_CLOSE" in said[0]
