"""Velocity autocorrelation and vibrational density of states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.constants
import scipy.fft
from ase import units

from fastsf.analysis.correlation import autocorrelation
from fastsf.analysis.motion import Tracks
from fastsf.errors import InputError
from fastsf.types import BoolArray, FloatArray

LONGEST = 2.5
"""Longest lag of the autocorrelation in ps by default, if it is less than a quarter of the run."""

FEWEST_FRAMES = 32
CM_PER_THZ = 1e12 / (100 * scipy.constants.c)
"""Wave numbers in 1/cm of 1 THz."""

_PADDING = 4
"""Factor by which frequencies are closer than the window resolves, for smooth curves."""

_KINETIC = 1 / units.fs**2
"""amu Å^2/fs^2 in eV."""


@dataclass(frozen=True)
class Vibrations:
    """Velocity autocorrelation C(t) = <m v(0) v(t)>, averaged over all starting times, and its spectrum.

    Parameters
    ----------
    lags : (k,) float64
        Lags in fs.
    correlation : dict of str to (k,) float64
        C(t) / C(0) for each element; "all" for all atoms.
    temperature : dict of str to float
        C(0) / (3 k_B), K: the kinetic temperature without the drift; atoms that may move have 3 degrees of freedom.
    frequencies : (q,) float64
        Frequencies in THz, up to the Nyquist frequency of the frames.
    density : dict of str to (q,) float64
        Density of states in 1/THz: parts of the elements, and "all", their sum, whose integral is 1.
    """

    lags: FloatArray
    correlation: dict[str, FloatArray]
    temperature: dict[str, float]
    frequencies: FloatArray
    density: dict[str, FloatArray]

    @property
    def wave_numbers(self) -> FloatArray:
        """Frequencies in 1/cm."""
        numbers: FloatArray = self.frequencies * CM_PER_THZ
        return numbers

    @property
    def resolution(self) -> float:
        """Width of a sharp line at half height due to the window, in THz: 1 / (longest lag)."""
        return float(1e3 / self.lags[-1])


def vibrations(
    tracks: Tracks,
    masses: FloatArray,
    interval: float,
    longest: float | None = None,
    fixed: BoolArray | None = None,
) -> Vibrations:
    """Return velocity autocorrelation and density of states of all elements.

    The density of states is 4 times the cosine transform of C(t) w(t), with the Hann window w(t) = cos^2(pi t / 2 T)
    up to the longest lag T.

    Parameters
    ----------
    tracks : Tracks
        Velocities in Å/fs.
    masses : (n,) float64
        Masses of all atoms in amu.
    interval : float
        Time between frames in fs.
    longest : float, optional
        Longest lag T in ps; by default a quarter of the run, at most 2.5 ps.
    fixed : (n,) bool, optional
        True for atoms that do not move, which are no degrees of freedom.

    Raises
    ------
    InputError
        For fewer than 32 frames, a run without motion, or a T longer than the run.
    """
    frames = len(tracks)
    if frames < FEWEST_FRAMES:
        raise InputError(f"velocity autocorrelations need at least {FEWEST_FRAMES} frames, found {frames}")
    count = _lags(frames, interval, longest)
    sums = {symbol: _correlation(tracks, symbol, masses, count) for symbol in tracks.symbols}
    atoms = {symbol: int((tracks.numbers == number).sum()) for symbol, number in _numbers(tracks).items()}
    total = sum(atoms[symbol] * each for symbol, each in sums.items())
    if not isinstance(total, np.ndarray) or total[0] <= 0:
        raise InputError("expected velocities, found only zeros")
    density = {symbol: _density(atoms[symbol] * each / total[0], interval) for symbol, each in sums.items()}
    density["all"] = _density(total / total[0], interval)
    means = {**sums, "all": total / sum(atoms.values())}
    moving = _moving_parts(tracks, fixed)
    nyquist = 1e3 / (2 * interval)
    return Vibrations(
        np.linspace(0.0, (count - 1) * interval, count),
        {name: each / each[0] if each[0] > 0 else each for name, each in means.items()},
        {
            name: float(each[0]) * _KINETIC / (3 * units.kB * moving[name])
            for name, each in means.items()
            if moving[name]
        },
        np.linspace(0.0, nyquist, len(density["all"])),
        density,
    )


def _moving_parts(tracks: Tracks, fixed: BoolArray | None) -> dict[str, float]:
    """Return the part of the atoms that may move, of each element and of all."""
    free = np.ones(len(tracks.numbers), np.bool_) if fixed is None else ~fixed
    own, kept = tracks.numbers[tracks.atoms], free[tracks.atoms]
    parts = {symbol: float(kept[own == number].mean()) for symbol, number in _numbers(tracks).items()}
    counts = {number: int((tracks.numbers == number).sum()) for number in _numbers(tracks).values()}
    whole = sum(parts[symbol] * counts[number] for symbol, number in _numbers(tracks).items())
    return {**parts, "all": whole / len(tracks.numbers)}


def _numbers(tracks: Tracks) -> dict[str, int]:
    return dict(zip(tracks.symbols, np.unique(tracks.numbers).tolist(), strict=True))


def _lags(frames: int, interval: float, longest: float | None) -> int:
    """Return the number of lags, including zero."""
    if longest is None:
        return max(4, min(frames // 4, round(1e3 * LONGEST / interval))) + 1
    count = round(1e3 * longest / interval) + 1
    if not 4 <= count <= frames:
        whole = frames * interval / 1e3
        raise InputError(
            f"expected a longest lag of at least 3 frames and at most the run, {whole:g} ps; found {longest:g} ps"
        )
    return count


def _correlation(tracks: Tracks, symbol: str, masses: FloatArray, lags: int) -> FloatArray:
    """Return the mean autocorrelation of the atoms of an element."""
    total, count = np.zeros(lags), 0
    for atoms, rows in tracks.rows(symbol):
        total += autocorrelation(rows * np.repeat(np.sqrt(masses[atoms]), 3)[:, None], lags)
        count += len(atoms)
    return total / count


def _density(correlation: FloatArray, interval: float) -> FloatArray:
    """Return the spectrum in 1/THz of a function of time; its integral is the value at time zero."""
    lags = len(correlation)
    padded = np.zeros(scipy.fft.next_fast_len(_PADDING * (lags - 1), real=True) + 1)
    padded[:lags] = correlation * np.cos(0.5 * np.pi * np.arange(lags) / (lags - 1)) ** 2
    return np.asarray(scipy.fft.dct(padded, type=1) * (2e-3 * interval))
