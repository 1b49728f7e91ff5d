"""Potentials in the form that `fastsf.kernels.dynamics.lammps` takes, from C and from Python."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.kernels import _jit
from fastsf.kernels.acsf.tables import Tables
from fastsf.kernels.dynamics import lammps as kernels
from fastsf.kernels.networks.feedforward import Networks
from fastsf.lammps.ghost_pairs import GHOSTS, GhostPairs
from fastsf.potentials.potential import Potential
from fastsf.potentials.precision import kernel_set
from fastsf.types import FloatArray, IntArray

ENERGY_UNITS = {"metal": 1.0, "real": 23.060549}
"""1 eV in the units of energy of LAMMPS's unit styles with lengths in Å; the factor for kcal/mol is LAMMPS's."""


class _Model(ctypes.Structure):
    """`Model` of pair_fastsf.cpp."""

    _fields_ = (
        ("callback", ctypes.c_void_p),
        ("described", ctypes.c_void_p),
        ("counts", ctypes.c_void_p),
        ("cutoff", ctypes.c_double),
        ("elements", ctypes.c_char_p),
    )


class LammpsModel:
    """A potential and the counts of one rank.

    Parameters
    ----------
    potential : Potential
        The potential.

    Attributes
    ----------
    elements : tuple of str
        Elements in the order of the kernels' element index.
    cutoff : float
        Distance in Å up to which LAMMPS must list the neighbours of its atoms.
    pairs : GhostPairs or None
        Pair-centred energies, if the potential has such; the kernels here leave them out.
    counts : (3,) int64
        Symmetry functions outside the range of the training set, atoms that had such, and all atoms so far. An atom is
        counted at every evaluation, and separately for its pairs.

    Raises
    ------
    InputError
        If it is no single potential.
    """

    def __init__(self, potential: Potential) -> None:
        if not isinstance(potential, Potential):
            raise InputError(f"LAMMPS runs one potential, found {potential!r}")
        self.elements = tuple(potential.elements)
        self.pairs = None if potential.model.pairs is None else GhostPairs(potential.model.pairs)
        reach = 0.0 if potential.pairs is None else GHOSTS * potential.pairs.descriptor.cutoff
        self.cutoff = max(float(potential.descriptor.cutoff), reach)
        self.tables, self.networks = potential.model.descriptor.tables, potential.model.networks
        self.counts: IntArray = np.zeros(3, np.int64)
        energies = kernel_set(potential.model.precision).energies
        self._evaluate = kernels.address_of_energies(energies.energies_range, self.tables, self.networks)
        self._names = " ".join(self.elements).encode()

    def compile(self) -> int:
        """Return the address of the callback of all models; compile it if that was not done before.

        Raises
        ------
        InputError
            If numba may not compile.
        """
        if getattr(numba.config, "DISABLE_JIT", 0):
            raise InputError(
                "route plugin: unset NUMBA_DISABLE_JIT, since compiled kernels are needed; or use --route external"
            )
        return int(_jit.callback(kernels.entry, kernels.SIGNATURE).address)

    def for_plugin(self) -> ctypes.Structure:
        """Return the argument of the plugin; it is valid until the next call and while this object exists."""
        address, self._described = self.compile(), _described(self.tables, self.networks, self._evaluate)
        return _Model(address, self._described.ctypes.data, self.counts.ctypes.data, self.cutoff, self._names)

    def element_of_type(self, symbols: Sequence[str]) -> IntArray:
        """Return the element index of each atom type, counted from 1.

        Raises
        ------
        InputError
            For elements that the potential does not have.
        """
        strangers = sorted(set(symbols) - set(self.elements))
        if strangers:
            raise InputError(
                f"expected elements of the potential ({' '.join(self.elements)}), found {', '.join(strangers)}"
            )
        return np.array([0, *(self.elements.index(symbol) for symbol in symbols)], np.int64)

    def add_forces(
        self, atoms: kernels.Atoms, unit: float, forces: FloatArray, energies: FloatArray, virials: FloatArray
    ) -> int:
        """Add to forces (n, 3), energies (n,) and virials (n, 6); return the index of a bad atom, or -1."""
        sums = kernels.Sums(forces, energies, virials, self.counts)
        _, wrong = kernels.add_forces(self._evaluate, self.tables, self.networks, atoms, unit, sums)
        return int(wrong)


def _described(tables: Tables, networks: Networks, evaluate: int) -> npt.NDArray[np.void]:
    """Return a `kernels.MODEL`, which holds addresses of the arrays and the numbers."""
    model = np.zeros(1, kernels.MODEL)
    model["energies"] = evaluate
    for part, fields in (("tables", tables), ("networks", networks)):
        for name, value in fields._asdict().items():
            is_array = isinstance(value, np.ndarray)
            model[part][name] = (value.ctypes.data, value.shape[0], value.shape[-1]) if is_array else value
    return model
