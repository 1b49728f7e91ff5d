"""Pair-centred energies among the atoms of one rank of LAMMPS: its own atoms, and ghosts up to twice the cutoff.

Functions of a pair need the neighbours of both of its atoms. Each rank evaluates the pairs that have at least one of
its own atoms, and adds half of the energy for each of these. So over all ranks and images each pair counts once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.descriptors.products import gathered
from fastsf.elements import atomic_number
from fastsf.kernels.acsf.tables import SUMS, VIRIAL
from fastsf.kernels.dynamics.lammps import Atoms, Sums
from fastsf.neighbors.pairs import Pairs
from fastsf.potentials.pcsf_energies import PCSFEnergies, PCSFOutputs
from fastsf.potentials.pcsf_term import PCSFModel
from fastsf.structure import Structure
from fastsf.types import BoolArray, FloatArray, IntArray

GHOSTS = 2.0
"""Distance up to which ghosts are needed, in cutoffs of the pair-centred functions."""


class GhostPairs:
    """Pair-centred energies of one rank.

    Parameters
    ----------
    model : PCSFModel
        Pair-centred term of a potential.
    """

    def __init__(self, model: PCSFModel) -> None:
        self._model = model
        self._numbers = np.array([atomic_number(symbol) for symbol in model.descriptor.elements])

    def add(self, atoms: Atoms, tags: IntArray, unit: float, sums: Sums) -> bool:
        """Add energies, forces and virials of the pairs.

        Parameters
        ----------
        atoms : fastsf.kernels.dynamics.lammps.Atoms
            Positions (finite) and types of the own atoms and then the ghosts.
        tags : (n,) int64
            Tags of the atoms, equal for images of one atom.
        unit : float
            1 eV in LAMMPS's unit of energy.
        sums : fastsf.kernels.dynamics.lammps.Sums
            Sums as in `fastsf.lammps.model.LammpsModel`; virials of pairs are also added to ghosts.

        Returns
        -------
        bool
            True if all energies are finite; otherwise nothing is added.
        """
        own, species = len(atoms.counts), atoms.element[atoms.types]
        structure = Structure.from_arrays(atoms.positions, np.zeros((3, 3)), False, self._numbers[species])
        pairs = Pairs.build(structure, self._model.descriptor.cutoff, threads=1)
        term = PCSFEnergies(self._model, pairs, species, 1)
        term.rows = rows = term.rows.chosen((term.rows.i < own) | (term.rows.j < own))
        made = term.predict(self._model, term.values())
        if not np.isfinite(made.energies).all():
            return False
        for ends in (rows.i, rows.j):
            mine = ends < own
            sums.energies[:] += np.bincount(ends[mine], 0.5 * unit * made.energies[mine], len(species))
        self._add_forces(term, made, own, unit, sums)
        outside = np.where(_counted(rows, tags, own), made.outside, 0)
        sums.counts[0] += outside.sum()
        sums.counts[1] += np.count_nonzero(np.bincount(_owner(rows, tags), outside, len(species)))
        return True

    def _add_forces(self, term: PCSFEnergies, made: PCSFOutputs, own: int, unit: float, sums: Sums) -> None:
        """Add forces and virials of the rows; those with only one own atom count half."""
        rows, pairs, n = term.rows, term.rows.pairs, len(sums.energies)
        share = 0.5 * ((rows.i < own).astype(float) + (rows.j < own))
        g, centers = np.zeros_like(pairs.vector), np.zeros((n, SUMS))
        term.chain(made.slopes * share[:, None], made.along * share, g, centers)
        sums.forces[:] -= unit * gathered(pairs, g, centers, 1)
        sums.virials[:] -= unit * _voigt(centers[:, VIRIAL:])


def _voigt(tensors: FloatArray) -> FloatArray:
    """Return the symmetric parts of (n, 9), in LAMMPS's order xx, yy, zz, xy, xz, yz."""
    matrices = tensors.reshape(-1, 3, 3)
    symmetric: FloatArray = 0.5 * (matrices + matrices.transpose(0, 2, 1))
    return symmetric[:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]


def _owner(rows: PairRows, tags: IntArray) -> IntArray:
    """Return the atom of each row for which values outside their range are counted, the same for all images."""
    first, second = tags[rows.i], tags[rows.j]
    mine = np.where(first == second, rows.i < rows.j, (first < second) != ((first + second) % 2 == 1))
    return np.where(mine, rows.i, rows.j)


def _counted(rows: PairRows, tags: IntArray, own: int) -> BoolArray:
    """Return the mask of rows whose values outside are counted on this rank: each pair once over all ranks."""
    vector = np.where((rows.i < rows.j)[:, None], rows.vector, -rows.vector)
    ahead: npt.NDArray[np.bool_] = (vector[:, 0] > 0) | ((vector[:, 0] == 0) & (vector[:, 1] > 0))
    ahead |= (vector[:, :2] == 0).all(axis=1) & (vector[:, 2] > 0)
    counted: BoolArray = (_owner(rows, tags) < own) & (ahead | (tags[rows.i] != tags[rows.j]))
    return counted
