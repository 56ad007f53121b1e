"""Who may ask: requests that name another host, or lack the token, end here."""

import hmac
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

from h11 import LocalProtocolError

from hrmlab.web.replies import error

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
OPEN, OPEN_BELOW = ("/health", "/"), "/page/"
"""Paths without a token: for whoever looks whether the server is up, and the page, which asks for the token."""
COOKIE = "hrm_token"
"""In which the page keeps the token, for this site alone."""


class Guard:
    """Around an application.

    Args:
        token: that every request must bear; None for none.
        hosts: names under which this server may be asked, None for any. A page of somebody else, whose name has been
            made to point here (DNS rebinding), asks under its own.
    """

    def __init__(self, app: App, token: str | None, hosts: frozenset[str] | None) -> None:
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refused(scope)
        try:
            await (self.app if refused is None else refused)(scope, receive, send)
        except LocalProtocolError:  # whoever asked has broken HTTP meanwhile, and was told so by uvicorn
            return
        except Exception:  # ours to mend: the one thing that belongs into the log
            traceback.print_exc()
            raise

    def _refused(self, scope: Scope) -> App | None:
        if scope["type"] != "http":
            return None
        headers = dict(scope["headers"])
        if self.hosts is not None and _host(headers.get(b"host", b"")) not in self.hosts:
            return error(400, "the request is for another host; wanted " + " or ".join(sorted(self.hosts)))
        is_open = scope["path"] in OPEN or scope["path"].startswith(OPEN_BELOW)
        if self.token is not None and not is_open and not self._knows(headers):
            return error(401, "wanted the header 'Authorization: Bearer TOKEN'", {"WWW-Authenticate": "Bearer"})
        return None

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        assert self.token is not None
        kind, _, token = headers.get(b"authorization", b"").partition(b" ")
        given = token.strip() if kind.lower() == b"bearer" else _cookie(headers.get(b"cookie", b""))
        return hmac.compare_digest(given, self.token.encode())


def _cookie(header: bytes) -> bytes:
    pairs = (pair.strip().partition(b"=") for pair in header.split(b";"))
    return next((unquote_to_bytes(value) for name, _, value in pairs if name == COOKIE.encode()), b"")


def _host(header: bytes) -> str:
    """Without the port."""
    name = header.decode("latin-1").lower()
    return name[: name.index("]") + 1] if name.startswith("[") and "]" in name else name.partition(":")[0]
