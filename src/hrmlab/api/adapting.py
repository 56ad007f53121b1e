"""`adapt`: a vector for a new puzzle from a few demonstrations, and what it gains over the blank one."""

import time
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from hrmlab.api.settings import Threads, choose_device, use_threads
from hrmlab.api.targets import Run, find_run
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.weights import write_atomically
from hrmlab.errors import CheckpointError, ConfigError, DataError
from hrmlab.inference.evaluate import evaluate
from hrmlab.results import Adaptation, Fit
from hrmlab.tasks.base import Examples
from hrmlab.tasks.demonstrations import read_demonstrations
from hrmlab.terminal import Meter
from hrmlab.training.adapting import BLANK, Start, begin_at, fit, tell

SECONDS = 10.0
SEGMENTS = 4
"""Of a pass: the first ones decide, and shorter passes are more of them."""


def adapt(
    run: str | Path,
    *,
    examples: str | Path,
    test: str | Path | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    lr: float = 0.1,
    start: Start = "mean",
    out: str | Path | None = None,
    device: str = "auto",
    threads: Threads = None,
    quiet: bool = False,
) -> Adaptation:
    """Fit the vector of a puzzle that the run was not trained on; the network stays as it is.

    A model that reads demonstrations (model.puzzle.examples) is told these, and nothing is fitted.

    Args:
        run: a run with puzzle vectors.
        examples: the demonstrations: ARC JSON, or CSV or JSON Lines with the columns input and output.
        test: more examples, which are only measured on; None takes the tests of an ARC file, if it has answers.
        seconds, steps: the budget, steps being updates; 10 seconds if neither is given.
        lr: of Adam.
        start: from the "mean" of the trained vectors or the "blank" one.
        out: the file for the vector; None puts it into RUN/vectors, by the name of `examples`.

    Raises:
        CheckpointError, ConfigError, DataError: what cannot be used, and what to type.
    """
    for name, value in (("seconds", seconds), ("steps", steps), ("lr", lr)):
        if value is not None and value <= 0:
            raise ConfigError(f"--{name} {value} came; wanted more than 0")
    use_threads(threads, quiet)
    found, place = find_run(run), choose_device(device)
    model, task = found.load(place), found.config.task
    blank = begin_at(model, "blank")
    demonstrations, questions = read_demonstrations(task, Path(examples))
    if test is not None:
        questions, _ = read_demonstrations(task, Path(test))
    file = Path(out) if out is not None else found.folder.path / "vectors" / f"{Path(examples).stem}.safetensors"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"cannot make {file.parent}: {error.strerror}; choose another --out") from None
    before = _measured(found, model, blank, demonstrations, questions)
    began = time.perf_counter()
    assert model.puzzles is not None, "begin_at has looked"
    if model.puzzles.learned:
        with Meter(f"fitting a vector to {len(demonstrations)} demonstrations", quiet) as meter:
            fitted = fit(
                model,
                _batch(demonstrations, place),
                begin_at(model, start),
                found.config.loss,
                segments=SEGMENTS,
                lr=lr,
                passes=None if steps is None else -(-steps // SEGMENTS),
                seconds=SECONDS if seconds is None and steps is None else seconds,
                progress=lambda share, loss: meter.update(share, f"loss {loss:.3f}"),
            )
    else:
        fitted = tell(model, demonstrations, found.config.loss, SEGMENTS)
    took = time.perf_counter() - began
    after = _measured(found, model, fitted.vector, demonstrations, questions)
    about = {"weights": found.fingerprint, "examples": Path(examples).name}
    write_atomically(file, save({"vector": fitted.vector.cpu().contiguous()}, about))
    return Adaptation(
        run=str(found.folder.path),
        demonstrations=len(demonstrations),
        test=0 if questions is None else len(questions),
        before=before,
        after=after,
        loss_before=fitted.losses[0],
        loss_after=fitted.losses[1],
        steps=fitted.passes * SEGMENTS,
        seconds=took,
        vector=str(file),
    )


def with_vector(model: HRM, run: Run, file: Path) -> HRM:
    """The model, answering puzzles without an identifier under a fitted vector.

    Raises:
        CheckpointError: the file is none, or was fitted to other weights.
        ConfigError: the model has no puzzle vectors.
    """
    blank = begin_at(model, "blank")
    try:
        with safe_open(file, framework="pt") as stored:
            vector, about = stored.get_tensor("vector"), stored.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{file} holds no vector ({error}); make one with `hrm adapt`") from None
    same = (vector.shape, vector.dtype) == (blank.shape, blank.dtype)
    if about.get("weights") != run.fingerprint or not same:
        raise CheckpointError(f"{file} was fitted to other weights than {run.weights}; fit one with `hrm adapt`")
    _put(model, vector)
    return model


def _put(model: HRM, vector: torch.Tensor) -> None:
    assert model.puzzles is not None, "begin_at has looked"
    model.puzzles.rows[BLANK] = vector.to(model.puzzles.rows)


def _measured(run: Run, model: HRM, vector: torch.Tensor, shown: Examples, asked: Examples | None) -> Fit:
    """With a vector in the place of the blank one, under the run's own evaluation."""
    _put(model, vector)
    task, policy = run.config.task, run.config.evaluation
    on_shown = evaluate(model, task, shown, policy)
    on_asked = None if asked is None else evaluate(model, task, asked, policy)
    return Fit(
        exact=on_shown.exact,
        cell=on_shown.cell,
        test_exact=None if on_asked is None else on_asked.exact,
        test_cell=None if on_asked is None else on_asked.cell,
    )


def _batch(examples: Examples, device: torch.device) -> Batch:
    if not len(examples):
        raise DataError("no demonstrations came; wanted at least one")
    arrays = (examples.inputs, examples.labels, examples.identifiers)
    return Batch(*(torch.from_numpy(part.astype("int64")).to(device) for part in arrays))
