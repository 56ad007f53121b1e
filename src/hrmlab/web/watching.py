"""The process behind the page: `python -m hrmlab.web.watching`. It answers what the page asks, one thing at a time.

A line of JSON in, `[number, what, arguments]`, and a line out, `[number, answer, null]`, or `[number, null, why]` where
what was asked cannot be answered. It ends when its input does. A fault of its own ends it too; the front then begins
another.
"""

import json
import os
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrmlab.api.course import course_of, looks_of
from hrmlab.api.puzzles import held_out, own_folder, sample
from hrmlab.api.rules import halting_rule
from hrmlab.api.settings import choose_device, import_parts, use_threads
from hrmlab.api.shelf import Shelf
from hrmlab.api.targets import Run, find_run
from hrmlab.core.model import HRM
from hrmlab.errors import DataError, HrmLabError
from hrmlab.halting import HALTING
from hrmlab.reports.page import board_data
from hrmlab.tasks import dataset
from hrmlab.tasks.base import Task, Tokens
from hrmlab.web.protocol import Job

LOADED = 4
"""Models that are kept in memory."""
EXAMPLES = 64
"""Held-out puzzles that are offered."""


class Watching:
    """What the page may ask; each method is a question, its arguments as JSON gave them."""

    def __init__(self, job: Job, runs: str | None) -> None:
        import_parts(job.imports)
        use_threads(job.threads)
        self.device = choose_device(job.device)
        self.shelf = Shelf(job.run, None if runs is None else Path(runs))
        self._models: OrderedDict[str, HRM] = OrderedDict()
        self._puzzles: dict[str, Tokens] = {}

    def models(self) -> dict[str, Any]:
        """What can be watched, and the rules by which it can halt."""
        found = [about for name in self.shelf.models() if (about := self._about(name)) is not None]
        return {"models": found, "rules": sorted(rule.name for rule in HALTING if not hasattr(rule.config(), "rules"))}

    def example(self, model: str, number: int) -> dict[str, Any]:
        """A held-out puzzle of a model's task."""
        run = self.shelf.find(model)
        if model not in self._puzzles:
            self._puzzles[model] = _examples(run)
        puzzles = self._puzzles[model]
        tokens = puzzles[number % len(puzzles)]
        return {"tokens": tokens.tolist(), "text": run.config.task.format(tokens)}

    def read(self, model: str, text: str) -> dict[str, Any]:
        """A puzzle as it was typed: its tokens, None where it cannot be read, and what is wrong with it, or None."""
        task = self.shelf.find(model).config.task
        try:
            tokens = task.parse(text)
        except DataError as error:
            return {"tokens": None, "problem": str(error)}
        try:
            task.fair(text)
        except DataError as error:
            return {"tokens": tokens.tolist(), "problem": str(error)}
        return {"tokens": tokens.tolist(), "problem": None}

    def film(
        self,
        model: str,
        tokens: list[int],
        halting: str | None = None,
        segments: int | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """The course of a puzzle (`api.course.course_of`). name: of the puzzle, for models that learn them by name."""
        run = self.shelf.find(model)
        puzzle, rule = _fair(run.config.task, tokens), halting_rule(halting or None, run.config.evaluation)
        identifier = _identifier(run, name)
        told = {} if name is None else {"known": identifier > 0}
        return course_of(self._loaded(model, run), run.config.task, puzzle, rule, identifier, segments) | told

    def looks(self, model: str, tokens: list[int], segments: int, name: str | None = None) -> dict[str, Any] | None:
        """Where its cells look (`api.course.looks_of`)."""
        run = self.shelf.find(model)
        return looks_of(self._loaded(model, run), _fair(run.config.task, tokens), segments, _identifier(run, name))

    def runs(self) -> list[dict[str, Any]]:
        """The runs in the folder."""
        return [self.shelf.about(name) for name in self.shelf.runs()]

    def curves(self, run: str) -> dict[str, Any]:
        """How a run's training went."""
        return self.shelf.curves(run)

    def report(self, run: str) -> str:
        """A run's report, as HTML."""
        file = self.shelf.run(run) / "report.html"
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise DataError(f"run '{run}' has no report; type `hrm report {file.parent}`") from None

    def _about(self, name: str) -> dict[str, Any] | None:
        try:
            config = find_run(name).config  # the shelf has just named it
            board = board_data(config.task)
        except HrmLabError:  # begun a moment ago, damaged, or of another version: its line among the runs says so
            return None
        return {"name": name, "task": config.task.kind, "board": board, "rule": str(config.evaluation.kind)} | {
            "segments": config.evaluation.max_segments
        }

    def _loaded(self, name: str, run: Run) -> HRM:
        key = f"{name} {run.weights} {run.weights.stat().st_mtime_ns}"  # of a run that goes on, the newest
        if key not in self._models:
            self._models[key] = run.load(self.device)
        self._models.move_to_end(key)
        while len(self._models) > LOADED:
            self._models.popitem(last=False)
        return self._models[key]


def _examples(run: Run) -> Tokens:
    config = run.config
    if config.data.path is not None:
        return sample(held_out(config, quiet=True)[0], EXAMPLES).inputs
    return config.task.generate(0, min(EXAMPLES, config.data.test), config.data.seed).test.inputs


def _fair(task: Task, tokens: list[int]) -> Tokens:
    """A puzzle from the page.

    Raises:
        DataError: it is none, or no fair one.
    """
    spec = task.spec()
    if len(tokens) != spec.seq_len or not all(0 <= token < spec.vocab_size for token in tokens):
        raise DataError(f"{len(tokens)} tokens came; wanted {spec.seq_len} of 0 to {spec.vocab_size - 1}")
    return task.fair(task.format(np.array(tokens, np.int32)))


def _identifier(run: Run, name: str | None) -> int:
    """The row of the puzzle table that a name has, 0 where it was not learnt."""
    folder = own_folder(run.config)
    if name is None or folder is None or not folder.is_dir():
        return 0
    names = dataset.names(folder)
    return names.index(name) if name in names else 0


def answer(watching: Watching, data: bytes) -> list[Any]:
    """A line of the page's questions, answered."""
    number, what, arguments = json.loads(data)
    question: Callable[..., Any] = getattr(watching, what)
    try:
        with torch.inference_mode():
            return [number, question(**arguments), None]
    except HrmLabError as error:
        return [number, None, str(error)]


def main() -> None:
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is none of the page's business
    first = json.loads(sys.stdin.buffer.readline())
    watching = Watching(Job(**first["job"]), first["runs"])
    for data in sys.stdin.buffer:
        said.write(json.dumps(answer(watching, data)).encode() + b"\n")
        said.flush()


if __name__ == "__main__":
    main()
