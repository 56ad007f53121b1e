"""From the files of a table to examples: find every bad row first, then hold out, order and encode."""

from dataclasses import dataclass, replace
from hashlib import blake2b
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hrmlab.errors import ConfigError, DataError
from hrmlab.tasks.base import IGNORE, Examples, Split
from hrmlab.tasks.layout import BLANK
from hrmlab.tasks.rows import Fault, Row, read_rows, refuse
from hrmlab.tasks.table import NO_SYMBOL, Table


@dataclass(frozen=True)
class Loaded:
    """A table's files as a data set: the arguments of `dataset.write`.

    task: the table, resolved.
    groups: the group of each example of "train" and "test", shape (n,).
    identifiers: the name of each identifier, the blank first.
    """

    task: Table
    split: Split
    groups: dict[str, npt.NDArray[np.int64]]
    identifiers: tuple[str, ...]

    def first(self, train: int, test: int) -> "Loaded":
        """Only the first examples of each set, 0 for all.

        Raises:
            DataError: there are fewer than that.
        """
        sets = {"train": self.split.train, "test": self.split.test}
        groups = dict(self.groups)
        for (name, examples), count in zip(list(sets.items()), (train, test), strict=True):
            if not 0 <= count <= len(examples):
                raise DataError(f"{count} {name} examples wanted, the files have {len(examples)}; leave it out for all")
            if count:
                sets[name] = Examples(
                    inputs=examples.inputs[:count],
                    labels=examples.labels[:count],
                    identifiers=examples.identifiers[:count],
                    rating=examples.rating[:count],
                )
                groups[name] = groups[name][:count]
        return replace(self, split=Split(sets["train"], sets["test"], self.split.protocol), groups=groups)


def load(table: Table, seed: int) -> Loaded:
    """See `Table.load`."""
    if table.train_file is None:
        raise ConfigError("this table has no train_file; name one, e.g. train_file=my.csv")
    rows, faults = read_rows(Path(table.train_file))
    test_rows: list[Row] = []
    if table.test_file is not None:
        test_rows, more = read_rows(Path(table.test_file))
        faults += more
    names = list(dict.fromkeys(row.id for row in rows + test_rows if row.id))
    resolved, more = _resolve(table, rows + test_rows, len(names) + 1)
    faults += more + _contradictions(resolved, rows, test_rows)
    refuse(sorted(faults, key=lambda fault: (fault.file != Path(table.train_file or ""), fault.line)))
    if table.test_file is None:
        rows, test_rows = _hold_out(resolved, rows, seed)
        how = f"{table.held_out:g} of the groups (or else of the inputs) held out by seed {seed}; none is in both sets"
    else:
        how = f"test set from {Path(table.test_file).name}; no input of it is in the training set"
    identifiers = {name: number for number, name in enumerate(names, 1)}
    train, train_groups = _examples(resolved, rows, identifiers)
    test, test_groups = _examples(resolved, test_rows, identifiers)
    split = Split(train, test, f"own data from {Path(table.train_file).name}; {how}")
    return Loaded(resolved, split, {"train": train_groups, "test": test_groups}, (BLANK, *names))


def _resolve(table: Table, rows: list[Row], identifiers: int) -> tuple[Table, list[Fault]]:
    """The table with its vocabulary and length, and the cells that do not fit them."""
    faults: list[Fault] = []
    cells: list[tuple[Row, str, list[str]]] = []
    for row in rows:
        for column, cell in (("input", row.input), ("output", row.output)):
            symbols = table.split(cell)
            reason = _unwritable(table, symbols)
            if reason:
                faults.append(Fault(row.file, row.line, column, reason))
            else:
                cells.append((row, column, symbols))
    vocabulary = list(table.symbols) or sorted({symbol for _, _, symbols in cells for symbol in symbols})
    longest = max((len(symbols) for _, _, symbols in cells), default=1)
    length = prod(table.shape) if table.shape is not None else table.length or longest
    resolved = table.resolve(vocabulary, length, identifiers) if vocabulary else table
    if vocabulary:
        for row, column, symbols in cells:
            reason = resolved.fault(symbols)
            if reason:
                faults.append(Fault(row.file, row.line, column, reason))
    return resolved, faults


def _unwritable(table: Table, symbols: list[str]) -> str | None:
    """Why symbols could not be written back as one cell, or None."""
    if not symbols:
        return "no symbols, wanted at least one"
    for at, symbol in enumerate(symbols, 1):
        if symbol == "":
            return f"no symbol between two separators at position {at}"
        if symbol == NO_SYMBOL:
            return f"{NO_SYMBOL!r} at position {at} stands for padding and cannot be a symbol"
        if table.separator is None and len(symbol) > 1:
            return f"symbol {symbol!r} at position {at} has several characters; set separator, e.g. separator=' '"
        if table.separator is not None and table.split(symbol) != [symbol]:
            return f"symbol {symbol!r} at position {at} contains the separator {table.separator!r}"
    return None


def _contradictions(table: Table, rows: list[Row], test_rows: list[Row]) -> list[Fault]:
    """Rows that ask what another row asks, and either answer otherwise or stand in another set or group."""
    faults: list[Fault] = []
    seen: dict[tuple[str, tuple[str, ...]], tuple[Row, bool]] = {}
    for held, part in ((False, rows), (True, test_rows)):
        for row in part:
            key = (row.id, tuple(table.split(row.input)))
            earlier, earlier_held = seen.setdefault(key, (row, held))
            if earlier is row:
                continue
            place = f"{earlier.file.name} line {earlier.line}"
            if table.split(earlier.output) != table.split(row.output):
                faults.append(Fault(row.file, row.line, "output", f"contradicts {place}: same input, another output"))
            elif held and not earlier_held:
                faults.append(Fault(row.file, row.line, "input", f"in the training set too: {place}"))
            elif earlier.group != row.group:
                faults.append(Fault(row.file, row.line, "group", f"same input as {place}, in another group"))
    return faults


def _hold_out(table: Table, rows: list[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """Training and test rows: units (groups, or else inputs) ranked by a seeded hash, the first of them held out."""

    def unit(row: Row) -> tuple[str, ...]:
        return ("group", row.group) if row.group else ("input", *table.split(row.input))

    def rank(key: tuple[str, ...]) -> bytes:
        return blake2b("\0".join((str(seed), *key)).encode()).digest()

    units = sorted({unit(row) for row in rows}, key=rank)
    if len(units) < 2:
        raise DataError(
            "all rows are one group, so none can be held out; give a test_file, or rows of different groups or inputs"
        )
    count = min(max(1, round(table.held_out * len(units))), len(units) - 1)
    chosen = set(units[:count])
    return [row for row in rows if unit(row) not in chosen], [row for row in rows if unit(row) in chosen]


def _examples(table: Table, rows: list[Row], identifiers: dict[str, int]) -> tuple[Examples, npt.NDArray[np.int64]]:
    """Encoded rows, those of a group and then of an identifier side by side, and the group number of each."""
    keys = [row.group or (f"id {row.id}" if row.id else f"line {row.line}") for row in rows]
    order: dict[str, int] = {}
    numbers = [order.setdefault(key, len(order)) for key in keys]
    ids = [identifiers.get(row.id, 0) for row in rows]
    ordered = sorted(range(len(rows)), key=lambda at: (numbers[at], ids[at], at))
    length = table.spec().seq_len
    inputs = np.zeros((len(rows), length), np.int32)
    labels = np.full((len(rows), length), IGNORE, np.int32)
    for place, at in enumerate(ordered):
        inputs[place] = table.encode(table.split(rows[at].input))
        output = table.split(rows[at].output)
        labels[place, : len(output)] = table.encode(output)[: len(output)]
    rating = np.array([len(table.split(rows[at].output)) for at in ordered], np.int64)
    examples = Examples(inputs, labels, np.array([ids[at] for at in ordered], np.int32), rating)
    return examples, np.array([numbers[at] for at in ordered], np.int64)
