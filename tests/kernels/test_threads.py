"""Threads on which kernels run."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from fastsf.kernels.sharing import ALONE, share_out
from fastsf.threads import run, workers_of

SHARED = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS < 2 or numba.config.DISABLE_JIT, reason="numba has one thread"
)


def called(threads: int | None, n: int, **options: int) -> list[tuple]:
    """Return the arguments of the kernel, and the number of threads that numba uses during the call."""
    calls: list[tuple] = []
    run(
        threads,
        lambda *arguments: calls.append((*arguments, numba.get_num_threads())),
        ("argument",),
        n,
        ("result",),
        **options,
    )
    return calls


@pytest.mark.parametrize(
    "threads, n, options", [(1, 1000, {}), (2, 3, {}), (None, 0, {}), (2, 99, {"shared_from": 100})]
)
def test_in_this_thread(threads, n, options):
    assert called(threads, n, **options) == [("argument", 0, n, ALONE, "result", numba.get_num_threads())]


@SHARED
@pytest.mark.parametrize("n, options", [(4, {}), (100, {"shared_from": 100})])
def test_shared(n, options):
    before = numba.get_num_threads()
    assert workers_of(2) != ALONE
    assert called(2, n, **options) == [("argument", 0, n, workers_of(2), "result", 2)]
    assert numba.get_num_threads() == before


@numba.njit
def squares_range(numbers, begin, end, workers, out):
    """Write squares; numbers below zero raise an error, and 0.5 asks for too much memory."""
    if workers != ALONE:
        share_out(workers, (numbers,), begin, end, (out,))
        return
    for k in range(begin, end):
        if numbers[k] < 0:
            raise ArithmeticError("a negative number")
        if numbers[k] == 0.5:
            out[k] = len(np.empty(1 << 52))
        out[k] = numbers[k] ** 2


@SHARED
@pytest.mark.parametrize("value, error", [(-1.0, ArithmeticError), (0.5, MemoryError)])
def test_errors_of_other_threads(value, error):
    numbers, out = np.arange(100.0), np.zeros(100)
    before = numba.get_num_threads()
    for _ in range(3):
        numbers[77] = value
        with pytest.raises(error):
            run(2, squares_range, (numbers,), 100, (out,))
        assert numba.get_num_threads() == before
        numbers[77] = 77.0
        run(2, squares_range, (numbers,), 100, (out,))
        np.testing.assert_array_equal(out, numbers**2)
        out[:] = 0.0
