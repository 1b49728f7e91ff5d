"""Fair timing on a busy machine: the candidates take turns, so that whatever else runs slows them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(candidates: Mapping[str, Callable[[], object]], rounds: int, warmup: int = 1) -> dict[str, float]:
    """Median wall time of one call of each candidate.

    Parameters
    ----------
    candidates : mapping of str to callable
        What to time; what a call returns is freed before the next one begins, outside the measured time.
    rounds : int
        How often each is called; every other round goes through the candidates in reverse.
    warmup : int, optional
        Calls of each that are not counted.

    Returns
    -------
    dict of str to float
        Seconds.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    gc.collect()
    for turn in range(-warmup, rounds):
        names = list(candidates) if turn % 2 else list(reversed(candidates))
        for name in names:
            begin = time.perf_counter()
            result = candidates[name]()
            elapsed = time.perf_counter() - begin
            del result
            if turn >= 0:
                times[name].append(elapsed)
    return {name: statistics.median(values) for name, values in times.items()}
