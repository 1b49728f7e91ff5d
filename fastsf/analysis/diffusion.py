"""Mean square displacements and diffusion coefficients."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastsf.analysis.averages import of_pieces
from fastsf.analysis.correlation import square_displacement
from fastsf.analysis.motion import Tracks
from fastsf.errors import InputError
from fastsf.types import FloatArray

PIECES = 5
_RANGE = 0.1, 0.5
"""Default range of the fit, as parts of the length of a piece."""

_FEWEST_LAGS = 3
FEWEST_FRAMES = 32

A2_PER_PS = 10.0
"""Å^2/ps in units of 1e-9 m^2/s."""


@dataclass(frozen=True)
class Diffusion:
    """Diffusion coefficient of an element, from <|r(t) - r(0)|^2> = 6 D t + c.

    Parameters
    ----------
    value, error : float
        D and its standard error, Å^2/ps (1 Å^2/ps is 10 times 1e-9 m^2/s).
    exponent : float
        Slope of the logarithm of the mean square displacement against that of time, in the fitted range. Diffusion has
        1; less means cages, bound atoms or too short times. NaN if nothing moves.
    """

    value: float
    error: float
    exponent: float


@dataclass(frozen=True)
class MSD:
    """Mean square displacements of all elements, averaged over all starting times.

    Parameters
    ----------
    lags : (k,) float64
        Lags in ps, from 0 to half of the run.
    values, errors : dict of str to (k,) float64
        Mean square displacements in Å^2, and standard errors from the pieces (NaN for lags longer than a piece).
    diffusion : dict of str to Diffusion
        Diffusion coefficient of each element.
    fit : float, float
        First and last lag of the fit in ps.
    pieces : int
        Number of pieces of the run whose scatter gives the errors.
    piece_length : float
        Length of a piece in ps.
    """

    lags: FloatArray
    values: dict[str, FloatArray]
    errors: dict[str, FloatArray]
    diffusion: dict[str, Diffusion]
    fit: tuple[float, float]
    pieces: int
    piece_length: float


def mean_square_displacement(
    tracks: Tracks, interval: float, pieces: int = PIECES, fit: tuple[float, float] | None = None
) -> MSD:
    """Return mean square displacements and diffusion coefficients.

    The straight line is fitted to the whole run. Its error is the scatter of the slopes of the pieces, which are taken
    as independent: s / sqrt(pieces).

    Parameters
    ----------
    tracks : Tracks
        Unwrapped positions in Å.
    interval : float
        Time between frames in ps.
    pieces : int, optional
        Number of pieces, at least 2.
    fit : (float, float), optional
        First and last lag of the fit in ps; by default 0.1 and 0.5 times the length of a piece.

    Raises
    ------
    InputError
        For fewer than 32 frames, or a fit beyond the length of a piece.
    """
    frames = len(tracks)
    if frames < FEWEST_FRAMES:
        raise InputError(f"mean square displacements need at least {FEWEST_FRAMES} frames, found {frames}")
    if not 2 <= pieces <= frames // 6:
        raise InputError(f"expected 2 to {frames // 6} pieces of {frames} frames, found {pieces}")
    size = frames // pieces
    begin, end = _fit_range(fit, interval, size)
    lags = np.linspace(0.0, frames // 2 * interval, frames // 2 + 1)
    values, errors, diffusion = {}, {}, {}
    for symbol in tracks.symbols:
        whole = _displacement(tracks, symbol, 0, frames, len(lags))
        parts = np.array([_displacement(tracks, symbol, k * size, (k + 1) * size, size) for k in range(pieces)])
        values[symbol] = whole
        errors[symbol] = np.full(len(lags), np.nan)
        shared = min(size, len(lags))
        errors[symbol][:shared] = of_pieces(parts[:, :shared])
        window = slice(begin, end + 1)
        slopes = np.array([_slope(lags[window], part[window]) for part in parts])
        error = float(of_pieces(slopes))
        diffusion[symbol] = Diffusion(
            _slope(lags[window], whole[window]) / 6, error / 6, _exponent(lags[window], whole[window])
        )
    return MSD(lags, values, errors, diffusion, (begin * interval, end * interval), pieces, size * interval)


def _fit_range(fit: tuple[float, float] | None, interval: float, size: int) -> tuple[int, int]:
    """Return the numbers of the first and the last lag."""
    if fit is None:
        begin = max(1, math.ceil(_RANGE[0] * size))
        return begin, max(math.floor(_RANGE[1] * size), begin + _FEWEST_LAGS - 1)
    if not 0 <= fit[0] < fit[1]:
        raise InputError(f"expected a fit from a lag to a longer one, found {fit[0]:g} to {fit[1]:g} ps")
    begin, end = math.ceil(fit[0] / interval - 1e-9), math.floor(fit[1] / interval + 1e-9)
    if end >= size:
        raise InputError(
            f"--fit: expected an end below the length of a piece, {size * interval:g} ps, found {fit[1]:g} ps; "
            "use fewer --pieces, which are longer"
        )
    if end - begin + 1 < _FEWEST_LAGS:
        raise InputError(
            f"expected at least {_FEWEST_LAGS} frames, every {interval:g} ps, in the range of the fit; "
            f"found {max(0, end - begin + 1)} from {fit[0]:g} to {fit[1]:g} ps"
        )
    return begin, end


def _displacement(tracks: Tracks, symbol: str, first: int, last: int, lags: int) -> FloatArray:
    total, count = np.zeros(lags), 0
    for atoms, rows in tracks.rows(symbol, first, last):
        total += square_displacement(rows, lags)
        count += len(atoms)
    return total / count


def _slope(x: FloatArray, y: FloatArray) -> float:
    centred = x - x.mean()
    return float(centred @ y / (centred @ centred))


def _exponent(lags: FloatArray, values: FloatArray) -> float:
    usable = (lags > 0) & (values > 0)
    return _slope(np.log(lags[usable]), np.log(values[usable])) if usable.sum() >= _FEWEST_LAGS else math.nan
