"""Reading rows of a person's own data from CSV or JSON Lines, keeping every fault with the line it stands on."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrmlab.errors import DataError, unknown
from hrmlab.reading import kind, parsed

REQUIRED = ("input", "output")
COLUMNS = (*REQUIRED, "id", "group")
LISTED = 20

Cell = str | list[str]


@dataclass(frozen=True)
class Row:
    """One example as written. line: where it ends in its file, from 1. id, group: "" for none."""

    file: Path
    line: int
    input: Cell
    output: Cell
    id: str = ""
    group: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one row."""

    file: Path
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file.name} line {self.line}, column {self.column}: {self.reason}"


def refuse(faults: list[Fault]) -> None:
    """Stop if there are faults.

    Raises:
        DataError: the first 20 faults, a line each, and how many there are.
    """
    if not faults:
        return
    count = f"{len(faults)} bad row{'s' if len(faults) > 1 else ''}; mend the file and run again, nothing was written"
    listed = [f"  {fault}" for fault in faults[:LISTED]]
    more = [f"  ... and {len(faults) - LISTED} more"] if len(faults) > LISTED else []
    raise DataError(count, *listed, *more)


def read_rows(file: Path) -> tuple[list[Row], list[Fault]]:
    """The rows of a `.csv`, `.jsonl` or `.ndjson` file and what is wrong with the others.

    Raises:
        DataError: the file cannot be read as a whole: missing, not UTF-8, another suffix, wrong columns, no rows.
    """
    suffix = file.suffix.lower()
    if suffix not in (".csv", ".jsonl", ".ndjson"):
        raise DataError(f"{file} ends in '{suffix}', wanted .csv or .jsonl")
    text = _text(file)
    rows: list[Row] = []
    faults: list[Fault] = []
    for item in _csv(file, text) if suffix == ".csv" else _json_lines(file, text):
        if isinstance(item, Row):
            rows.append(item)
        else:
            faults.append(item)
    if not rows and not faults:
        raise DataError(f"{file} has no rows, wanted columns input,output and at least one example")
    return rows, faults


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = data[error.start]
        raise DataError(
            f"{file} is not UTF-8: byte 0x{byte:02x} at position {error.start} (line {line}); save it as UTF-8"
        ) from None


def _csv(file: Path, text: str) -> Iterator[Row | Fault]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(file, header)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                yield Fault(file, reader.line_num, header[-1], f"{len(cells)} cells, the header has {len(header)}")
                continue
            yield from _row(file, reader.line_num, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise DataError(f"{file} line {reader.line_num} is not CSV: {error}") from None


def _check_header(file: Path, header: list[str]) -> None:
    came = ",".join(header) or "nothing"
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise DataError(f"{file} has columns {came}; missing {', '.join(missing)}; wanted a first line input,output")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{file} has columns {came}; {', '.join(twice)} comes twice")
    for name in header:
        if name not in COLUMNS:
            raise DataError(f"{file}: {unknown('column', name, COLUMNS)}; remove or rename it")


def _json_lines(file: Path, text: str) -> Iterator[Row | Fault]:
    # Not splitlines: it would also break at characters that JSON allows inside a string.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            data = parsed(line)
        except ValueError as error:
            yield Fault(file, number, "(all)", f"not JSON: {error}")
            continue
        if not isinstance(data, dict):
            yield Fault(file, number, "(all)", f"{kind(data)}, wanted an object with input and output")
            continue
        strange = [name for name in data if name not in COLUMNS]
        if strange:
            yield Fault(file, number, strange[0], unknown("column", strange[0], COLUMNS))
            continue
        yield from _row(file, number, data)


def _row(file: Path, line: int, data: dict[str, Any]) -> Iterator[Row | Fault]:
    faults = []
    cells: dict[str, Any] = {}
    for column in REQUIRED:
        if data.get(column) is None:
            faults.append(Fault(file, line, column, "missing"))
        elif data[column] in ("", []):
            faults.append(Fault(file, line, column, "empty, wanted at least one symbol"))
        elif not isinstance(data[column], (str, list)):
            faults.append(Fault(file, line, column, f"{kind(data[column])}, wanted text or a list of symbols"))
        elif isinstance(data[column], list) and not all(isinstance(item, (str, int)) for item in data[column]):
            faults.append(Fault(file, line, column, "a list of other things than texts and whole numbers"))
        else:
            cell = data[column]
            cells[column] = [str(item) for item in cell] if isinstance(cell, list) else cell
    for column in ("id", "group"):
        value = data.get(column)
        if value is not None and not isinstance(value, (str, int)):
            faults.append(Fault(file, line, column, f"{kind(value)}, wanted text"))
        cells[column] = "" if value is None else str(value)
    if faults:
        yield from faults
    else:
        yield Row(file, line, **cells)
