"""Named structures that exercise what goes wrong with neighbours, images and angles.

Lengths are multiples of 2^-20 Å, so that shifts by whole lattice vectors and by a million Å are exact: a
structure written differently has the same pair vectors to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ase import Atoms

RADIUS = 3.75
"""Cutoff radius of the tests in Å; 3.75 = |(1.25, 2.5, 2.5)| exactly."""


def on_grid(lengths: np.ndarray) -> np.ndarray:
    """Round to multiples of 2^-20 Å."""
    return np.round(np.asarray(lengths) * 2.0**20) / 2.0**20


def scattered(symbols: str, cell: np.ndarray, pbc: tuple[bool, bool, bool], gap: float, seed: int) -> Atoms:
    """Return random atoms in a cell, no two (nor their images) closer than `gap` Å."""
    rng = np.random.default_rng(seed)
    shifts = np.array([[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)]) * np.array(pbc)
    atoms = Atoms(symbols, cell=on_grid(cell), pbc=pbc)
    images = shifts @ atoms.cell.array
    placed = np.zeros((0, 3))
    while len(placed) < len(atoms):
        trial = on_grid(rng.random(3) @ atoms.cell.array)
        distances = np.linalg.norm(placed[:, None] + images - trial, axis=2)
        if (distances >= gap).all():
            placed = np.vstack([placed, trial])
    atoms.positions = placed
    return atoms


def molecule() -> Atoms:
    atoms = scattered("H3O3S2", np.diag([3.5, 3.25, 3.0]), (False, False, False), 1.0, seed=1)
    atoms.cell = None
    return atoms


def molecule_with_cell() -> Atoms:
    atoms = molecule()
    atoms.cell = np.array([[2.0, 0.0, 0.0], [0.5, 2.0, 0.0], [0.0, 0.0, 1.5]])
    return atoms


def slab() -> Atoms:
    return scattered("H3O3S2", np.array([[4.5, 0, 0], [0.75, 4.25, 0], [0, 0, 5.0]]), (True, True, False), 1.0, seed=2)


def wire_without_vectors() -> Atoms:
    atoms = scattered("H2O2S", np.diag([2.5, 4.5, 2.75]), (False, True, False), 1.0, seed=3)
    atoms.cell = np.array([[0.0, 0.0, 0.0], [0.0, 4.5, 0.0], [0.0, 0.0, 0.0]])
    return atoms


def cell_smaller_than_cutoff() -> Atoms:
    return scattered("H2O2S", np.diag([3.25, 3.5, 3.375]), (True, True, True), 1.0, seed=4)


def cell_much_smaller_than_cutoff() -> Atoms:
    return scattered("OH", np.diag([2.0, 2.25, 2.5]), (True, True, True), 1.25, seed=5)


def triclinic() -> Atoms:
    cell = np.array([[4.5, 0, 0], [-1.25, 4.25, 0], [1.0, 0.75, 4.75]])
    return scattered("H3O3S2", cell, (True, True, True), 1.0, seed=6)


def strongly_skewed() -> Atoms:
    cell = np.array([[4.0, 0, 0], [11.5, 3.75, 0], [-9.0, 13.25, 4.25]])
    return scattered("H2O2S2", cell, (True, True, True), 1.0, seed=7)


def left_handed() -> Atoms:
    cell = np.array([[0, 4.25, 0], [4.5, 0, 0.5], [0.25, 0, 4.0]])
    return scattered("H2O2S2", cell, (True, True, True), 1.0, seed=8)


def single_atom() -> Atoms:
    return Atoms("O", positions=[[0.5, -0.25, 1.0]])


def element_absent() -> Atoms:
    return scattered("H4O2", np.diag([3.0, 3.0, 3.0]), (False, False, False), 0.875, seed=9)


def two_atoms_at_the_cutoff() -> Atoms:
    """Return two pairs at exactly `RADIUS`, one along an axis, among others."""
    positions = [[0, 0, 0], [1.25, 2.5, 2.5], [RADIUS, 0, 0], [1.0, 0.75, 0.5], [0.25, 1.5, 1.25]]
    return Atoms("OHSHO", positions=positions)


def collinear() -> Atoms:
    """Return a chain along x (angles of 0 and 180 degrees) and one atom beside it."""
    return Atoms("OHSOHO", positions=[[x, 0, 0] for x in (0, 0.9375, 2.5, -1.375, 3.625)] + [[1.125, 1.0, 0.75]])


def coincident_distances() -> Atoms:
    """Return an octahedron: equal distances, right angles and opposite neighbours, and hydrogen on two vertices."""
    corners = 1.4375 * np.vstack([np.eye(3), -np.eye(3)])
    tips = np.array([[2.375, 0, 0], [0, -2.375, 0]])
    return Atoms("SO6H2", positions=np.vstack([np.zeros((1, 3)), corners, tips]))


def unwrapped() -> Atoms:
    atoms = triclinic()
    shifts = np.random.default_rng(10).integers(-4, 5, size=(len(atoms), 3))
    atoms.positions += shifts @ atoms.cell.array
    return atoms


def unwrapped_by_a_million() -> Atoms:
    atoms = triclinic()
    shifts = np.random.default_rng(11).integers(-200_000, 200_001, size=(len(atoms), 3))
    atoms.positions += shifts @ atoms.cell.array
    return atoms


def molecule_a_million_away() -> Atoms:
    atoms = molecule()
    atoms.positions += [1e6, -1e6, 1e6]
    return atoms


def crystal_a_million_away() -> Atoms:
    atoms = slab()
    atoms.positions += [-1e6, 1e6, 1e6]
    return atoms


SYSTEMS: dict[str, Callable[[], Atoms]] = {
    factory.__name__: factory
    for factory in (
        molecule,
        molecule_with_cell,
        slab,
        wire_without_vectors,
        cell_smaller_than_cutoff,
        cell_much_smaller_than_cutoff,
        triclinic,
        strongly_skewed,
        left_handed,
        single_atom,
        element_absent,
        two_atoms_at_the_cutoff,
        collinear,
        coincident_distances,
        unwrapped,
        unwrapped_by_a_million,
        molecule_a_million_away,
        crystal_a_million_away,
    )
}

SAME: dict[str, str] = {
    "molecule_with_cell": "molecule",
    "molecule_a_million_away": "molecule",
    "crystal_a_million_away": "slab",
    "unwrapped": "triclinic",
    "unwrapped_by_a_million": "triclinic",
}
"""Systems that are another one written differently."""
