"""Automatic balance of energies, forces and stresses: the sigma of a kind of label follows the error that is left.

With Gaussian errors the likelihood of the labels is highest when each sigma is the root mean square of its residuals. A
sigma that follows the error of a fit that overfits has no end, so it may not fall below a fraction of where it began.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastsf.errors import InputError
from fastsf.structure import FloatArray
from fastsf.training.objective import Errors


@dataclass(frozen=True)
class Balance:
    """When and how far sigmas change.

    Parameters
    ----------
    first : int
        The first epoch after which they do.
    every : int
        Epochs from one change to the next.
    lowest : float
        Smallest sigma, as a fraction of that at the beginning.
    """

    first: int = 8
    every: int = 4
    lowest: float = 0.05

    def __post_init__(self) -> None:
        if self.first < 0 or self.every < 1 or not 0 < self.lowest <= 1:
            raise InputError(
                "balance: expected first >= 0, every >= 1 and 0 < lowest <= 1, "
                f"found {self.first}, {self.every} and {self.lowest}"
            )

    def __call__(self, epoch: int, sigma: FloatArray, start: FloatArray, errors: Errors) -> FloatArray:
        """Sigmas for the next epoch.

        Parameters
        ----------
        epoch : int
            The one that is done.
        sigma, start : (3,) float64
            Of energy, forces and stress now, and at the beginning.
        errors : Errors
            Of the training set; NaN where there are no labels, whose sigmas stay.
        """
        if epoch < self.first or (epoch - self.first) % self.every:
            return sigma
        found = np.array([errors.energy_rmse, errors.forces_rmse, errors.stress_rmse])
        return np.where(np.isfinite(found), np.maximum(found, self.lowest * start), sigma)
