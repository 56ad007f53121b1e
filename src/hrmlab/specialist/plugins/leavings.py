"""What a confined child leaves, read as from somebody who may have prepared it for whoever reads."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hrmlab.errors import ConfigError
from hrmlab.specialist.plugins.child import OUT

MOST_RESULT = 2**20
"""Bytes of what a child says of itself."""


def read_result(scratch: Path) -> dict[str, Any]:
    """What it says of itself.

    Raises:
        ConfigError: nothing that can be read.
    """
    file = scratch / OUT / "result.json"
    if not own(file) or file.stat().st_size > MOST_RESULT:
        raise ConfigError("the run left no result")
    try:
        found = json.loads(file.read_text())
    except (ValueError, RecursionError):
        raise ConfigError("the run left no result that can be read") from None
    if not isinstance(found, dict):
        raise ConfigError("the run left no result that can be read")
    return found


def own(file: Path) -> bool:
    """A plain file of the result folder, no link to elsewhere."""
    return file.is_file() and not file.is_symlink() and not file.parent.is_symlink()


def read_integers(file: Path, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Integers of that shape and nothing else.

    Raises:
        ConfigError: no file, or something else in it.
    """
    if not own(file) or file.stat().st_size > 8 * math.prod(shape) + 4096:
        raise ConfigError(f"the run left no {file.name} of the size that answers have")
    try:
        found = np.load(file, allow_pickle=False)
    except Exception:  # whatever a hostile header makes of a reader
        raise ConfigError(f"the run left a {file.name} that cannot be read") from None
    if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype.kind != "i":
        raise ConfigError(f"the run left a {file.name} of {found.dtype} {found.shape}; wanted integers {shape}")
    whole: npt.NDArray[np.int64] = found.astype(np.int64)
    return whole
