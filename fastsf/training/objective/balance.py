"""Automatic balance of energies, forces and stresses.

At the beginning, sigmas are fractions of the spread of the labels. Then each may follow the remaining error: with
Gaussian errors, the likelihood of the labels is highest if each sigma is the root mean square of its residuals. The
sigma of a fit that overfits would fall without end, so it never falls below a fraction of its first value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastsf.datasets.isolated import isolated_atoms
from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.reference_energies import above_references
from fastsf.errors import InputError
from fastsf.training.objective.measures import Errors, Sigma, rmse_and_mae
from fastsf.types import FloatArray

_FORCES = 0.1
_STRESS = 0.05
_ENERGY = 0.02
"""Sigmas as fractions of the spread of the labels."""
_LENGTH = 0.08
"""Sigma of a total energy divided by that of the forces and by the square root of the number of atoms, Å.

It gives energies more weight than their errors alone would: some hundred energies compete with ten thousands of forces.
"""


@dataclass(frozen=True)
class Balance:
    """Rule by which sigmas follow the errors.

    Parameters
    ----------
    first : int
        First epoch after which they change.
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
        """Return the sigmas of the next epoch.

        Parameters
        ----------
        epoch : int
            Number of the last epoch.
        sigma, start : (3,) float64
            Sigmas of energy, forces and stress, now and at the beginning.
        errors : Errors
            Errors of the training set; sigmas whose errors are NaN (no labels) do not change.
        """
        if epoch < self.first or (epoch - self.first) % self.every:
            return sigma
        found = np.array([errors.energy_rmse, errors.forces_rmse, errors.stress_rmse])
        return np.where(np.isfinite(found), np.maximum(found, self.lowest * start), sigma)


def starting_sigma(labelled: LabelledSet) -> Sigma:
    """Return sigmas that suit the labels of a training set.

    Parameters
    ----------
    labelled : LabelledSet
        Training set.

    Returns
    -------
    Sigma
        Sigmas, the defaults for kinds of labels that are missing or all equal.
    """
    default = Sigma()
    energy, forces, stress = spreads(labelled)
    size, atoms = _FORCES * forces, float(np.mean(labelled.n_atoms)) if len(labelled) else 1.0
    return Sigma(
        (_LENGTH * size / atoms**0.5 if size > 0 else _ENERGY * energy) or default.energy,
        size or default.forces,
        _STRESS * stress or default.stress,
    )


def spreads(labelled: LabelledSet) -> tuple[float, float, float]:
    """Return the root mean squares of the labels, 0 without labels.

    Parameters
    ----------
    labelled : LabelledSet

    Returns
    -------
    energy : float
        Energies above the reference energies, eV per atom.
    forces : float
        Components of forces, eV/Å.
    stress : float
        Components of stresses, eV/Å^3.
    """
    forces = [each.ravel() for each in labelled.forces if each is not None]
    energies, isolated = above_references(labelled), isolated_atoms(labelled)
    if isolated.any():
        energies = energies[~isolated & np.isfinite(energies)]
        energies = energies - (energies.mean() if len(energies) else 0.0)
    groups = energies, np.concatenate([np.empty(0), *forces]), labelled.stresses
    energy, force, stress = (float(np.nan_to_num(rmse_and_mae(each)[0])) for each in groups)
    return energy, force, stress
