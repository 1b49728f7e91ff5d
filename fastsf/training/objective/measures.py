"""Errors of predictions, and the sigmas that scale them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastsf.errors import InputError
from fastsf.types import FloatArray


@dataclass(frozen=True)
class Sigma:
    """Errors that count as one.

    Parameters
    ----------
    energy : float
        Energy, eV per atom.
    forces : float
        Component of a force, eV/Å.
    stress : float
        Component of a stress, eV/Å^3.
    """

    energy: float = 1e-3
    forces: float = 0.05
    stress: float = 1e-3

    def __post_init__(self) -> None:
        for name in ("energy", "forces", "stress"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(f"sigma of {name}: expected a positive number, found {getattr(self, name)}")


@dataclass(frozen=True)
class Errors:
    """Root mean square and mean absolute errors: energy in eV per atom, forces in eV/Å, stress in eV/Å^3.

    Errors without labels are NaN.
    """

    energy_rmse: float
    energy_mae: float
    forces_rmse: float
    forces_mae: float
    stress_rmse: float
    stress_mae: float

    @classmethod
    def of(cls, residuals: Sequence[FloatArray], counts: Sequence[int]) -> Errors:
        """Return the errors of structures from their numbers of atoms and rows of residuals.

        A row has the energy, the forces and, if used, the stress.
        """
        pairs = list(zip(residuals, counts, strict=True))
        energies = np.array([r[0] / n for r, n in pairs])
        forces = np.concatenate([r[1 : 1 + 3 * n] for r, n in pairs])
        stresses = np.concatenate([r[1 + 3 * n :] for r, n in pairs])
        return cls(*(number for each in (energies, forces, stresses) for number in rmse_and_mae(each)))


@dataclass(frozen=True, eq=False)
class Predictions:
    """Energies (k,) in eV, forces [(n, 3)] in eV/Å and stresses (k, 6) in eV/Å^3 (NaN if not computed)."""

    energies: FloatArray
    forces: list[FloatArray]
    stresses: FloatArray


def rmse_and_mae(errors: FloatArray) -> tuple[float, float]:
    """Return root mean square and mean absolute value of the finite errors, NaN if there are none."""
    known = errors[np.isfinite(errors)]
    if not known.size:
        return float("nan"), float("nan")
    return float(np.sqrt(np.mean(known**2))), float(np.mean(np.abs(known)))
