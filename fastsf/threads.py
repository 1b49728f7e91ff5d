"""How kernels are run on threads."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba

from fastsf.kernels import _jit


def run(
    threads: int | None,
    serial: Callable[..., Any],
    parallel: Callable[..., Any],
    arguments: tuple[Any, ...],
    n: int,
    results: tuple[Any, ...],
    few: int = 4,
) -> None:
    """Run a kernel over n items.

    Parameters
    ----------
    threads : int or None
        Threads to use; None for all that numba has. With 1 the parallel layer of numba is not entered at all, so
        that several Python threads, forked workers or MPI ranks may call at once.
    serial : callable
        ``serial(*arguments, 0, n, *results)`` works on the items 0 ... n - 1.
    parallel : callable
        ``parallel(*arguments, parts, *results)`` works on all items in `parts` blocks.
    few : int
        Fewer items than this take less time than waking other threads (about 8 µs), and are worked on by this one.
    """
    _announce()
    wanted = threads_for(threads, n, few)
    if wanted == 1:
        serial(*arguments, 0, n, *results)
        return
    with using(wanted):
        parallel(*arguments, min(n, 4 * wanted), *results)


def threads_for(threads: int | None, n: int, few: int = 4) -> int:
    """Threads that `run` uses for n items; parameters as there."""
    return 1 if threads == 1 or n < few else _available(threads)


@contextlib.contextmanager
def using(threads: int) -> Iterator[None]:
    """Have parallel kernels use so many threads; with 1, their layer is left alone."""
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
    """Threads that numba can use at most."""
    return int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))


def never_announce() -> None:
    """Leave out the announcement below: kernels are compiled ahead of their use, or something else tells."""
    if _jit.CACHE_FOLDER is not None:
        with contextlib.suppress(OSError):
            _announced(_jit.CACHE_FOLDER).touch()


def _available(threads: int | None) -> int:
    return int(numba.get_num_threads()) if threads is None else min(threads, most_threads())


def _announced(folder: Path) -> Path:
    return folder / "announced"


@cache
def _announce() -> None:
    """Say on a terminal, once per installation, why the first call takes long."""
    if _jit.CACHE_FOLDER is None or not sys.stderr.isatty() or _announced(_jit.CACHE_FOLDER).exists():
        return
    never_announce()
    print("fastsf: compiling its kernels; they are kept for later runs", file=sys.stderr, flush=True)
