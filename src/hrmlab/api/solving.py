"""`solve`: puzzles as people type them, in; answers, and whether they hold, out."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from hrmlab.api.adapting import with_vector
from hrmlab.api.answering import SLOTS, Answering, Drawing, Entry, Show
from hrmlab.api.engines import SAMPLE, engines_for
from hrmlab.api.jobs import Collected, Line, Lines
from hrmlab.api.rules import halting_rule
from hrmlab.api.settings import Threads, choose_device, use_threads
from hrmlab.api.targets import companions, find_run
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.errors import DataError
from hrmlab.halting import HaltingConfig
from hrmlab.inference.puzzles import Puzzle
from hrmlab.results import Solution, Solving
from hrmlab.tasks.base import Task, Tokens
from hrmlab.terminal import Meter

__all__ = ["Drawing", "Show", "solve", "solve_tokens"]


def solve(
    run: str | Path,
    puzzles: Sequence[str] = (),
    *,
    jobs: str | Path | None = None,
    stdin: str | None = None,
    out: str | Path | None = None,
    show: Show | None = None,
    halting: str | None = None,
    attempts: int = 1,
    vary: str = "start",
    select: str = "vote",
    checkpoints: Sequence[str | Path] = (),
    vector: str | Path | None = None,
    engine: str = "auto",
    device: str = "auto",
    threads: Threads = None,
    quiet: bool = False,
) -> Solving:
    """Answer puzzles with a trained model.

    Args:
        run: run folder, checkpoint, weights file, or the name of a shipped model.
        puzzles: texts that the run's task can read; "-" stands for `stdin`.
        jobs: a file with a puzzle a line, of any length; a bad line becomes a result with its error.
        stdin: a puzzle a line, or one puzzle over several lines.
        out: write the results there, a JSON object a line, as they come; the answer then holds the first 1,000 of them.
        show: sees each puzzle drawn after every segment; puzzles are then answered one by one.
        halting: policy, as `kind` or `kind,key=value,...`; None takes the run's evaluation policy.
        attempts, vary, select: tries at each puzzle, and how one is chosen (`hrmlab.inference.attempts`).
        checkpoints: more runs of the task, which make as many attempts each.
        vector: a file of `adapt`, for the run's own model.
        engine: what computes the segments, as for `evaluate`; with `show`, "auto" is the eager one.

    Raises:
        DataError: no puzzle came, or one that is no fair question (not for `jobs`); names its place.
        CheckpointError, ConfigError: the run or the rule cannot be used.
    """
    use_threads(threads, quiet)
    place = choose_device(device)
    found = find_run(run)
    task, rule = found.config.task, halting_rule(halting, found.config.evaluation)
    if jobs is not None and puzzles:
        raise DataError("puzzles came with --jobs; wanted one or the other")
    typed = None if jobs is not None else _fair(task, _typed(task, puzzles, stdin))
    own = found.load(place)
    if vector is not None:
        own = with_vector(own, found, Path(vector))
    models = [own, *companions(checkpoints, task, place)]
    unseen = quiet or show is not None

    def answering(first: list[Entry], count: float) -> Answering:
        how: dict[str, Any] = {"attempts": attempts, "vary": vary, "select": select}
        name = "eager" if show is not None and engine == "auto" else engine
        puzzles = (Puzzle(entry.puzzle) for entry in first if entry.puzzle is not None)
        slots = 1 if show is not None else SLOTS
        engines = engines_for(name, models, task, rule, puzzles, count, slots=slots, attempts=attempts, quiet=quiet)
        return Answering(task, rule, engines, **how)

    start = time.perf_counter()
    with Collected(None if out is None else Path(out)) as collected:
        if typed is not None:
            total, how = len(typed), answering(typed[:SAMPLE], len(typed))
            with Meter(f"solving {total} puzzles", unseen) as meter:
                for number, solution in enumerate(how.solutions(iter(typed), show), 1):
                    collected.add(solution)
                    meter.update(number / total, f"{number} of {total}")
        else:
            assert jobs is not None
            with Lines(Path(jobs)) as lines, Meter(f"solving {jobs}", unseen) as meter:
                entries = _forgiving(task, lines)
                first = list(islice(entries, SAMPLE))
                how = answering(first, len(first) / max(lines.share, 1e-9))
                for number, solution in enumerate(how.solutions(chain(first, entries), show), 1):
                    collected.add(solution)
                    meter.update(lines.share, f"{number} puzzles")
    seconds = time.perf_counter() - start
    if not collected.count:
        raise DataError(f"no puzzle came in {jobs}; wanted one a line")
    return collected.result(seconds)


def solve_tokens(
    model: HRM, task: Task, inputs: Tokens, halting: HaltingConfig, show: Show | None = None, quiet: bool = False
) -> list[Solution]:
    """Answers to puzzles given as token ids, shape (n, seq_len)."""
    entries = [Entry(Solution(input=task.format(puzzle)), puzzle) for puzzle in inputs]
    with Meter(f"solving {len(entries)} puzzles", quiet or show is not None) as meter:
        solved = []
        for solution in Answering(task, halting, [Eager(model)]).solutions(iter(entries), show):
            solved.append(solution)
            meter.update(len(solved) / len(entries), f"{len(solved)} of {len(entries)}")
    return solved


def _typed(task: Task, puzzles: Sequence[str], stdin: str | None) -> list[Line]:
    lines: list[Line] = []
    for number, text in enumerate(puzzles, 1):
        lines += _whole_or_lines(task, stdin or "") if text == "-" else [(f"puzzle {number}", text)]
    if not lines:
        raise DataError("no puzzle came; type one as text, '-' to read them from standard input, or --jobs FILE")
    return lines


def _fair(task: Task, lines: list[Line]) -> list[Entry]:
    """Every line as a puzzle.

    Raises:
        DataError: the first that is none, with its place.
    """
    entries = [_entry(task, where, text) for where, text in lines]
    for entry in entries:
        if entry.solution.error:
            raise DataError(entry.solution.error)
    return entries


def _forgiving(task: Task, lines: Iterable[Line]) -> Iterator[Entry]:
    return (_entry(task, where, text) for where, text in lines)


def _entry(task: Task, where: str, text: str) -> Entry:
    try:
        puzzle = task.fair(text)
    except DataError as error:
        return Entry(Solution(input=text, error=f"{where}: {error}"), None)
    return Entry(Solution(input=text), puzzle)


def _whole_or_lines(task: Task, text: str) -> list[Line]:
    """A puzzle a line, unless the first line is none and all lines together are: a pasted board."""
    numbered = enumerate((line.rstrip("\r") for line in text.split("\n")), 1)
    lines = [(f"standard input line {number}", line) for number, line in numbered if line.strip()]
    if len(lines) > 1 and not _parses(task, lines[0][1]) and _parses(task, text):
        return [("standard input", text)]
    return lines


def _parses(task: Task, text: str) -> bool:
    try:
        task.parse(text)
    except DataError:
        return False
    return True
