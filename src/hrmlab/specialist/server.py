"""The tools over the Model Context Protocol, for coding agents."""

import functools
import inspect
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrmlab.errors import HrmLabError, MissingExtraError
from hrmlab.specialist.persona import own
from hrmlab.specialist.tools import TOOLS, Tool, Workshop

if TYPE_CHECKING:
    from mcp.server import MCPServer

LOOPBACK = "127.0.0.1"


def default_state() -> Path:
    """Where servers keep proposals, runs and jobs: the user's state folder."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "hrm-lab"


def server(shop: Workshop) -> "MCPServer[Any]":
    """A server of all tools.

    Raises:
        MissingExtraError: the SDK is not installed.
    """
    try:
        from mcp.server import MCPServer
        from mcp.types import ToolAnnotations
    except ImportError:
        raise MissingExtraError("the server needs the MCP SDK; type `pip install 'hrm-lab[mcp]'`") from None
    made: MCPServer[Any] = MCPServer("hrm", instructions=own().text)
    for tool in TOOLS:
        hints = ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.kind != "writes",
            destructive_hint=False,
            idempotent_hint=tool.repeats,
            open_world_hint=False,
        )
        made.add_tool(bound(tool, shop), name=tool.name, title=tool.title, annotations=hints)
    return made


def serve(shop: Workshop, port: int | None = None) -> None:
    """Answer on standard input and output, or on a port of this machine, until the client goes; jobs end with it."""
    made = server(shop)

    def end(number: int, _frame: object) -> None:
        shop.jobs.close()
        os._exit(128 + number)  # a thread that reads standard input would hold up any other end

    signal.signal(signal.SIGTERM, end)
    try:
        if port is None:
            made.run("stdio")
        else:
            made.run("streamable-http", host=LOOPBACK, port=port)
    finally:
        shop.jobs.close()


def bound(tool: Tool, shop: Workshop) -> Callable[..., dict[str, Any]]:
    """A tool's function without the workshop, whose errors reach the model with their way out."""
    from mcp.server.mcpserver.exceptions import ToolError

    @functools.wraps(tool.function)
    def call(*arguments: Any, **named: Any) -> dict[str, Any]:
        try:
            return tool.function(shop, *arguments, **named)
        except HrmLabError as error:
            raise ToolError(str(error)) from None

    signature = inspect.signature(tool.function)
    parameters = list(signature.parameters.values())[1:]
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {name: value for name, value in tool.function.__annotations__.items() if name != "shop"}
    return call
