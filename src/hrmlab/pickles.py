"""Files of `torch.save` that others made, looked at before torch opens them."""

import pickle
import pickletools
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

LONGEST = 500
"""Characters of a class's name; torch's reader takes time by the square of them to say that it knows no such class."""
PARTS = 5
"""Pickles in a file of the format before zip archives: three of facts, the object, the keys of its storages."""


def refuse_long_names(file: Path) -> None:
    """Let pass whatever torch says quickly what is wrong with.

    Raises:
        UnpicklingError: a class is asked for by a name that none has.
        OSError: the file cannot be read.
    """
    for stream in _streams(file):
        # What is no pickle is for torch to say.
        with suppress(ValueError, IndexError, OverflowError, MemoryError):
            for _ in range(PARTS):
                for opcode, argument, _ in pickletools.genops(stream):
                    if opcode.name == "GLOBAL" and len(str(argument)) > LONGEST:
                        raise pickle.UnpicklingError(f"it asks for a class by a name of {len(str(argument))} letters")


def _streams(file: Path) -> Iterator[BinaryIO]:
    if not zipfile.is_zipfile(file):
        with file.open("rb") as stream:
            yield stream
        return
    with suppress(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError), zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith("data.pkl") and entry.compress_type == zipfile.ZIP_STORED:
                yield BytesIO(archive.read(entry))
