"""Errors of predictions, and the scale they are measured on."""

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
        eV per atom.
    forces : float
        eV/Å, of a component.
    stress : float
        eV/Å^3, of a component.
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

    NaN where there are no labels.
    """

    energy_rmse: float
    energy_mae: float
    forces_rmse: float
    forces_mae: float
    stress_rmse: float
    stress_mae: float

    @classmethod
    def of(cls, residuals: Sequence[FloatArray], counts: Sequence[int]) -> Errors:
        """Errors of structures with so many atoms, from rows of residuals: energy, forces and, if there, stress."""
        pairs = list(zip(residuals, counts, strict=True))
        energies = np.array([r[0] / n for r, n in pairs])
        forces = np.concatenate([r[1 : 1 + 3 * n] for r, n in pairs])
        stresses = np.concatenate([r[1 + 3 * n :] for r, n in pairs])
        return cls(*(number for each in (energies, forces, stresses) for number in rmse_and_mae(each)))


@dataclass(frozen=True, eq=False)
class Predictions:
    """Energies (k,) in eV, forces [(n, 3)] in eV/Å and stresses (k, 6) in eV/Å^3 (NaN if not asked for)."""

    energies: FloatArray
    forces: list[FloatArray]
    stresses: FloatArray


def rmse_and_mae(errors: FloatArray) -> tuple[float, float]:
    """Root mean square and mean absolute value of those that are finite; NaN if none are."""
    known = errors[np.isfinite(errors)]
    if not known.size:
        return float("nan"), float("nan")
    return float(np.sqrt(np.mean(known**2))), float(np.mean(np.abs(known)))
