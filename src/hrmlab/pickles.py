"""Files of `torch.save` that others made, looked at before torch opens them."""

import pickle
import pickletools
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

LONGEST = 500
"""Bytes of a class's name; torch's reader takes time by the square of them to say that it knows no such class."""
ROOM = 1 << 26
"""Bytes of a pickle that was compressed, which torch reads though it writes none; tensors lie elsewhere."""
PARTS = 5
"""Pickles in a file of the format before zip archives: three of facts, the object, the keys of its storages."""


def refuse_long_names(file: Path) -> None:
    """Let pass whatever torch says quickly what is wrong with.

    Raises:
        UnpicklingError: a class is asked for by a name that none has.
        OSError: the file cannot be read.
    """
    for stream in _streams(file):
        at = 0
        try:
            for _ in range(PARTS):
                for opcode, argument, _ in pickletools.genops(stream):
                    at = stream.tell()
                    if opcode.name == "GLOBAL":
                        _check(len(str(argument)))
        except (ValueError, IndexError, OverflowError, MemoryError):
            # Torch is less strict, and may take for a name what is none here.
            stream.seek(at)
            if stream.read(1) == pickle.GLOBAL:
                _check(len(stream.readline()) + len(stream.readline()))


def _check(length: int) -> None:
    if length > LONGEST:
        raise pickle.UnpicklingError(f"it asks for a class by a name of {length} letters")


def _streams(file: Path) -> Iterator[BinaryIO]:
    with file.open("rb") as stream:
        if not zipfile.is_zipfile(stream):
            stream.seek(0)
            yield stream
            return
        with suppress(zipfile.BadZipFile, NotImplementedError), zipfile.ZipFile(stream) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith("data.pkl"):
                    yield BytesIO(_content(stream, entry))


def _content(stream: BinaryIO, entry: zipfile.ZipInfo) -> bytes:
    """What lies in an archive under a name, whether or not its checksum is right, which torch does not ask."""
    stream.seek(entry.header_offset + 26)  # the lengths of the name and of what follows it, in the entry's own head
    name, extra = (int.from_bytes(stream.read(2), "little") for _ in range(2))
    stream.seek(name + extra, 1)
    stored = stream.read(entry.compress_size)
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        return stored
    with suppress(zlib.error):
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(stored, ROOM)
    return b""
