"""`solve`: puzzles as people type them, in; answers, and whether they hold, out."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hrmlab.api.rules import halting_rule
from hrmlab.api.settings import choose_device, use_threads
from hrmlab.api.targets import find_run
from hrmlab.core.model import HRM
from hrmlab.core.weights import write_atomically
from hrmlab.errors import DataError
from hrmlab.halting import HaltingConfig
from hrmlab.inference.solver import Frame, answer
from hrmlab.results import Solution, Solving
from hrmlab.tasks.base import IGNORE, Examples, Task, Tokens
from hrmlab.terminal import Meter


@dataclass(frozen=True)
class Drawing:
    """A puzzle after a segment, drawn. board: lines of text with rich markup. puzzle: its number, from 1."""

    puzzle: int
    segment: int
    board: str
    confidence: float
    done: bool


Show = Callable[[Drawing], None]
Line = tuple[str, str]
"""Where a puzzle stands, in words, and its text."""


def solve(
    run: str | Path,
    puzzles: Sequence[str] = (),
    *,
    jobs: str | Path | None = None,
    stdin: str | None = None,
    out: str | Path | None = None,
    show: Show | None = None,
    halting: str | None = None,
    device: str = "auto",
    threads: int | None = None,
    quiet: bool = False,
) -> Solving:
    """Answer puzzles with a trained model.

    Args:
        run: run folder, checkpoint, weights file, or the name of a shipped model.
        puzzles: texts that the run's task can read; "-" stands for `stdin`.
        jobs: a file with a puzzle a line; a bad line becomes a result with its error, the others are answered.
        stdin: a puzzle a line, or one puzzle over several lines.
        out: write the results there too, a JSON object a line.
        show: sees each puzzle drawn after every segment; puzzles are then answered one by one.
        halting: policy, as `kind` or `kind,key=value,...`; None takes the run's evaluation policy.

    Raises:
        DataError: no puzzle came, or one that is no fair question (not for `jobs`); names its place.
        CheckpointError, ConfigError: the run or the rule cannot be used.
    """
    use_threads(threads)
    place = choose_device(device)
    found = find_run(run)
    task, rule = found.config.task, halting_rule(halting, found.config.evaluation)
    lines = _lines(task, puzzles, jobs, stdin)
    results, tokens = _read(task, lines, forgiving=jobs is not None)
    model = found.load(place)
    start = time.perf_counter()
    solutions = iter(solve_tokens(model, task, np.stack(tokens), rule, show, quiet) if tokens else [])
    seconds = time.perf_counter() - start
    solved = [result if result.error else next(solutions) for result in results]
    if out is not None:
        text = "".join(json.dumps(asdict(result), ensure_ascii=False) + "\n" for result in solved)
        write_atomically(Path(out), text.encode())
    return Solving(solved, len(tokens) / max(seconds, 1e-9), None if out is None else str(out))


def solve_tokens(
    model: HRM, task: Task, inputs: Tokens, halting: HaltingConfig, show: Show | None = None, quiet: bool = False
) -> list[Solution]:
    """Answers to puzzles given as token ids, shape (n, seq_len)."""
    count = len(inputs)
    before: dict[int, Tokens] = {}

    def draw(frame: Frame) -> None:
        assert show is not None
        puzzle = inputs[frame.puzzle]
        board = task.draw(puzzle, frame.tokens, before.get(frame.puzzle))
        before[frame.puzzle] = frame.tokens
        show(Drawing(frame.puzzle + 1, frame.segment, board, frame.confidence, frame.done))

    unknown = np.full_like(inputs, IGNORE)
    examples = Examples(inputs, unknown, np.zeros(count, np.int32), np.zeros(count, np.int64))
    with Meter(f"solving {count} puzzles", quiet or show is not None) as meter:
        done = 0

        def tick(finished: int) -> None:
            nonlocal done
            done += finished
            meter.update(done / count, f"{done} of {count}")

        answers = answer(
            model,
            examples,
            halting,
            batch_size=1 if show else min(256, count),
            check=task.valid,
            watch=draw if show else None,
            progress=tick,
        )
    valid = task.valid(inputs, answers.tokens)
    return [
        Solution(
            input=task.format(inputs[row]),
            output=_text(task, answers.tokens[row]),
            solved=bool(valid[row]),
            segments=int(answers.segments[row]),
            confidence=float(answers.confidence[row]),
            reason="halted" if answers.halted[row] else "limit",
        )
        for row in range(count)
    ]


def _text(task: Task, tokens: Tokens) -> str | None:
    """The answer as text; None where it holds tokens that no puzzle has (padding, say)."""
    try:
        return task.format(tokens)
    except DataError:
        return None


def _lines(task: Task, puzzles: Sequence[str], jobs: str | Path | None, stdin: str | None) -> list[Line]:
    if jobs is not None and puzzles:
        raise DataError("puzzles came with --jobs; wanted one or the other")
    if jobs is not None:
        try:
            lines = _split(Path(jobs).read_text(encoding="utf-8"), str(jobs))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise DataError(f"cannot read the jobs {jobs}: {why}") from None
    else:
        lines = []
        for number, text in enumerate(puzzles, 1):
            lines += _whole_or_lines(task, stdin or "") if text == "-" else [(f"puzzle {number}", text)]
    if not lines:
        raise DataError("no puzzle came; type one as text, '-' to read them from standard input, or --jobs FILE")
    return lines


def _split(text: str, where: str) -> list[Line]:
    lines = [line.rstrip("\r") for line in text.split("\n")]
    return [(f"{where} line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]


def _whole_or_lines(task: Task, text: str) -> list[Line]:
    """A puzzle a line, unless the first line is none and all lines together are: a pasted board."""
    lines = _split(text, "standard input")
    if len(lines) > 1 and not _parses(task, lines[0][1]) and _parses(task, text):
        return [("standard input", text)]
    return lines


def _parses(task: Task, text: str) -> bool:
    try:
        task.parse(text)
    except DataError:
        return False
    return True


def _read(task: Task, lines: list[Line], forgiving: bool) -> tuple[list[Solution], list[Tokens]]:
    """For each line a result to be filled or one with an error, and the tokens of those without."""
    results, tokens = [], []
    for where, text in lines:
        try:
            puzzle = task.parse(text)
            if problem := task.check(puzzle):
                raise DataError(f"{problem}; wanted a puzzle with exactly one solution")
        except DataError as error:
            if not forgiving:
                raise DataError(f"{where}: {error}") from None
            results.append(Solution(input=text, error=f"{where}: {error}"))
        else:
            results.append(Solution(input=text))
            tokens.append(puzzle)
    return results, tokens
