"""Memory of large results, used again: to get it anew from the system costs more than to find the results.

The system sets fresh memory to zero and maps it when it is first touched, which for neighbour lists takes as long as
everything else. An array from here looks like any other; once it and all its views are gone, its memory is kept
for the next array of about that size.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_KEPT = 2**27
"""Bytes that are kept at most."""

_kept: dict[int, npt.NDArray[Any]] = {}


class _Owner:
    """What all views of a piece of memory refer to."""

    def __init__(self, memory: npt.NDArray[Any]) -> None:
        self.__array_interface__ = memory.__array_interface__
        weakref.finalize(self, _keep, memory).atexit = False


def empty(size: int, dtype: type) -> npt.NDArray[Any]:
    """Uninitialised array of `size` elements of eight bytes each, if possible in memory that was used before.

    Safe in several Python threads: single operations on a dict are.
    """
    fitting = [key for key, memory in list(_kept.items()) if size <= len(memory) <= 2 * size]
    memory = _kept.pop(fitting[0], None) if fitting else None
    if memory is None:
        memory = np.empty(size + size // 16, np.int64)
    return np.asarray(_Owner(memory))[:size].view(dtype)


def _keep(memory: npt.NDArray[Any]) -> None:
    if sum(other.nbytes for other in list(_kept.values())) + memory.nbytes > MOST_KEPT:
        _kept.clear()
    if memory.nbytes <= MOST_KEPT:
        _kept[id(memory)] = memory
