"""Errors of means of series with a known correlation time, and drifts of known size."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from fastsf.analysis.averages import blocking, drift, mean, of_pieces
from fastsf.analysis.blocks import FEWEST, Blocks
from fastsf.errors import InputError


def ornstein_uhlenbeck(n: int, tau: float, seed: int) -> np.ndarray:
    """Return a Gaussian series of variance 1 with the autocorrelation exp(-k / tau)."""
    rho = math.exp(-1 / tau)
    noise = np.random.default_rng(seed).normal(size=n)
    noise[1:] *= math.sqrt(1 - rho**2)
    return lfilter([1.0], [1.0, -rho], noise)


@pytest.mark.parametrize("tau", [0.01, 5.0, 40.0])
def test_error_of_a_series_with_known_correlation_time(tau: float) -> None:
    n = 2**16
    rho = math.exp(-1 / tau)
    inefficiency = (1 + rho) / (1 - rho)
    found = [mean(ornstein_uhlenbeck(n, tau, seed)) for seed in range(8)]
    assert all(each.settled for each in found)
    errors = np.array([each.error for each in found])
    assert np.mean(errors) == pytest.approx(math.sqrt(inefficiency / n), rel=0.12)
    assert np.mean([each.inefficiency for each in found]) == pytest.approx(inefficiency, rel=0.25)


def test_errors_cover_the_true_mean() -> None:
    found = [mean(ornstein_uhlenbeck(5000, 10.0, seed)) for seed in range(200)]
    scores = np.array([each.value / each.error for each in found])
    assert 0.85 < scores.std() < 1.25


def test_a_series_that_is_too_short_says_so() -> None:
    found = mean(ornstein_uhlenbeck(64, 50.0, 3))
    assert not found.settled
    assert found.error == blocking(ornstein_uhlenbeck(64, 50.0, 3)).errors.max()


def test_slow_changes_under_fast_oscillations_count() -> None:
    """As in the pressure of molecules, whose bonds vibrate; the oscillation alone would have no error."""
    n, tau = 2**13, 60.0
    inefficiency = (1 + math.exp(-1 / tau)) / (1 - math.exp(-1 / tau))
    oscillation = 4.0 * np.cos(2.1 * np.arange(n))
    errors = [mean(ornstein_uhlenbeck(n, tau, seed) + oscillation).error for seed in range(8)]
    assert np.mean(errors) == pytest.approx(math.sqrt(inefficiency / n), rel=0.25)


def test_alternating_series_has_a_small_error() -> None:
    assert mean(np.tile([1.0, -1.0], 200)).error == 0.0


def test_constant_series() -> None:
    found = mean(np.full(100, 3.5))
    assert (found.value, found.error, found.inefficiency, found.settled) == (3.5, 0.0, 1.0, True)


def test_few_samples_have_no_error() -> None:
    found = mean([1.0, 2.0, 3.0])
    assert found.value == 2.0 and math.isnan(found.error) and not found.settled
    assert math.isnan(mean([1.0]).error)


@pytest.mark.parametrize("series", [[], [[1.0]], [1.0, math.nan]])
def test_bad_series(series: list) -> None:
    with pytest.raises(InputError):
        mean(series)


def test_blocking_by_hand() -> None:
    levels = blocking([0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 99.0])
    assert levels.sizes.tolist() == [1, 2] and levels.counts.tolist() == [9, 4]
    assert levels.errors[1] == pytest.approx(np.std([1.0, 5.0, 9.0, 13.0], ddof=1) / 2)
    assert levels.uncertainty[1] == pytest.approx(levels.errors[1] / math.sqrt(6))


def test_error_of_pieces() -> None:
    assert of_pieces([[1.0, 5.0], [3.0, 5.0]]).tolist() == [1.0, 0.0]
    assert np.isnan(of_pieces([[1.0, 2.0]])).all()


def test_drift_is_recovered() -> None:
    times = np.arange(4000) * 0.001
    noise = 1e-4 * np.random.default_rng(5).normal(size=len(times))
    slope, error = drift(2.0 + 3e-4 * times + noise, times)
    assert abs(slope - 3e-4) < 4 * error
    assert error == pytest.approx(1e-4 / np.sqrt(len(times)) / (0.001 * len(times) / np.sqrt(12)), rel=0.5)
    assert drift(1.0 - 7.0 * times, times) == pytest.approx((-7.0, 0.0), abs=1e-12)


def test_drift_needs_samples_and_times() -> None:
    with pytest.raises(InputError, match="6 samples"):
        drift([1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="as many times"):
        drift(np.zeros(10), np.zeros(9))
    with pytest.raises(InputError, match="expected growing times"):
        drift(np.zeros(10), np.zeros(10))


@pytest.mark.parametrize("count", [1, 7, 8, 15, 16, 17, 100, 1000])
def test_blocks_of_a_stream(count: int) -> None:
    blocks = Blocks()
    samples = np.arange(2.0 * count).reshape(count, 2)
    for sample in samples:
        blocks.add(sample)
    whole = blocks.whole
    assert blocks.count == count and np.array_equal(blocks.total, samples.sum(axis=0))
    assert min(count, FEWEST) <= len(whole) < 2 * FEWEST
    used = len(whole) * blocks.size
    assert np.array_equal(whole, samples[:used].reshape(len(whole), blocks.size, 2).sum(axis=1))
