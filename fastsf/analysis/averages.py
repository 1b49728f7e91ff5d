"""Means of correlated series with standard errors, and drifts.

The error of a mean is found by blocking: H. Flyvbjerg and H. G. Petersen, J. Chem. Phys. 91, 461 (1989). Consecutive
samples are averaged in twos, again and again. The naive error of the mean grows until blocks are longer than the
correlations, and is constant afterwards. The error of a small number of long blocks is uncertain. So the shortest
blocks are taken whose size B fulfils B^3 > 2 n (e_B / e_1)^4, with n samples and the error e_B from blocks of B:
U. Wolff, Comput. Phys. Commun. 156, 143 (2004), section 4; R. M. Lee, G. J. Conduit, N. Nemec, P. Lopez Rios and
N. D. Drummond, Phys. Rev. E 83, 066706 (2011). With fast oscillations e_1 is too large for this criterion to notice
slow changes. So a second condition holds, too: no longer blocks give an error larger by more than its uncertainty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.types import BoolArray, FloatArray, IntArray

FEWEST_BLOCKS = 4
"""Least number of blocks from which an error is computed."""

FEWEST_CHOSEN = 6
"""Least number of blocks of a plateau; with fewer the error is too uncertain."""

_ROUNDING = 1e-12
"""Relative spread up to which differences are rounding errors."""

DRIFT_BLOCKS = 20
"""Number of blocks to whose means a drift is fitted."""


@dataclass(frozen=True)
class Blocking:
    """The errors of a mean from blocks of growing size.

    Parameters
    ----------
    sizes : (k,) int64
        Number of samples in a block: 1, 2, 4, ...
    errors : (k,) float64
        Standard error of the mean if blocks of that size are taken as independent.
    counts : (k,) int64
        Number of blocks.
    chosen : int
        Index of the size whose error is valid; -1 if the series is too short for its correlations.
    """

    sizes: IntArray
    errors: FloatArray
    counts: IntArray
    chosen: int

    @property
    def uncertainty(self) -> FloatArray:
        """Standard errors of the errors, (k,): e / sqrt(2 (blocks - 1))."""
        return _uncertainty(self.errors, self.counts)


@dataclass(frozen=True)
class Mean:
    """The mean of a series with its error.

    Parameters
    ----------
    value, error : float
        Mean, and its standard error; NaN for the error of fewer than four samples.
    spread : float
        Standard deviation of the samples; 0 if they differ only by rounding.
    count : int
        Number of samples.
    inefficiency : float
        Number of consecutive samples that count as one independent sample: (error / naive error)^2.
    settled : bool
        True if blocks became longer than the correlations. Otherwise the largest error is given, and the true one may
        be larger.
    """

    value: float
    error: float
    spread: float
    count: int
    inefficiency: float
    settled: bool


def blocking(series: npt.ArrayLike) -> Blocking:
    """Return the errors of the mean from blocks of 1, 2, 4, ... samples, and which of them is valid.

    Parameters
    ----------
    series : (n,) array
        At least four equally spaced samples.

    Raises
    ------
    InputError
        For fewer samples, or samples that are not finite.
    """
    means = _checked(series)
    if len(means) < FEWEST_BLOCKS:
        raise InputError(f"expected at least {FEWEST_BLOCKS} samples for an error, found {len(means)}")
    n, errors, counts = len(means), [], []
    while len(means) >= FEWEST_BLOCKS:
        errors.append(float(means.std(ddof=1)) / math.sqrt(len(means)))
        counts.append(len(means))
        means = 0.5 * (means[: len(means) // 2 * 2 : 2] + means[1::2])
    sizes = 2 ** np.arange(len(errors))
    found = np.array(errors)
    ratio = found / found[0] if found[0] > 0 else np.ones(len(found))
    numbers = np.array(counts)
    enough = (sizes.astype(np.float64) ** 3 > 2 * n * ratio**4) & _flat(found, numbers) & (numbers >= FEWEST_CHOSEN)
    chosen = int(np.argmax(enough)) if enough.any() else -1
    return Blocking(sizes, found, numbers, chosen)


def _flat(errors: FloatArray, counts: IntArray) -> BoolArray:
    """Return the mask of sizes for which no longer blocks give a larger error by more than its uncertainty."""
    least = errors - _uncertainty(errors, counts)
    later = np.maximum.accumulate(least[::-1])[::-1]
    return np.append(later[1:] <= errors[:-1], True)


def _uncertainty(errors: FloatArray, counts: IntArray) -> FloatArray:
    spread: FloatArray = errors / np.sqrt(2.0 * (counts - 1))
    return spread


def mean(series: npt.ArrayLike) -> Mean:
    """Return the mean of a correlated series with its standard error by blocking.

    Parameters
    ----------
    series : (n,) array
        At least one sample; equally spaced.

    Raises
    ------
    InputError
        For no samples, or samples that are not finite.
    """
    samples = _checked(series)
    value, spread = float(samples.mean()), float(samples.std(ddof=min(1, len(samples) - 1)))
    if len(samples) >= FEWEST_BLOCKS and spread <= _ROUNDING * abs(value):
        return Mean(value, 0.0, 0.0, len(samples), 1.0, True)
    if len(samples) < FEWEST_BLOCKS:
        return Mean(value, math.nan, spread, len(samples), math.nan, False)
    levels = blocking(samples)
    error = float(levels.errors[levels.chosen] if levels.chosen >= 0 else levels.errors.max())
    naive = float(levels.errors[0])
    return Mean(value, error, spread, len(samples), (error / naive) ** 2, levels.chosen >= 0)


def of_pieces(pieces: npt.ArrayLike) -> FloatArray:
    """Return the standard error of a mean over independent pieces along the first axis; NaN for fewer than two."""
    values = np.asarray(pieces, dtype=np.float64)
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / math.sqrt(len(values)))


def drift(series: npt.ArrayLike, times: npt.ArrayLike, blocks: int = DRIFT_BLOCKS) -> tuple[float, float]:
    """Return the slope of a series and its standard error.

    A straight line is fitted to means over blocks. They must be long enough to be independent. The error is the
    standard error of the fit.

    Parameters
    ----------
    series : (n,) array
        Samples, for example the conserved energy per atom.
    times : (n,) array
        Growing times.
    blocks : int, optional
        Number of blocks; at most half of the number of samples are made.

    Returns
    -------
    float, float
        Slope and standard error, in units of the series per unit of time.

    Raises
    ------
    InputError
        For fewer than six samples, or numbers that are not finite.
    """
    values, when = _checked(series), _checked(times)
    if len(values) != len(when):
        raise InputError(f"expected as many times as samples, found {len(when)} and {len(values)}")
    blocks = min(blocks, len(values) // 2)
    if blocks < 3:
        raise InputError(f"expected at least 6 samples for a drift, found {len(values)}")
    size = len(values) // blocks
    means, centres = (each[: blocks * size].reshape(blocks, size).mean(axis=1) for each in (values, when))
    centred = centres - centres.mean()
    squares = float((centred**2).sum())
    if squares == 0:
        raise InputError("expected growing times, found a single one")
    slope = float((centred * means).sum()) / squares
    rest = means - means.mean() - slope * centred
    return slope, float(np.sqrt((rest**2).sum() / (blocks - 2) / squares))


def _checked(series: npt.ArrayLike) -> FloatArray:
    samples = np.asarray(series, dtype=np.float64)
    if samples.ndim != 1 or len(samples) == 0:
        raise InputError(f"expected a series of at least one sample, found an array of shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise InputError(f"sample {int(np.argmin(np.isfinite(samples)))} of a series is not finite")
    return samples
