"""Liquids to move: water with a published potential, and one like argon whose potential is made up."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk, molecule

from fastsf import ACSF, G2, Cutoff, Potential
from fastsf.io.input_data import iread_input_data
from fastsf.potentials.network import Network
from fastsf.potentials.scaling import Scaling

RADIUS = 6.5  # Å
CUTOFFS = ("hard", "cosine", "tanh3", "poly2")


def shared() -> Path:
    """Folder of the reference data."""
    if "FASTSF_SHARED" not in os.environ:
        raise SystemExit("FASTSF_SHARED must name the folder with the reference potentials")
    return Path(os.environ["FASTSF_SHARED"])


@cache
def water_potential() -> Potential:
    """RPBE-D3, published."""
    return Potential.load(shared() / "reference" / "predict_H2O_RPBE-D3", "Bohr", "Hartree")


def water(repeats: int = 1) -> Atoms:
    """360 molecules of the liquid, repeated along each vector."""
    box = next(iread_input_data(shared() / "data" / "H2O_1080_liquid.input.data", "Bohr", "Hartree"))
    return Atoms(box.symbols, positions=box.positions, cell=box.cell, pbc=True).repeat(repeats)


def molecules(number: int) -> Atoms:
    """So many molecules of water at the density of the liquid, on a grid and turned alike: to be molten."""
    box = water()
    edge = (box.get_volume() / 360 * number) ** (1 / 3)
    along = int(np.ceil(number ** (1 / 3)))
    sites = np.argwhere(np.ones((along,) * 3))[:number] * edge / along
    one = molecule("H2O")
    atoms = Atoms(cell=[edge] * 3, pbc=True)
    for site in sites:
        atoms += Atoms(one.symbols, positions=one.positions + site)
    return atoms


def argon(repeats: int = 4) -> Atoms:
    """Crystal near the density of the liquid, of four atoms repeated along each vector."""
    return bulk("Ar", "fcc", a=5.72, cubic=True).repeat(repeats)


def made_up(kind: str = "poly2") -> Potential:
    """Lennard-Jones well, fitted by Gaussians, and the square of how far the density at an atom is from a crystal's.

    E_i = sum_j sum_q c_q g_q(r_ij) + b (rho_i - rho_0)^2. The square makes it a potential of many bodies, as those of
    networks are: a pair potential that is cut off would conserve the energy of the one that is shifted to zero there.
    """
    cutoff = Cutoff(RADIUS, kind)
    places = np.arange(2.5, RADIUS, 0.25)
    pairs = [G2("Ar", "Ar", 8.0, cutoff, rs=place) for place in places]
    descriptor = ACSF([G2("Ar", "Ar", 0.05, cutoff), *pairs])
    distances = np.linspace(2.9, RADIUS - 1e-6, 400)
    dimers = [Atoms("Ar2", positions=[[0, 0, 0], [distance, 0, 0]]) for distance in distances]
    values = np.array([rows[0] for rows in descriptor.create(dimers)])
    well = 0.5 * 4 * 0.0104 * ((3.4 / distances) ** 12 - (3.4 / distances) ** 6)
    weight = 1 / (np.abs(well) + 0.001)
    coefficients = np.linalg.lstsq(values[:, 1:] * weight[:, None], well * weight, rcond=1e-8)[0]
    density = descriptor.create(bulk("Ar", "fcc", a=5.72, cubic=True))[0, 0]
    hidden = np.zeros((len(places) + 1, 3))
    hidden[0, 0] = 1.0
    hidden[1:, 1] = hidden[1:, 2] = coefficients
    # (x + 1)^2 - (x - 1)^2 = 4 x: two harmonic nodes let the pair energies through
    network = Network([hidden, [[0.005], [0.25], [-0.25]]], [[-density, 1.0, -1.0], [0.0]], ("harmonic", "linear"))
    scaling = Scaling.from_values(values, "none")
    return Potential(descriptor, {"Ar": network}, {"Ar": scaling})
