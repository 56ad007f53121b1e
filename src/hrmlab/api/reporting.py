"""`report`: one page on a model: verdicts, figures, and its answers segment by segment."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrmlab.analysis.attention_maps import record_attention
from hrmlab.analysis.film import record_film, telling
from hrmlab.analysis.probes import Probe, Subject
from hrmlab.analysis.probes.base import PRESETS, Preset
from hrmlab.analysis.tracing.unroll import some
from hrmlab.api.diagnosing import SEVERITIES, chosen, concluded, examined
from hrmlab.api.settings import use_threads
from hrmlab.api.targets import SHIPPED, find_run
from hrmlab.config import decode
from hrmlab.reading import read_json
from hrmlab.reports.files import write_texts
from hrmlab.reports.page import (
    Page,
    assemble,
    attention_data,
    board_data,
    divergences,
    halting_data,
    puzzle_data,
    room_for,
    training_data,
)
from hrmlab.results import Diagnosis, ReportFiles
from hrmlab.tasks.base import Examples
from hrmlab.terminal import note

ATTENTION = 700_000
"""Bytes of attention weights on a page; a third more as text."""
LOOKED_AT = 2
"""Puzzles whose attention is kept."""


def report(
    run: str | Path,
    *,
    preset: Preset = "standard",
    n: int | None = None,
    segments: int | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    out: str | Path | None = None,
    quiet: bool = False,
) -> ReportFiles:
    """Diagnose a trained model, follow some of its puzzles, and write `report.html` and `report.json`.

    A diagnosis in the run folder is used again where weights, probes, puzzles, segments and seed are the same.

    Args:
        preset: of probes, as in `diagnose`.
        n: held-out puzzles to look at; some of them can be followed on the page.
        segments: how deep; None for the run's own limit, 16 at most.
        out: a folder; None is the run folder, or `report-NAME/` here for a model that comes with the package.

    Raises:
        CheckpointError, ConfigError, DataError: the run or a number cannot be used, and why.
    """
    use_threads(threads)
    start = time.perf_counter()
    probes = chosen(preset)
    found = find_run(run)
    home, shipped = found.folder.path, found.folder.path.is_relative_to(SHIPPED)
    folder = Path(out) if out is not None else Path(f"report-{home.name}") if shipped else home
    subject, about = examined(run, (), n or PRESETS[preset], segments, seed, device, quiet)
    earlier = _earlier(home / "diagnosis" / "diagnosis.json", preset, probes, about)
    kept = home / "diagnosis" if out is None and not shipped else None
    note(f"following puzzles for {subject.segments} segments", quiet)
    data = _followed(subject)
    drawn = None if earlier is None else _drawn(home.name, earlier, data)
    if earlier is None or drawn is None:
        diagnosis = concluded(str(run), preset, subject, about, probes, kept, quiet)
        page = assemble(home.name, diagnosis, data)
    else:
        diagnosis, page = earlier, drawn
    texts = {"report.html": page.html, "report.json": json.dumps({"diagnosis": diagnosis.plain()} | data) + "\n"}
    write_texts(folder, texts)
    return ReportFiles(
        html=str(folder / "report.html"),
        json=str(folder / "report.json"),
        findings={name: sum(f.severity == name for f in diagnosis.findings) for name in SEVERITIES},
        reused=drawn is not None,
        puzzles=len(data["puzzles"]),
        bytes=len(page.html.encode()),
        left_out=page.left_out,
        seconds=round(time.perf_counter() - start, 2),
    )


def _earlier(path: Path, preset: Preset, probes: Sequence[Probe], about: dict[str, Any]) -> Diagnosis | None:
    """The diagnosis in a file, if there is one and it is of just these weights, puzzles and probes."""
    if not path.is_file():
        return None
    try:
        diagnosis = decode(Diagnosis, read_json(path))
    except (OSError, ValueError):
        return None  # written by another version, or cut short
    names = {measurement.probe for measurement in diagnosis.measurements}
    same = diagnosis.preset == preset and names == {probe.kind for probe in probes}
    return diagnosis if same and diagnosis.about == json.loads(json.dumps(about)) else None


def _drawn(title: str, diagnosis: Diagnosis, data: dict[str, Any]) -> Page | None:
    """The page of a diagnosis on disk; None where its tables are of another form than ours are now."""
    try:
        return assemble(title, diagnosis, data)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _followed(subject: Subject) -> dict[str, Any]:
    """What the page's script shows (`reports.page`). start: the puzzle shown first, the slowest of the right ones."""
    examples, course, segments = subject.examples, subject.course, subject.segments
    right = course.right.cpu().numpy()
    numbers = telling(right, np.asarray(examples.rating), room_for(subject.model.spec.seq_len, segments))
    film = record_film(
        subject.model, some(subject.batch, torch.tensor(numbers)), subject.evaluation, segments, subject.task.valid
    )
    puzzles = puzzle_data(subject.task, _rows(examples, numbers), numbers, film)
    first = max(range(len(numbers)), key=lambda at: (film.right[at, -1], (~film.right[at]).sum()))
    looked_at = [first, *(at for at in range(len(numbers)) if at != first and not film.right[at, -1])][:LOOKED_AT]
    watched = [numbers[at] for at in sorted(looked_at)]
    maps = record_attention(subject.model, some(subject.batch, torch.tensor(watched)), segments, ATTENTION)
    return {
        "board": board_data(subject.task),
        "puzzles": puzzles,
        "start": first,
        "attention": attention_data(maps, watched) if maps is not None else None,
        "halting": halting_data(course.values.float().cpu().numpy(), right),
        "training": training_data(subject.metrics),
        "divergences": divergences(subject.metrics),
    }


def _rows(examples: Examples, numbers: Sequence[int]) -> Examples:
    at = np.asarray(numbers)
    return Examples(examples.inputs[at], examples.labels[at], examples.identifiers[at], examples.rating[at])
