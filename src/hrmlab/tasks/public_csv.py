"""Reading the public sets' CSV (columns source,question,answer,rating), from a folder or the Hugging Face Hub.

Questions and answers become tokens as the reference makes them: a Sudoku's blank is 1 and its digits follow; a maze's
`#`, space, `S`, `G`, `o` are 1 to 5.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError, MissingExtraError
from hrmlab.tasks.base import Task
from hrmlab.tasks.dataset import UNRATED

SUDOKU_DIGITS = "123456789ABCDEFGHIJKLMNOP"
MAZE_CHARACTERS = "# SGo"

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Rows:
    """One CSV file. questions, answers: tokens, shape (n, cells); ratings: shape (n,), -1 where there is none."""

    questions: Bytes
    answers: Bytes
    ratings: npt.NDArray[np.int64]


def locate(source: str | Path, name: str) -> Path:
    """The file `name` in a local folder, or downloaded from the Hub.

    Raises:
        DataError: it is not there, or cannot be downloaded.
        MissingExtraError: the Hub is needed and its package is not installed.
    """
    folder = Path(source)
    if folder.is_dir():
        if not (folder / name).is_file():
            raise DataError(f"{folder} has no {name}, wanted train.csv and test.csv")
        return folder / name
    parts = str(source).split("/")
    if len(parts) != 2 or not all(parts) or parts[0] in (".", "..", "~"):
        raise DataError(f"no folder {source}; wanted one with train.csv and test.csv, or owner/name on the Hub")
    try:
        from huggingface_hub import hf_hub_download
    except ImportError:
        raise MissingExtraError(
            f"reading {source} from the Hub needs huggingface-hub: pip install 'hrm-lab[hub]' (or pass a local folder)"
        ) from None
    try:
        return Path(hf_hub_download(repo_id=str(source), filename=name, repo_type="dataset"))
    except Exception as error:  # the client lets errors of several HTTP libraries through
        why = (str(error).splitlines() or [""])[0]
        raise DataError(
            f"cannot download {name} of {source} from the Hub ({type(error).__name__}: {why}); "
            "download train.csv and test.csv by hand and pass their folder"
        ) from None


def read_csv(file: Path, task: Task) -> Rows:
    """The puzzles of one file.

    Raises:
        DataError: unreadable, missing columns, or a row of the wrong length or with an unknown character.
    """
    cells = task.spec().seq_len
    codes = _codes(task)
    texts: tuple[list[str], list[str]] = ([], [])
    lines: list[int] = []
    ratings: list[int] = []
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} is not UTF-8: byte 0x{error.object[error.start]:02x} at position {error.start}; save it as UTF-8"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    missing = [name for name in ("question", "answer") if name not in header]
    if missing:
        came = ",".join(header) or "nothing"
        raise DataError(
            f"{file} has columns {came}; missing {', '.join(missing)}; wanted source,question,answer,rating"
        )
    places = [header.index(name) for name in ("question", "answer")]
    rated = header.index("rating") if "rating" in header else None
    for row in reader:
        if not row:
            continue
        if len(row) != len(header):
            raise DataError(f"{file} line {reader.line_num} has {len(row)} cells, the header has {len(header)}")
        for place, column, collected in zip(places, ("question", "answer"), texts, strict=True):
            if len(row[place]) != cells:
                raise DataError(
                    f"{file} line {reader.line_num}: the {column} has {len(row[place])} cells, "
                    f"task '{task.kind}' has {cells}; set the task's size to that of the data"
                )
            collected.append(row[place])
        lines.append(reader.line_num)
        ratings.append(_rating(file, reader.line_num, row[rated]) if rated is not None else UNRATED)
    questions, answers = (
        _encode(file, column, part, lines, codes, cells)
        for column, part in zip(("question", "answer"), texts, strict=True)
    )
    return Rows(questions, answers, np.array(ratings, np.int64))


def _codes(task: Task) -> npt.NDArray[np.uint8]:
    """Token of each character below 256, 0 for none."""
    if task.kind == "maze":
        alphabet = {character: token for token, character in enumerate(MAZE_CHARACTERS, 1)}
    else:
        digits = SUDOKU_DIGITS[: task.spec().vocab_size - 2]
        alphabet = {".": 1, "0": 1} | {digit: token for token, digit in enumerate(digits, 2)}
    codes = np.zeros(256, np.uint8)
    for character, token in alphabet.items():
        codes[ord(character)] = token
    return codes


def _encode(
    file: Path, column: str, texts: list[str], lines: list[int], codes: npt.NDArray[np.uint8], cells: int
) -> Bytes:
    # A character beyond latin-1 becomes "?", which no task knows either.
    raw = np.frombuffer("".join(texts).encode("latin-1", "replace"), np.uint8)
    tokens: Bytes = codes[raw].reshape(len(texts), cells)
    bad = np.argwhere(tokens == 0)
    if len(bad):
        row, cell = (int(i) for i in bad[0])
        raise DataError(
            f"{file} line {lines[row]}: unknown character {texts[row][cell]!r} at position {cell + 1} of the {column}"
        )
    return tokens


def _rating(file: Path, line: int, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DataError(f"{file} line {line}: rating {text!r}, wanted a whole number") from None
