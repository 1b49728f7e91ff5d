"""Velocities for the start of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import units

from fastsf.errors import InputError
from fastsf.simulation.fixed import fixed_atoms
from fastsf.types import FloatArray

if TYPE_CHECKING:
    from ase import Atoms


def maxwell_boltzmann(
    atoms: Atoms,
    temperature: float,
    seed: int = 0,
    *,
    remove_drift: bool | None = None,
    remove_rotation: bool = False,
    exact: bool = False,
) -> None:
    """Give the atoms velocities of the Maxwell-Boltzmann distribution.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure whose momenta are set. Atoms fixed by `ase.constraints.FixAtoms` get none.
    temperature : float
        Temperature in K.
    seed : int
        Seed of the random numbers.
    remove_drift : bool, optional
        True if the centre of mass is at rest; by default true unless atoms are fixed.
    remove_rotation : bool
        True if the angular momentum is zero; for molecules.
    exact : bool
        Scale the velocities so that the temperature 2 K / (f k_B) is exactly the wanted one, where f is the number of
        remaining degrees of freedom.

    Raises
    ------
    InputError
        For a temperature that is negative or not finite, for constraints other than fixed atoms, and for rotations
        of systems with fixed atoms or periodic directions.
    """
    if not 0 <= temperature < np.inf:
        raise InputError(f"temperature (K): expected a number of at least 0, found {temperature}")
    fixed = fixed_atoms(atoms)
    drift = not fixed.any() and len(atoms) > 1 if remove_drift is None else remove_drift
    if (remove_rotation or drift) and fixed.any():
        raise InputError("drift and rotation cannot be removed if atoms are fixed")
    if remove_rotation and atoms.pbc.any():
        raise InputError("rotation can only be removed from molecules, not from periodic structures")
    masses = atoms.get_masses()[:, None]
    numbers = np.random.default_rng(seed).standard_normal((len(atoms), 3))
    velocities = np.where(fixed[:, None], 0.0, numbers * np.sqrt(units.kB * temperature / masses))
    freedom = 3 * int((~fixed).sum())
    if remove_rotation:
        freedom -= stop_rotation(atoms.positions, velocities, masses)
    if drift:
        velocities -= (masses * velocities).sum(axis=0) / masses.sum()
        freedom -= 3
    if exact and freedom > 0 and temperature > 0:
        velocities *= np.sqrt(freedom * units.kB * temperature / (masses * velocities**2).sum())
    atoms.set_momenta(masses * velocities)


def stop_rotation(positions: FloatArray, velocities: FloatArray, masses: FloatArray) -> int:
    """Remove the rotation about the centre of mass from velocities (n, 3), in place.

    Parameters
    ----------
    positions, velocities : (n, 3) float64
        Positions and velocities in any units.
    masses : (n, 1) float64

    Returns
    -------
    int
        Number of degrees of freedom removed: two for atoms on a line, none for one atom, otherwise three.
    """
    arms = positions - (masses * positions).sum(axis=0) / masses.sum()
    momentum = (masses * np.cross(arms, velocities)).sum(axis=0)
    inertia = (masses * (arms**2).sum(axis=1, keepdims=True)).sum() * np.eye(3) - (masses * arms).T @ arms
    moments, axes = np.linalg.eigh(inertia)
    turning = moments > 1e-10 * max(moments[-1], 1e-300)
    rates = np.where(turning, axes.T @ momentum / np.where(turning, moments, 1.0), 0.0)
    velocities -= np.cross(axes @ rates, arms)
    return int(turning.sum())
