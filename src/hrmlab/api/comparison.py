"""`parity`: does this machine compute what the reference implementations computed?"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from hrmlab.api.settings import Threads, use_threads, versions
from hrmlab.errors import ConfigError, DataError
from hrmlab.interop import parity as golden
from hrmlab.results import Parity, ParityFile
from hrmlab.terminal import Meter

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}


def parity(
    files: Sequence[str | Path],
    *,
    compiled: bool = False,
    dtype: str = "float32",
    threads: Threads = None,
    quiet: bool = False,
) -> Parity:
    """Replay files of golden vectors and compare every number.

    Args:
        files: safetensors files, or folders of them.
        compiled: through torch.compile; tolerances are then wider (`hrmlab.interop.parity.COMPILED`).
        dtype: float32 and float64 are compared number by number, bfloat16 by statistics of the first call.

    Raises:
        ConfigError, DataError: no such dtype, no files, or no compiler. A file that cannot be used fails by itself.
    """
    use_threads(threads, quiet)
    if dtype not in DTYPES:
        raise ConfigError(f"dtype '{dtype}' came; wanted one of {', '.join(DTYPES)}")
    paths = [path for given in files for path in _files(Path(given))]
    if not paths:
        raise DataError("no golden vectors came; wanted .safetensors files or a folder of them")
    answers = []
    with Meter(f"replaying {len(paths)} files", quiet) as meter:
        for number, path in enumerate(paths):
            answers.append(_one(path, DTYPES[dtype], compiled))
            meter.update((number + 1) / len(paths), path.name)
    return Parity(all(answer.ok for answer in answers), answers, _protocol(dtype, compiled))


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.safetensors")) if path.is_dir() else [path]


def _one(path: Path, dtype: torch.dtype, compiled: bool) -> ParityFile:
    try:
        found = golden.check(path, dtype=dtype, engine="compiled" if compiled else "eager")
    except DataError as error:
        return ParityFile(str(path), False, {}, {}, str(error))
    return ParityFile(str(path), found.ok, dict(found.error), dict(found.share))


def _protocol(dtype: str, compiled: bool) -> dict[str, object]:
    scale = golden.COMPILED if compiled else 1.0
    exact = {group: asdict(tolerance) for group, tolerance in golden.FLOAT32.items()} | {
        "first call": asdict(golden.FIRST)
    }
    narrow = {
        "outputs, states": golden.BFLOAT16_ERROR,
        "loss": golden.BFLOAT16_LOSS,
        "cosine of gradients": golden.BFLOAT16_COSINE,
    }
    return {
        "dtype": dtype,
        "compiled": compiled,
        "threads": torch.get_num_threads(),
        "tolerances": narrow if dtype == "bfloat16" else exact,
        "times": scale,
        "versions": versions(),
    }
