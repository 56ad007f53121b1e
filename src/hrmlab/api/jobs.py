"""Files of puzzles in, files of solutions out, of any length in constant memory."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import IO

from hrmlab.errors import DataError
from hrmlab.results import Solution, Solving

KEPT = 1000
"""Solutions that are held in memory where all of them go to a file."""

Line = tuple[str, str]
"""Where a puzzle stands, in words, and its text."""


class Lines:
    """The lines of a file that are not blank, read as they are asked for. share: of the file that has been read.

    Raises:
        DataError: when entered or read: the file cannot be opened, or is not UTF-8 text.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.share = path, 0.0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "Lines":
        try:
            self._file = self.path.open("rb")
            self._size = max(self.path.stat().st_size, 1)
        except OSError as error:
            raise DataError(f"cannot read the jobs {self.path}: {error.strerror}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> Iterator[Line]:
        assert self._file is not None
        try:
            for number, line in enumerate(self._file, 1):
                self.share = min(self.share + len(line) / self._size, 1.0)
                text = line.decode("utf-8").rstrip("\r\n")
                if text.strip():
                    yield f"{self.path} line {number}", text
        except OSError as error:
            raise DataError(f"cannot read the jobs {self.path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise DataError(f"cannot read the jobs {self.path}: it is not UTF-8 text") from None


class Collected:
    """Solutions as they come: into a file if there is one, and as many as it is wise to keep.

    The file is written beside its place, as `NAME.part`, and takes its name when all is done; what was solved before an
    interruption stays there.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, out: Path | None) -> None:
        self.out, self.kept, self.count, self.solved, self.errors = out, list[Solution](), 0, 0, 0
        self._file: TextIOWrapper | None = None

    @property
    def _part(self) -> Path:
        assert self.out is not None
        return self.out.with_name(f"{self.out.name}.part")

    def __enter__(self) -> "Collected":
        if self.out is not None:
            try:
                self._file = self._part.open("w", encoding="utf-8")
            except OSError as error:
                raise self._trouble(error) from None
        return self

    def add(self, solution: Solution) -> None:
        self.count += 1
        self.solved += bool(solution.solved)
        self.errors += solution.error is not None
        if self._file is None or self.count <= KEPT:
            self.kept.append(solution)
        if self._file is not None:
            try:
                self._file.write(json.dumps(asdict(solution), ensure_ascii=False) + "\n")
            except OSError as error:
                raise self._trouble(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None or self.out is None:
            return
        try:
            self._file.close()
            if kind is None and self.count:
                self._part.replace(self.out)
            elif not self.count:
                self._part.unlink()
        except OSError as trouble:
            raise self._trouble(trouble) from None

    def result(self, seconds: float) -> Solving:
        tried = self.count - self.errors
        return Solving(
            results=self.kept,
            puzzles_per_second=tried / max(seconds, 1e-9),
            out=None if self.out is None else str(self.out),
            count=self.count,
            solved=self.solved,
            errors=self.errors,
        )

    def _trouble(self, error: OSError) -> DataError:
        return DataError(f"cannot write {self.out}: {error.strerror}; choose another --out")
