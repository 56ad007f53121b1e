"""A process that solves, seen from the front: puzzles go in, and what becomes of them is told to whoever asked."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from hrmlab.errors import ConfigError, HrmLabError
from hrmlab.terminal import note
from hrmlab.web.protocol import Ask, Failed, Forget, Found, Job, Late, Lost, Ready, Said, Turn, line, message

LINE = 1 << 26
"""Bytes of a line at most: a turn with an answer of every slot."""
MEMORY = 0.98
"""Share that the speed keeps of what it was, at each turn: bursts of answers are many turns apart."""
STUCK = 120.0
"""Seconds without a word from a process that has work, after which it is ended: no segment takes that long."""
PATIENCE, LONGEST_PAUSE = 5.0, 30.0
"""Seconds that a process has to end by itself, and between two tries to start one."""

Hear = Callable[[Said], None]
_numbers = count(1)


class Worker:
    """One process. It is started again when it dies; what it worked on is lost then, and said to be.

    heard: is told of every turn.
    """

    def __init__(self, job: Job, heard: Callable[[Turn], None] = lambda turn: None) -> None:
        self.job, self.heard = job, heard
        self.ready: Ready | None = None
        self.asked: dict[int, Hear] = {}
        self.restarts = 0
        self.turn = Turn(0.0, 0, 0)
        self._answers, self._seconds = 0.0, 0.0
        self._process: Process | None = None
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> Ready:
        """Begin, and wait until the model is loaded.

        Raises:
            HrmLabError: what the process found wrong with its job.
        """
        ready = await self._begin()
        self._life = asyncio.create_task(self._live())
        return ready

    @property
    def rate(self) -> float | None:
        """Puzzles a second while there is work; None before any was answered."""
        return self._answers / self._seconds if self._answers else None

    def wait(self, more: int) -> float:
        """Seconds until so many more puzzles would be answered, as far as is known."""
        return (len(self.asked) + more) / self.rate if self.rate else 0.0

    def ask(self, tokens: list[int], hear: Hear, *, until: float | None = None, watched: bool = False) -> int:
        """Have a puzzle answered; its number. `hear` is told of every segment if it is watched, and of its end."""
        number = next(_numbers)
        self.asked[number] = hear
        self._send(Ask(number, tokens, until, watched))
        return number

    def forget(self, number: int) -> None:
        """Nobody waits for this one any more; it may have been answered."""
        if self.asked.pop(number, None) is not None:
            self._send(Forget(number))

    async def close(self) -> None:
        """End the process; what it works on is lost."""
        if self._life is not None:
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life
        if self._process is not None and self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), PATIENCE)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self.ready = None
        self._lose()

    def _send(self, what: Ask | Forget) -> None:
        if self.ready is not None and self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(line(what))

    async def _begin(self) -> Ready:
        command = (sys.executable, "-m", "hrmlab.web.work")
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, limit=LINE, start_new_session=True
        )  # a session of its own: Ctrl-C is for the front, which lets it finish
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(_job(self.job))
        said = await self._process.stdout.readline()
        found = message(said) if said else Failed("the process that solves ended before it could begin; see above")
        if isinstance(found, Failed):
            await self._process.wait()
            raise ConfigError(found.why)
        assert isinstance(found, Ready)
        self.ready = found
        return found

    async def _live(self) -> None:
        """Pass on what is said; when the process has died, begin again."""
        while True:
            await self._listen()
            self.ready, self.turn = None, Turn(0.0, 0, 0)
            self._lose()
            pause = 1.0
            while self.ready is None:
                self.restarts += 1
                note("the process that solves has died; starting another")
                try:
                    await self._begin()
                except (HrmLabError, OSError) as error:
                    note(f"{error}; trying again in {pause:.0f} s")
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)

    async def _listen(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        while data := await self._line():
            turn = message(data)
            assert isinstance(turn, Turn)
            self.turn = turn
            ended = sum(isinstance(said, Found) for said in turn.said)
            self._answers = MEMORY * self._answers + ended
            self._seconds = MEMORY * self._seconds + turn.seconds
            self.heard(turn)
            for said in turn.said:
                done = isinstance(said, Found | Late)
                hear = self.asked.pop(said.number, None) if done else self.asked.get(said.number)
                if hear is not None:
                    hear(said)
        await self._process.wait()

    async def _line(self) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        while True:
            idle = not self.asked
            try:
                async with asyncio.timeout(STUCK):  # wait_for of Python 3.11 loses a cancellation beside a result
                    return await self._process.stdout.readline()
            except TimeoutError:
                if self.asked and not idle:
                    note(f"the process that solves has said nothing for {STUCK:.0f} s and is ended")
                    self._process.kill()

    def _lose(self) -> None:
        asked, self.asked = self.asked, {}
        for number, hear in asked.items():
            hear(Lost(number))


def _job(job: Job) -> bytes:
    return json.dumps(job.plain()).encode() + b"\n"
