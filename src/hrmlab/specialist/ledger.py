"""Evidence on disk: an append-only file of JSON lines, each of which holds the hash of the one before."""

import fcntl
import hashlib
import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hrmlab.errors import DataError
from hrmlab.reading import parsed
from hrmlab.results.specialist import Evidence

GENESIS = "0" * 64
NAME = "evidence.jsonl"


class Ledger:
    """The measurements of a consultation, never changed once written.

    Args:
        path: the file, made with the first record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, tool: str, about: dict[str, Any], values: dict[str, Any]) -> Evidence:
        """Write a measurement and give it its id; on disk before this returns.

        Raises:
            DataError: the file is damaged or cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                known = self.records()
                before = known[-1].digest if known else GENESIS
                now = datetime.now(UTC).isoformat(timespec="seconds")
                draft = Evidence(f"e{len(known) + 1}", tool, about, _plain(values), now, before, "")
                record = replace(draft, digest=digest(draft))
                file.write(json.dumps(asdict(record), ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise DataError(f"cannot write {self.path}: {error.strerror}; choose another --out") from None
        return record

    def records(self) -> list[Evidence]:
        """All measurements in order.

        Raises:
            DataError: a line is damaged, was changed, or is missing; the message says which.
        """
        found: list[Evidence] = []
        for number, line in enumerate(self._lines(), 1):
            record = _read(line)
            if record is None or record.digest != digest(record):
                raise DataError(f"{self.path} line {number} is damaged or was changed{self._way_out()}")
            if record.previous != (found[-1].digest if found else GENESIS) or record.id != f"e{number}":
                raise DataError(f"{self.path} line {number} does not follow line {number - 1}{self._way_out()}")
            found.append(record)
        return found

    def mend(self) -> int:
        """Keep the records up to the first that is damaged; the rest goes to a file beside it, nothing is lost.

        Returns:
            how many lines were set aside.
        """
        lines = list(self._lines())
        good, previous = 0, GENESIS
        for number, line in enumerate(lines, 1):
            record = _read(line)
            if record is None or (record.id, record.previous) != (f"e{number}", previous):
                break
            if record.digest != digest(record):
                break
            good, previous = number, record.digest
        if bad := lines[good:]:
            with self.path.with_suffix(".damaged").open("ab") as aside:
                aside.write(b"\n".join(bad) + b"\n")
            temporary = self.path.with_suffix(".tmp")
            temporary.write_bytes(b"".join(line + b"\n" for line in lines[:good]))
            temporary.replace(self.path)
        return len(bad)

    def _lines(self) -> list[bytes]:
        return [line for line in self.path.read_bytes().split(b"\n") if line] if self.path.is_file() else []

    def _way_out(self) -> str:
        return f"; type `hrm evidence {self.path.parent} --mend` to keep what comes before it"


def digest(record: Evidence) -> str:
    """SHA-256 of a record without its own digest, the previous one's included."""
    parts = {name: value for name, value in asdict(record).items() if name != "digest"}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _read(line: bytes) -> Evidence | None:
    try:
        return Evidence(**parsed(line))
    except (ValueError, TypeError):
        return None


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """As JSON gives it back, so that the digest of what is read is that of what was written."""
    plain: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return plain
