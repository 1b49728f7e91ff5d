"""Sums over consecutive blocks of a stream of unknown length."""

from __future__ import annotations

import numpy as np

from fastsf.types import FloatArray

FEWEST = 8
"""Least number of blocks, from as many samples on; the number is always less than twice this."""


class Blocks:
    """Sums of arrays over 8 to 15 blocks of equal size, which doubles as the stream grows."""

    def __init__(self) -> None:
        self.size = 1
        self.count = 0
        self._whole: list[FloatArray] = []
        self._open: FloatArray | None = None
        self._in_open = 0

    def add(self, sample: FloatArray) -> None:
        """Add an array, which may be kept and must not be changed afterwards."""
        self._open = sample if self._open is None else self._open + sample
        self._in_open += 1
        self.count += 1
        if self._in_open == self.size:
            self._whole.append(self._open)
            self._open, self._in_open = None, 0
        if len(self._whole) == 2 * FEWEST:
            self._whole = [a + b for a, b in zip(self._whole[::2], self._whole[1::2], strict=True)]
            self.size *= 2

    @property
    def total(self) -> FloatArray:
        """Sum over the stream; at least one array must have been added."""
        sums = self._whole if self._open is None else [*self._whole, self._open]
        total: FloatArray = np.sum(sums, axis=0)
        return total

    @property
    def whole(self) -> FloatArray:
        """Sums over the complete blocks, along a new first axis."""
        return np.array(self._whole)
