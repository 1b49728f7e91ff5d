"""Memory of large results, which is used again.

The system sets new memory to zero and maps it at the first access. For neighbour lists this takes
as long as everything else. An array from here is like any other. When it and all its views are
gone, its memory is kept for the next array of about the same size.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_KEPT = 2**27
"""Most bytes that are kept."""

_kept: dict[int, npt.NDArray[Any]] = {}


class _Owner:
    """Owner of a piece of memory, to which all its views refer."""

    def __init__(self, memory: npt.NDArray[Any]) -> None:
        self.__array_interface__ = memory.__array_interface__
        weakref.finalize(self, _keep, memory).atexit = False


def empty(size: int, dtype: type) -> npt.NDArray[Any]:
    """Return an uninitialised array of `size` elements of eight bytes, if possible in memory that was used before.

    It is safe in several Python threads, since single operations on a dict are.
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
