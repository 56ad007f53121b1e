"""Rows, the clock that bounds them, and the two files that they are written to."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One line of the table. ok: whether a check held; None for what is measured only."""

    what: str
    value: float | None = None
    unit: str = ""
    ok: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Clock:
    """What is left of the time allowed, in seconds."""

    end: float

    @staticmethod
    def of(seconds: float) -> "Clock":
        return Clock(time.monotonic() + seconds)

    def left(self) -> float:
        return self.end - time.monotonic()


Section = Callable[[Clock], Iterator[Row]]


def gathered(section: Section, clock: Clock) -> list[Row]:
    """A section's rows. What breaks off becomes a row that failed, so that the sections after it still run."""
    rows: list[Row] = []
    if clock.left() <= 0:
        return [Row("not begun", note="out of time")]
    try:
        for row in section(clock):
            rows.append(row)
            if clock.left() <= 0:
                return [*rows, Row("broken off", note="out of time")]
    except Exception as error:  # anything may fail on a device that nobody has tried
        first = (str(error).strip().splitlines() or [""])[0]
        rows.append(Row("broken off", ok=False, note=f"{type(error).__name__}: {first}"))
    return rows


def write(folder: Path, machine: dict[str, str], found: dict[str, list[Row]]) -> None:
    """gpu.json and gpu.md, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: [asdict(row) for row in rows] for name, rows in found.items()}
    texts = {"gpu.json": json.dumps({"machine": machine, "sections": plain}, indent=1), "gpu.md": table(machine, found)}
    for name, text in texts.items():
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_text(text + "\n")
        temporary.replace(folder / name)


def table(machine: dict[str, str], found: dict[str, list[Row]]) -> str:
    """All rows as one Markdown table under a line that says where they come from."""
    verdicts = {True: "ok", False: "FAILED", None: ""}
    lines = [", ".join(f"{name} {value}" for name, value in machine.items()), ""]
    lines += ["| section | what | value | unit | check | note |", "|---|---|---|---|---|---|"]
    for name, rows in found.items():
        for row in rows:
            value = "" if row.value is None else f"{row.value:.4g}"
            cells = (name, row.what, value, row.unit, verdicts[row.ok], row.note)
            lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines)
