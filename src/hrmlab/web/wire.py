"""HTTP/1.1 as uvicorn speaks it, with no traceback for what others send."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class Wire(H11Protocol):
    """uvicorn's, which answers with 400 whatever is no HTTP, also after the last answer that a connection may have."""

    def send_400_response(self, msg: str) -> None:
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # it has answered, and promised to close
            self.transport.close()
