"""Token arrays that stay on disk: rows are widened to 32 bits when they are taken."""

from typing import Any, cast

import numpy as np

from hrmlab.tasks.base import IGNORE, Tokens
from hrmlab.tasks.layout import Array


class Packed(np.lib.mixins.NDArrayOperatorsMixin):
    """A stored token array of shape (n, seq_len) that is indexed like one in memory, and gives int32 arrays.

    A data set of ARC with a thousand variants a puzzle holds six gigabytes; as int32 in memory it would be 25.

    Args:
        parts: memory-mapped arrays of equal width, one after the other.
        ignored: the token that stands for "not scored", given back as `IGNORE`; None for none.
    """

    dtype = np.dtype(np.int32)
    ndim = 2

    def __init__(self, parts: list[Array], ignored: int | None = None) -> None:
        self._stored = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self._ignored = ignored

    @property
    def shape(self) -> tuple[int, int]:
        rows, cells = self._stored.shape
        return rows, cells

    def __len__(self) -> int:
        return len(self._stored)

    def __getitem__(self, rows: Any) -> Tokens:
        tokens: Tokens = np.asarray(self._stored[rows]).astype(np.int32)
        if self._ignored is not None:
            tokens[tokens == self._ignored] = IGNORE
        return tokens

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self[:].astype(dtype or self.dtype, copy=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Arithmetic and comparison of the whole, as int32 in memory."""
        whole = (np.asarray(value) if isinstance(value, Packed) else value for value in inputs)
        return getattr(ufunc, method)(*whole, **options)

    @classmethod
    def tokens(cls, parts: list[Array], ignored: int | None = None) -> Tokens:
        """As the array that it stands for."""
        return cast(Tokens, cls(parts, ignored))
