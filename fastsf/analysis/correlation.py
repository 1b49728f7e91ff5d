"""Correlation functions of time series by fast Fourier transforms, averaged over all starting times.

Mean square displacements as S1 - 2 S2, with S2 the autocorrelation of the positions: V. Calandrini, E. Pellegrini, P.
Calligari, K. Hinsen and G. R. Kneller, Collection SFN 12, 201 (2011), section 4.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from fastsf.types import FloatArray


def autocorrelation(rows: FloatArray, lags: int) -> FloatArray:
    """Return the sum over rows of the mean of x(t) x(t + lag) over all t.

    Parameters
    ----------
    rows : (m, f) float64
        Series, one in each row.
    lags : int
        Number of lags, 0 to lags - 1; at most f.

    Returns
    -------
    (lags,) float64
    """
    frames = rows.shape[1]
    size = scipy.fft.next_fast_len(frames + lags - 1, real=True)  # long enough for no wanted lag to wrap round
    spectra = scipy.fft.rfft(rows, size, axis=1)
    power = np.einsum("mk,mk->k", spectra.real, spectra.real) + np.einsum("mk,mk->k", spectra.imag, spectra.imag)
    sums = scipy.fft.irfft(power, size)[:lags]
    return np.asarray(sums / (frames - np.arange(lags)))


def square_displacement(rows: FloatArray, lags: int) -> FloatArray:
    """Return the sum over rows of the mean of (x(t + lag) - x(t))^2 over all t, as `autocorrelation` does."""
    centred = rows - rows.mean(axis=1, keepdims=True)  # what S1 and S2 share would only cost digits
    frames = centred.shape[1]
    running = np.concatenate([[0.0], np.cumsum(np.einsum("mf,mf->f", centred, centred))])
    lag = np.arange(lags)
    ends = running[frames - lag] + running[frames] - running[lag]
    found = ends / (frames - lag) - 2 * autocorrelation(centred, lags)
    found[0] = 0.0
    return np.asarray(np.maximum(found, 0.0))
