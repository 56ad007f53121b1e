"""An answer that is none, in HTTP's terms."""


class Refusal(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        why: one line: what came, and what was wanted.
        retry: seconds after which to try again.
        headers: more to send.
    """

    def __init__(self, status: int, why: str, retry: int | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(why)
        self.status, self.why = status, why
        self.headers = (headers or {}) | ({} if retry is None else {"Retry-After": str(retry)})
