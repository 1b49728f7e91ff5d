"""The arguments of the compiled steps, from atoms and an integrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ase import units

from fastsf.errors import InputError
from fastsf.kernels.dynamics.integrators import MASS, NONE, RIGID, Motion, Scheme
from fastsf.md.integrators import Integrator
from fastsf.md.limits import MDLimits
from fastsf.structure import Structure
from fastsf.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from ase import Atoms

LONGEST_STEP = 50.0
"""Longest time step in fs."""


def checked_timestep(timestep: float) -> float:
    """Return a time step in fs after checking that it is positive and at most `LONGEST_STEP`.

    Raises
    ------
    InputError
        If it is not.
    """
    if not (isinstance(timestep, int | float) and 0 < timestep <= LONGEST_STEP):
        raise InputError(
            f"timestep: expected a positive number of fs, at most {LONGEST_STEP:g}, found {timestep!r}; usual are "
            "0.5 with hydrogen and 1 to 5 without"
        )
    return float(timestep)


def check_integrator(integrator: Integrator, start: Structure, fixed: BoolArray, limits: MDLimits) -> None:
    """Check that an integrator fits the structure.

    Raises
    ------
    InputError
        If it is no integrator; for barostats without three periodic directions or with fixed atoms; for temperatures
        beyond the limit.
    """
    if not isinstance(integrator, Integrator):
        raise InputError(f"expected an integrator of fastsf.md, found {integrator!r}")
    if integrator.changes_cell:
        if not start.pbc.all():
            raise InputError(f"a barostat needs three periodic directions, found {start.pbc.sum()}")
        if fixed.any():
            raise InputError(f"a barostat moves all atoms with the cell: expected no fixed atoms, found {fixed.sum()}")
    hottest = integrator.highest_temperature()
    if hottest >= limits.temperature:
        raise InputError(f"the target of {hottest:g} K is not below the limit of {limits.temperature:g} K")


def make_scheme(
    integrator: Integrator, atoms: Atoms, fixed: BoolArray, remove_drift: bool | None, timestep: float
) -> Scheme:
    """Return the constants of the steps.

    Parameters
    ----------
    integrator : Integrator
    atoms : ase.Atoms
        Structure with its masses.
    fixed : (n,) bool
        Atoms that do not move.
    remove_drift : bool or None
        As in `MolecularDynamics`.
    timestep : float
        Time step in fs.

    Raises
    ------
    InputError
        If nothing can move, for masses that are not positive, and drift that cannot be removed.
    """
    if remove_drift and fixed.any():
        raise InputError("remove_drift: expected no fixed atoms, which keep the centre of mass from being at rest")
    drifting = bool(fixed.any()) or len(fixed) == 1 if remove_drift is None else not remove_drift
    freedom = 3 * int((~fixed).sum()) - (0 if drifting else 3)
    if freedom < 1:
        raise InputError(f"nothing can move: {len(fixed)} atoms, of them {int(fixed.sum())} fixed")
    masses = np.array(atoms.get_masses(), np.float64)
    if not ((masses > 0) & np.isfinite(masses)).all():
        raise InputError("expected positive masses of all atoms")
    values: dict[str, Any] = {
        "masses": masses,
        "inverse": np.where(fixed, 0.0, 1 / masses),
        "step": timestep * units.fs,
        "thermostat": NONE,
        "barostat": RIGID,
        "begin": 0.0,
        "end": 0.0,
        "ramp": 0,
        "rate": 0.0,
        "freedom": freedom,
        "drifting": drifting,
        "pressure": 0.0,
        "softness": 0.0,
        "coupled": np.zeros((3, 3)),
    }
    return Scheme(**values | integrator.values())


def make_motion(integrator: Integrator, start: Structure, momenta: FloatArray, scheme: Scheme) -> Motion:
    """Return the variables of the steps at the start; forces are still zero.

    Parameters
    ----------
    integrator : Integrator
    start : Structure
        First structure.
    momenta : (n, 3) float64
        Momenta in ASE's units. Those of fixed atoms and, without drift, the total momentum are removed.
    scheme : Scheme

    Raises
    ------
    InputError
        For momenta that are not finite, or all zero with a thermostat that only scales velocities.
    """
    velocities = np.array(momenta / scheme.masses[:, None], np.float64)
    if not np.isfinite(velocities).all():
        raise InputError("expected finite velocities")
    velocities[scheme.inverse == 0] = 0.0
    if not scheme.drifting:
        velocities -= scheme.masses @ velocities / scheme.masses.sum()
    if integrator.scales_velocities and not velocities.any():
        name = type(integrator).__name__
        raise InputError(f"{name} only scales velocities, and all of them are zero: use maxwell_boltzmann first")
    links = integrator.chain_masses(int(scheme.freedom))
    chain = np.zeros((3, len(links)))
    chain[MASS] = links
    positions, cell = start.positions.copy(), start.cell.copy()
    virial, strain, old = np.zeros((3, 3, 3))
    return Motion(positions, velocities, np.zeros_like(positions), cell, virial, strain, old, chain, np.zeros(2))
