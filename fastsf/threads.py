"""Threads of kernels."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from fastsf.kernels import _jit
from fastsf.kernels.sharing import ALONE, make_workers


def run(
    threads: int | None,
    kernel: Callable[..., Any],
    arguments: tuple[Any, ...],
    n: int,
    results: tuple[Any, ...],
    shared_from: int = 4,
) -> None:
    """Run a kernel over n items.

    Parameters
    ----------
    threads : int or None
        Threads to use; None for all that numba has. With 1 the parallel layer of numba is not entered at all.
        Then several Python threads, forked processes or MPI ranks may call at once.
    kernel : callable
        ``kernel(*arguments, 0, n, workers, *results)`` works on the items 0 ... n - 1; see `fastsf.kernels.sharing`.
    shared_from : int
        Fewest items that are shared. Fewer take less time than waking other threads (about 8 µs).
    """
    _announce()
    wanted = threads_for(threads, n, shared_from)
    if wanted == 1:
        kernel(*arguments, 0, n, ALONE, *results)
        return
    with using(wanted):
        kernel(*arguments, 0, n, workers_of(wanted), *results)


def workers_of(threads: int) -> int:
    """Return the argument `workers` of kernels for so many threads, while `using` them."""
    return ALONE if threads == 1 or getattr(numba.config, "DISABLE_JIT", False) else _workers_of(threads)[1]


@cache
def _workers_of(threads: int) -> tuple[npt.NDArray[np.int64], int]:
    words = make_workers(threads)
    return words, int(words.ctypes.data)


def threads_for(threads: int | None, n: int, shared_from: int = 4) -> int:
    """Return the number of threads that `run` uses for n items; parameters as for `run`."""
    return 1 if threads == 1 or n < shared_from else _available(threads)


@contextlib.contextmanager
def using(threads: int) -> Iterator[None]:
    """Let parallel kernels use so many threads; with 1, do not touch the parallel layer."""
    if threads == 1:
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def most_threads() -> int:
    """Return the number of threads that numba can use at most."""
    return int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))


def never_announce() -> None:
    """Suppress the message of the first call: kernels are compiled ahead, or another message says so."""
    if _jit.CACHE_FOLDER is not None:
        with contextlib.suppress(OSError):
            _announced(_jit.CACHE_FOLDER).touch()


def _available(threads: int | None) -> int:
    return int(numba.get_num_threads()) if threads is None else min(threads, most_threads())


def _announced(folder: Path) -> Path:
    return folder / "announced"


@cache
def _announce() -> None:
    """Print on a terminal, once per installation, why the first call takes long."""
    if _jit.CACHE_FOLDER is None or not sys.stderr.isatty() or _announced(_jit.CACHE_FOLDER).exists():
        return
    never_announce()
    print("fastsf: compiling its kernels; they are kept for later runs", file=sys.stderr, flush=True)
