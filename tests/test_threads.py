"""Which of its two loops a kernel runs."""

from __future__ import annotations

import numba
import pytest

from fastsf.threads import run

SHARED = pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="only one thread to be had")


def which(threads: int | None, n: int, **options: int) -> tuple:
    calls = []
    run(
        threads,
        lambda *arguments: calls.append(("serial", *arguments)),
        lambda *arguments: calls.append(("parallel", *arguments)),
        ("argument",),
        n,
        ("result",),
        **options,
    )
    return calls[0] if len(calls) == 1 else tuple(calls)


@pytest.mark.parametrize("threads, n, options", [(1, 1000, {}), (2, 3, {}), (None, 0, {}), (2, 99, {"few": 100})])
def test_in_this_thread(threads, n, options):
    assert which(threads, n, **options) == ("serial", "argument", 0, n, "result")


@SHARED
@pytest.mark.parametrize("n, options, parts", [(4, {}, 4), (100, {"few": 100}, 8), (5, {}, 5)])
def test_shared(n, options, parts):
    before = numba.get_num_threads()
    assert which(2, n, **options) == ("parallel", "argument", parts, "result")
    assert numba.get_num_threads() == before
