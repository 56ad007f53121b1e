"""Writing a report's files, each whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

from hrmlab.errors import DataError


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Files by name into a folder, which is made if need be.

    Raises:
        DataError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            temporary = folder / f".{name}.tmp"
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(folder / name)
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror}; choose another --out") from None
