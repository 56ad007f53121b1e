"""The process that solves: `python -m hrmlab.web.work`. It takes puzzles from standard input and answers on its output.

It ends when its input does. Whatever else is printed meanwhile goes to standard error.
"""

import json
import os
import select
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from hrmlab.api.rules import halting_rule
from hrmlab.api.settings import choose_device, import_parts, use_threads
from hrmlab.api.targets import Run, find_run
from hrmlab.config import encode
from hrmlab.core.engines import build
from hrmlab.errors import HrmLabError
from hrmlab.halting import HaltingConfig
from hrmlab.inference import desk as desks
from hrmlab.inference.desk import Desk, Request
from hrmlab.inference.puzzles import Frame, Puzzle
from hrmlab.inference.stream import Solver
from hrmlab.tasks.base import Task
from hrmlab.web.protocol import Ask, Failed, Found, Job, Late, Ready, Shown, Turn, line, message

PIECE = 1 << 20


def main() -> None:
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is none of the front's business
    heard = _Lines(0)
    try:
        (first,) = heard.lines(wait=True)
        desk, task, ready = prepare(Job(**json.loads(first)))
    except HrmLabError as error:
        _say(said, Failed(str(error)))
        return
    _say(said, ready)
    try:
        while True:
            for data in heard.lines(wait=not desk.asked):
                hear(desk, message(data))
            if desk.asked:
                _say(said, turn(desk, task))
    except (EOFError, BrokenPipeError):  # the front is gone
        return


def prepare(job: Job) -> tuple[Desk, Task, Ready]:
    """Load the model.

    Raises:
        HrmLabError: the run, the rule or the engine cannot be used here.
    """
    import_parts(job.imports)
    use_threads(job.threads)
    run = find_run(job.run)
    rule = halting_rule(job.halting, run.config.evaluation)
    model = run.load(choose_device(job.device))
    engine = build("eager" if job.engine == "auto" else job.engine, model)
    solver = Solver(model, rule, slots=job.slots, check=run.config.task.valid, engine=engine)
    about = _about(run, rule, sum(parameter.numel() for parameter in model.parameters()))
    ready = Ready(encode(run.config.task), about | {"engine": engine.name, "slots": job.slots})
    return Desk(solver), run.config.task, ready


def hear(desk: Desk, asked: Any) -> None:
    if isinstance(asked, Ask):
        tokens = np.array(asked.tokens, dtype=np.int32)
        desk.ask(Request(asked.number, Puzzle(tokens), asked.until, asked.watched))
    else:
        desk.forget(asked.number)


def turn(desk: Desk, task: Task) -> Turn:
    """A segment, and what is to be said of it."""
    start = time.perf_counter()
    said = [_told(one, task) for one in desk.advance()]
    return Turn(time.perf_counter() - start, desk.working, len(desk.asked) - desk.working, said)


def _told(said: desks.Said, task: Task) -> Shown | Found | Late:
    if isinstance(said, Frame):
        return Shown(said.puzzle, said.segment, said.tokens.tolist(), said.confidence, said.done)
    if isinstance(said, desks.Late):
        return Late(said.puzzle)
    number, answer = said
    solved = task.solved(answer.valid)
    return Found(number, answer.tokens.tolist(), answer.segments, answer.confidence, answer.reason, solved)


def _about(run: Run, rule: HaltingConfig, parameters: int) -> dict[str, Any]:
    return {
        "model": run.config.name,
        "weights": run.fingerprint,
        "parameters": parameters,
        "halting": encode(rule),
        "max_segments": rule.max_segments,
    }


def _say(said: Any, what: Any) -> None:
    said.write(line(what))
    said.flush()


class _Lines:
    """Lines of a file descriptor, as they have come."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.rest = descriptor, b""

    def lines(self, wait: bool) -> Iterator[bytes]:
        """Those that are there; if `wait`, at least one.

        Raises:
            EOFError: no more will come.
        """
        while True:
            ready = select.select([self.descriptor], [], [], None if wait else 0)[0]
            if not ready:
                return
            data = os.read(self.descriptor, PIECE)
            if not data:
                raise EOFError
            *whole, self.rest = (self.rest + data).split(b"\n")
            yield from whole
            if whole and wait:
                return


if __name__ == "__main__":
    main()
    sys.exit(0)
