"""The process behind the page, seen from the front: begun when the page is first opened, and again when it has died."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from itertools import count
from typing import Any

from hrmlab.web.protocol import Job
from hrmlab.web.refusal import Refusal

LINE = 1 << 26
"""Bytes of an answer at most."""
WAITING = 16
"""Questions under way at once; more are told to come later."""
TIMEOUT = 120.0
"""Seconds for one answer, those before it counted; a process that takes longer is ended."""
PATIENCE = 5.0
"""Seconds that it has to end by itself."""


class Watcher:
    """One process, asked one thing at a time.

    runs: a folder with runs, or None.
    """

    def __init__(self, job: Job, runs: str | None = None) -> None:
        self.job, self.runs = job, runs
        self._process: Process | None = None
        self._numbers = count(1)
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def ask(self, what: str, **arguments: Any) -> Any:
        """An answer of `web.watching.Watching`.

        Raises:
            Refusal: it said why not (422), too many wait (429), it died (503), or it took too long (504).
        """
        if self._waiting >= WAITING:
            raise Refusal(429, f"{self._waiting} questions are before you; try later", retry=1)
        self._waiting += 1
        try:
            async with asyncio.timeout(TIMEOUT), self._turn:
                found, why = await self._asked(what, arguments)
        except TimeoutError:
            raise Refusal(504, f"not answered in {TIMEOUT:.0f} s") from None
        finally:
            self._waiting -= 1
        if why is not None:
            raise Refusal(422, why)
        return found

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _asked(self, what: str, arguments: dict[str, Any]) -> tuple[Any, str | None]:
        process = await self._running()
        assert process.stdin is not None and process.stdout is not None
        number = next(self._numbers)
        process.stdin.write(json.dumps([number, what, arguments]).encode() + b"\n")
        answered = False
        try:
            data = await process.stdout.readline()
            answered = bool(data)
        finally:
            if not answered:  # gone, or given up: what it would still say answers nobody
                with suppress(ProcessLookupError):
                    process.kill()
                self._process = None
        if not data:
            raise Refusal(503, "the process that looks inside died; ask again", retry=1)
        came, found, why = json.loads(data)
        assert came == number
        return found, why

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            command = (sys.executable, "-m", "hrmlab.web.watching")
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, limit=LINE, start_new_session=True
            )
            assert self._process.stdin is not None
            first = {"job": self.job.plain(), "runs": self.runs}
            self._process.stdin.write(json.dumps(first).encode() + b"\n")
        return self._process
