"""A person's own data: sequences in, sequences out, from CSV or JSON Lines."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from rich.markup import escape

from hrmlab.errors import ConfigError, DataError
from hrmlab.spec import Relation, TaskSpec
from hrmlab.tasks.base import TASKS, Face, Split, Task, Tokens
from hrmlab.tasks.board import MOST_CELLS, neighbours

if TYPE_CHECKING:
    from hrmlab.tasks.loading import Loaded

NO_SYMBOL = "␀"  # how a padding cell between others is written


@TASKS.register(source="hrm-lab")
@dataclass(frozen=True, kw_only=True)
class Table(Task):
    """Your own examples, from a table with the columns input, output and perhaps id and group.

    train_file, test_file: CSV or JSON Lines. Without a test file, a share of the groups is held out.
    held_out: that share, over 0 and under 1.
    vocabulary: all symbols in order of their tokens, from 1; None takes those that occur, sorted.
    separator: text between two symbols of a cell; None makes each character a symbol.
    length: cells of a puzzle; None takes the longest. Shorter rows are padded, and padding is not scored.
    shape: (rows, columns) where the cells form a board, row by row.
    identifiers: puzzle identifiers, the blank included; counted when the files are read.

    A table is resolved once vocabulary and length are set: `load` returns it so, and from then on no file is needed.
    """

    ruled: ClassVar[bool] = False
    kind: Literal["table"] = "table"
    train_file: str | None = None
    test_file: str | None = None
    held_out: float = 0.1
    vocabulary: str | None = None
    separator: str | None = None
    length: int | None = None
    shape: tuple[int, int] | None = None
    identifiers: int = 1

    def __post_init__(self) -> None:
        if not 0.0 < self.held_out < 1.0:
            raise ConfigError(f"held_out={self.held_out}; wanted a share over 0 and under 1, e.g. held_out=0.1")
        if self.separator == "":
            raise ConfigError("separator is empty; wanted a text such as ' ', or none for one character per symbol")
        if self.length is not None and self.length < 1:
            raise ConfigError(f"length={self.length}; wanted 1 or more cells")
        if self.identifiers < 1:
            raise ConfigError(f"identifiers={self.identifiers}; wanted 1 or more, the blank included")
        if self.shape is not None:
            if min(self.shape) < 1:
                raise ConfigError(f"shape={list(self.shape)}; wanted [rows, columns] of 1 or more")
            if self.length is not None and self.length != prod(self.shape):
                raise ConfigError(f"length={self.length}, but shape={list(self.shape)} has {prod(self.shape)} cells")
        cells = self.length if self.shape is None else prod(self.shape)
        if cells is not None and cells > MOST_CELLS:
            raise ConfigError(f"a puzzle of {cells} cells came; wanted at most {MOST_CELLS}: set length or shape")
        twice = [symbol for symbol, count in Counter(self.symbols).items() if count > 1]
        if twice:
            raise ConfigError(f"vocabulary has {twice[0]!r} twice; wanted each symbol once")
        if self.vocabulary is not None and not all(self.symbols or [""]):
            raise ConfigError("vocabulary has an empty symbol; wanted the symbols, or none to take those that occur")
        if NO_SYMBOL in self.symbols:
            raise ConfigError(f"vocabulary has {NO_SYMBOL!r}, which stands for padding; wanted other symbols")

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The symbol of each token from 1; empty where the vocabulary is not known yet."""
        return tuple(self.split(self.vocabulary)) if self.vocabulary is not None else ()

    def split(self, cell: str | list[str]) -> list[str]:
        """The symbols of a cell, in order."""
        if isinstance(cell, list):
            return cell
        if self.shape is not None:
            cell = cell.replace("\r", "").replace("\n", self.separator or "")
        if self.separator is None:
            return list(cell)
        # Any run of white space separates as well as the one asked for.
        return cell.split() if self.separator.isspace() else [part.strip() for part in cell.split(self.separator)]

    def load(self, seed: int = 0) -> "Loaded":
        """Read the files: the resolved task, both sets, their groups and the names of the identifiers.

        Raises:
            ConfigError: no train file is named.
            DataError: a file cannot be read, or rows are bad: all of them, with line, column and reason.
        """
        from hrmlab.tasks.loading import load

        return load(self, seed)

    def spec(self) -> TaskSpec:
        length = self._resolved()
        relations: tuple[Relation, ...] = ()
        if self.shape is not None:
            relations = (Relation("neighbours", neighbours=neighbours(*self.shape)),)
        return TaskSpec(
            seq_len=length,
            vocab_size=len(self.symbols) + 1,
            num_identifiers=self.identifiers,
            shape=self.shape or (length,),
            relations=relations,
        )

    def generate(self, train: int, test: int, seed: int) -> Split:
        """The first `train` and `test` examples of the files, 0 for all of them; the seed chooses what is held out.

        Raises:
            ConfigError, DataError: as `load`; or there are fewer examples.
        """
        return self.load(seed).first(train, test).split

    def parse(self, text: str) -> Tokens:
        """Tokens, shape (length,), of an input as a cell of the table would have it; padded where it is shorter.

        Raises:
            DataError: nothing, too much, or an unknown symbol.
        """
        length = self._resolved()
        symbols = self.split(text.strip("\r\n"))
        if not symbols:
            raise DataError(f"an empty puzzle, wanted 1 to {length} symbols")
        fault = self.fault(symbols)
        if fault:
            raise DataError(fault)
        return self.encode(symbols)

    def fault(self, symbols: list[str]) -> str | None:
        """Why symbols cannot be encoded, or None: too many of them, or the first unknown one and its position."""
        length = self._resolved()
        if len(symbols) > length:
            return f"{len(symbols)} symbols, wanted at most {length}"
        for at, symbol in enumerate(symbols, 1):
            if symbol not in self._tokens:
                shown = " ".join(self.symbols[:40]) + (" ..." if len(self.symbols) > 40 else "")
                return f"unknown symbol {symbol!r} at position {at} (known: {shown})"
        return None

    def encode(self, symbols: list[str]) -> Tokens:
        """Tokens, shape (length,), of symbols that have no `fault`."""
        out = np.zeros(self._resolved(), np.int32)
        out[: len(symbols)] = [self._tokens[symbol] for symbol in symbols]
        return out

    def format(self, tokens: Tokens) -> str:
        """The symbols as a cell of the table would have them, without the padding at the end."""
        used = np.flatnonzero(tokens > 0)
        faces = [self._face(token) for token in tokens[: used[-1] + 1 if len(used) else 0].tolist()]
        return (self.separator or "").join(faces)

    def check(self, puzzle: Tokens) -> str | None:
        """Why a puzzle is no fair question: only that it is empty, as a table states no rules."""
        return None if (puzzle > 0).any() else "an empty puzzle"

    def valid(self, inputs: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Which answers use known symbols only, shape (n,). Says nothing of being right: a table has no rules."""
        known = ((answers >= 0) & (answers <= len(self.symbols))).all(1)
        return np.logical_and(known, (answers > 0).any(1), dtype=bool)

    def draw(self, puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
        """The cells row by row (one row without a shape). Cells that agree with the puzzle are bold."""
        shown = puzzle if answer is None else answer
        width = max((len(symbol) for symbol in self.symbols), default=1)
        cells = []
        for at, (given, token) in enumerate(zip(puzzle.tolist(), shown.tolist(), strict=True)):
            face = "·" if token == 0 else self._face(token)
            style = "dim" if token == 0 else "bold" if token == given else ""
            if before is not None and before[at] != token:
                style = f"{style} on yellow".strip()
            text = escape(face) + " " * (width - len(face))
            cells.append(f"[{style}]{text}[/]" if style else text)
        columns = self.shape[1] if self.shape else len(cells)
        return "\n".join(" ".join(cells[at : at + columns]) for at in range(0, len(cells), columns))

    def faces(self) -> tuple[Face, ...]:
        return (Face(""), *map(Face, self.symbols))

    def resolve(self, vocabulary: list[str], length: int, identifiers: int) -> "Table":
        """The same table with everything known that its files say."""
        joined = (self.separator or "").join(vocabulary)
        return replace(self, vocabulary=joined, length=length, identifiers=identifiers)

    @cached_property
    def _tokens(self) -> dict[str, int]:
        return {NO_SYMBOL: 0} | {symbol: token for token, symbol in enumerate(self.symbols, 1)}

    def _face(self, token: int) -> str:
        return self.symbols[token - 1] if 0 < token <= len(self.symbols) else NO_SYMBOL

    def _resolved(self) -> int:
        length = prod(self.shape) if self.shape is not None else self.length
        if self.vocabulary is None or length is None:
            raise ConfigError(
                "this table has no vocabulary and length yet: make a data set of its files with `hrm data build table "
                "train_file=my.csv` and name that folder, or set vocabulary and length"
            )
        return length
