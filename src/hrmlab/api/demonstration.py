"""`demo`: the main job from nothing to solved puzzles, told as it happens."""

import time
from collections.abc import Callable
from pathlib import Path

from hrmlab.api.configuring import configure
from hrmlab.api.puzzles import first, held_out
from hrmlab.api.settings import Threads, choose_device
from hrmlab.api.solving import Show, solve_tokens
from hrmlab.api.targets import find_run
from hrmlab.api.training import train
from hrmlab.results import Demonstration, Evaluation

Tell = Callable[[str], None]
SHOWN = 3
LONGEST = 480.0
"""Seconds of training where no budget is asked for: the whole demo should take ten minutes on two cores."""
QUIETLY = ("training.evaluate_every=null",)
"""The story evaluates once, at the end."""


def demo(
    preset: str = "sudoku-9x9",
    *,
    out: str | Path | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    threads: Threads = None,
    quiet: bool = False,
    tell: Tell | None = None,
    show: Show | None = None,
) -> Demonstration:
    """Make puzzles, train, evaluate on puzzles kept apart, and solve three of those.

    Args:
        preset: what to train; anything that `train` takes.
        out: the run folder; None makes one below `runs/`.
        seconds, steps: a budget in place of the preset's, which is cut to 480 s.
        tell: is given the story, a paragraph at a time (rich markup).
        show: sees the three puzzles drawn after every segment.

    Raises:
        ConfigError, DataError, CheckpointError: as `train`.
    """
    start = time.perf_counter()
    say = tell or (lambda text: None)
    config = configure(preset, QUIETLY, seconds, steps, seed)
    if seconds is None and steps is None and config.training.seconds is not None:
        seconds = min(config.training.seconds, LONGEST)
        config = configure(preset, QUIETLY, seconds, steps, seed)
    data, budget = config.data, config.training
    length = f"{budget.seconds:.0f} seconds" if budget.seconds else f"{budget.steps} steps"
    say(
        f"[bold]1. Puzzles and training.[/] {data.train} puzzles to train on and {data.test} kept apart, of task "
        f"'{config.task.kind}'. A model that starts from random weights sees only puzzles and answers, for {length}."
    )
    done = train(
        preset, QUIETLY, out=out, seconds=seconds, steps=steps, seed=seed, device=device, threads=threads, quiet=quiet
    )
    if done.evaluation is None:
        return Demonstration(done.run, None, _since(start), None, interrupted=True, resume=done.resume)
    say(_accuracy(done.evaluation, done.steps))
    say(f"[bold]3. Solving.[/] {SHOWN} of the puzzles kept apart, after each segment of thought:")
    run = find_run(done.run)
    examples, _ = held_out(run.config, quiet)
    some = first(examples, min(SHOWN, len(examples)))
    model = run.load(choose_device(device))
    solved = solve_tokens(model, config.task, some.inputs, config.evaluation, show, quiet)
    report = str(Path(done.run) / "results.json")
    say(
        f"[bold]4. What there is now.[/] The run is in {done.run}; its evaluation in {report}. Next, type\n"
        f"  hrm solve {done.run} '{solved[0].input}' --show\n"
        f"  hrm eval {done.run} --halting fixed,max_segments=16\n"
        f"  hrm inspect {done.run}"
    )
    return Demonstration(done.run, done.exact, _since(start), report, solved=solved)


def _accuracy(evaluation: Evaluation, steps: int) -> str:
    low, high = evaluation.exact_interval
    shares = evaluation.by_segment
    course = f"{shares[0]:.1%} after one segment, {shares[-1]:.1%} after {len(shares)}"
    return (
        f"[bold]2. Evaluation.[/] After {steps} steps the model answers {evaluation.exact:.1%} of {evaluation.n} "
        f"puzzles it has never seen without a single wrong cell (95% interval {low:.1%} to {high:.1%}); {course}."
    )


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 3)
