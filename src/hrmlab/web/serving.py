"""`hrm serve`: from arguments to a server that ends when it is told to, with nothing lost that it had accepted."""

import asyncio
import ipaddress
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrmlab.errors import ConfigError, MissingExtraError
from hrmlab.results import Serving
from hrmlab.terminal import note
from hrmlab.web.limits import Limits
from hrmlab.web.protocol import Job

try:
    import uvicorn

    from hrmlab.web.app import application
    from hrmlab.web.front import Front
    from hrmlab.web.metrics import Metrics
    from hrmlab.web.watcher import Watcher
    from hrmlab.web.wire import Wire
    from hrmlab.web.worker import Worker
except ImportError as missing:
    raise MissingExtraError(f"a server needs '{missing.name}'; type `pip install 'hrm-lab[web]'`") from None

TOKEN = "HRM_TOKEN"
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
HEADERS = 1 << 15
"""Bytes of a request's head."""
CONNECTIONS = 1000


def serve(
    job: Job,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token_file: Path | None = None,
    runs: Path | None = None,
    processes: int = 1,
    limits: Limits | None = None,
    quiet: bool = False,
) -> Serving:
    """Answer over HTTP until SIGTERM or Ctrl-C; then take no more, finish what was accepted, and end. A second one ends
    at once.

    Args:
        port: 0 for a free one, which is said.
        token_file: whose first line every request must bear; HRM_TOKEN in the environment does the same.
        runs: a folder whose runs the page shows; None takes `runs`, where there is one.
        processes: that solve, each with the model and all slots.

    Raises:
        ConfigError: the address cannot be used, others could reach it without a token, or the job cannot be done.
    """
    limits = limits or Limits()
    if processes < 1:
        raise ConfigError(f"--processes {processes} came; wanted 1 or more")
    token = _token(token_file)
    if token is None and not _loopback(host):
        raise ConfigError(
            f"--host {host} can be reached by others; wanted a token: type {TOKEN}=SECRET before the command, or "
            "--token-file FILE"
        )
    watcher = Watcher(job, _folder(runs))
    with _bound(host, port) as listening:
        return asyncio.run(_serve(job, listening, token, watcher, processes, limits, quiet))


async def _serve(
    job: Job,
    listening: socket.socket,
    token: str | None,
    watcher: Watcher,
    processes: int,
    limits: Limits,
    quiet: bool,
) -> Serving:
    metrics = Metrics()
    front = Front([Worker(job, metrics.turned) for _ in range(processes)], limits)
    address, port = listening.getsockname()[:2]
    name = f"[{address}]" if ":" in address else address
    url = f"http://{name}:{port}"
    hosts = None if token is not None else LOCAL | {name}
    config = uvicorn.Config(
        application(front, metrics, token, hosts, watcher=watcher),
        lifespan="off",
        log_level="critical",  # a line for each request that is no HTTP would let anybody fill the log; see Guard
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=HEADERS,
        http=Wire,
        limit_concurrency=CONNECTIONS,
        backlog=CONNECTIONS,
        timeout_graceful_shutdown=int(limits.timeout) + 5,
    )
    server = _Server(config, front)
    start = time.monotonic()
    answering = asyncio.create_task(server.serve([listening]))
    loading = asyncio.create_task(front.start())
    try:
        await asyncio.wait((loading, answering), return_when=asyncio.FIRST_COMPLETED)
        if loading.done():
            loading.result()
            about = front.about
            size = f"{about['parameters']:,} parameters"
            note(f"{url} answers {about['model']} ({size}), also in a browser; Ctrl-C ends it", quiet)
            await answering
    finally:
        loading.cancel()
        server.should_exit = True
        await answering
        await asyncio.gather(front.close(), watcher.close())
    counts = {name: int(metrics.registry.get_sample_value("hrm_puzzles_total", {"outcome": name}) or 0)
              for name in ("solved", "wrong", "unchecked", "late")}  # fmt: skip
    return Serving(url, time.monotonic() - start, counts)


class _Server(uvicorn.Server):
    """uvicorn with signals of our own: told to end, it ends well, and with code 0."""

    def __init__(self, config: uvicorn.Config, front: Front) -> None:
        super().__init__(config)
        self.front = front

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _told(self, number: int) -> None:
        if self.front.draining:
            self.force_exit = True
        self.front.draining = self.should_exit = True


def _folder(runs: Path | None) -> str | None:
    if runs is not None and not runs.is_dir():
        raise ConfigError(f"--runs {runs} is no folder; wanted one that runs lie in, as `hrm train` makes them")
    found = runs or Path("runs")
    return str(found) if found.is_dir() else None


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(TOKEN) or None
    try:
        token = file.read_text(encoding="utf-8").split("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {file} cannot be read: {getattr(error, 'strerror', error)}") from None
    if not token:
        raise ConfigError(f"--token-file {file} has no token in its first line")
    return token


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    if not 0 <= port < 1 << 16:
        raise ConfigError(f"--port {port} came; wanted 0 to 65535")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found = socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port") from None
    with found:
        yield found
