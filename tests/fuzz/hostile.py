"""What `torch.save` could have written but did not: pickles that call, lie about sizes, or never end."""

import io
import os
import pickle
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from fuzz.damage import DEEP, damaged
from hypothesis import strategies as st

SENTINEL = "sentinel"
"""A file of this name, where a case takes place, was written by a pickle that ran."""


class Calls:
    """Unpickled, it calls."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


TOUCH = f"open({SENTINEL!r}, 'w').close()"
CALLS = (
    Calls(os.system, f"touch {SENTINEL}"),
    Calls(eval, TOUCH),
    Calls(exec, TOUCH),
    Calls(subprocess.Popen, ["touch", SENTINEL]),
    Calls(Path.touch, Path(SENTINEL)),
    Calls(torch.save, {}, SENTINEL),
    Calls(torch.load, SENTINEL),
    Calls(pickle.loads, pickle.dumps(Calls(eval, TOUCH))),
    Calls(torch.empty, 2**40),
    Calls(bytearray, 2**40),
    Calls(torch._utils._rebuild_tensor_v2, None, 0, (2**40,), (0,), False, {}),
)
RAW = (
    b"\x80\x02]" + b"(" * DEEP + b".", b"\x80\x02" + b"]" * DEEP + b"a" * (DEEP - 1) + b".",
    b"\x80\x02\x8b\xff\xff\xff\x7f.", b"\x80\x02X\xff\xff\xff\xff.", b"\x80\x04\x8e" + b"\xff" * 8 + b".",
    b"\x80\x02ctorch\nload\n.", b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.", b"", b".", b"\x80\x02}.",
    b"\x80\x02N.",
    b"\x80\x02K\x01.", b"\x80\x02}q\x00h\x00h\x00s.", b"\x80\x02]q\x00h\x00a.", b"\x80\x02K\x00Q.",
    b"\x80\x02(X\x07\x00\x00\x00storageNtQ.",
)  # fmt: skip

TENSORS = (
    torch.zeros(()), torch.tensor(float("nan")), torch.tensor(-1.0), torch.zeros(0), torch.ones(1), torch.zeros(8, 8),
    torch.zeros(8, 8, dtype=torch.int64), torch.full((2,), -7), torch.full((2, 16), 2**40), torch.full((6,), 5),
    torch.zeros(2, dtype=torch.bool), torch.zeros(2, dtype=torch.complex64), torch.zeros(2, dtype=torch.bfloat16),
    torch.zeros(1).expand(2**40), torch.zeros(5000, dtype=torch.uint8), torch.eye(2).to_sparse(),
)  # fmt: skip
"""Where others are wanted."""


def saved(thing: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(thing, stream)
    return stream.getvalue()


def with_pickle(sound: bytes, inside: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    """A file of `torch.save` with another pickle in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sound)) as old, zipfile.ZipFile(stream, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, inside if name.endswith("data.pkl") else old.read(name))
    return stream.getvalue()


def pickle_of(sound: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(sound)) as file:
        return file.read(next(name for name in file.namelist() if name.endswith("data.pkl")))


def pickles(sound: bytes) -> st.SearchStrategy[bytes]:
    """Files that a reader of checkpoints may be given in place of a sound one."""
    calling = st.builds(lambda call, protocol: pickle.dumps(call, protocol), st.sampled_from(CALLS), st.integers(0, 5))
    within = st.builds(lambda call: pickle.dumps({"a": 1, "b": [call]}, 2), st.sampled_from(CALLS))
    inside = calling | within | st.sampled_from(RAW) | damaged(pickle_of(sound))
    methods = st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    return st.builds(with_pickle, st.just(sound), inside, methods) | inside | damaged(sound)
