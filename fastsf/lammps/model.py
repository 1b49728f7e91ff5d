"""A potential as the kernels of `fastsf.kernels.dynamics.lammps` take it, from C and from Python."""

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
"""Units of energy per eV in LAMMPS's systems of units whose lengths are Å; its own factor for kcal/mol."""


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
    """A potential, and what one rank counts.

    Parameters
    ----------
    potential : Potential
        The potential.

    Attributes
    ----------
    elements : tuple of str
        In the order of the kernels' element index.
    cutoff : float
        Å; how far LAMMPS must know the neighbours of its atoms.
    pairs : GhostPairs or None
        Energies of pairs, if the potential has such; the kernels here leave them out.
    counts : (3,) int64
        So far: symmetry functions outside the range of the training set, atoms that had such, and all atoms; an atom
        counts anew at every evaluation, and for pairs beside its own functions.

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
        """Address of the callback of all models; compiled if that was not done before.

        Raises
        ------
        InputError
            If numba may not compile.
        """
        if getattr(numba.config, "DISABLE_JIT", 0):
            raise InputError(
                "LAMMPS calls compiled kernels, and NUMBA_DISABLE_JIT is set; --route external does without"
            )
        return int(_jit.callback(kernels.entry, kernels.SIGNATURE).address)

    def for_plugin(self) -> ctypes.Structure:
        """Return what the plugin takes; valid until the next call, and as long as this object."""
        address, self._described = self.compile(), _described(self.tables, self.networks, self._evaluate)
        return _Model(address, self._described.ctypes.data, self.counts.ctypes.data, self.cutoff, self._names)

    def element_of_type(self, symbols: Sequence[str]) -> IntArray:
        """Element index of each type of atoms, counted from 1.

        Raises
        ------
        InputError
            For elements that the potential does not know.
        """
        strangers = sorted(set(symbols) - set(self.elements))
        if strangers:
            raise InputError(f"the potential knows no element {', '.join(strangers)}, but {' '.join(self.elements)}")
        return np.array([0, *(self.elements.index(symbol) for symbol in symbols)], np.int64)

    def add_forces(
        self, atoms: kernels.Atoms, unit: float, forces: FloatArray, energies: FloatArray, virials: FloatArray
    ) -> int:
        """Add to forces (n, 3), energies (n,) and virials (n, 6); returns what `kernels.add_forces` finds wrong."""
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
