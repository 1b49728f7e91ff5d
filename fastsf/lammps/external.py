"""The route without a compiler: a Python callback between LAMMPS's `fix external` and the kernel.

LAMMPS ignores forces that such a callback gives to ghosts, and takes its energy and virial as those of all ranks. So
forces on ghosts are summed here by the tags of the atoms, and energies and virials over the ranks.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.errors import FastsfError
from fastsf.kernels.dynamics.lammps import Atoms, Sums
from fastsf.lammps.library import LammpsError
from fastsf.lammps.model import LammpsModel
from fastsf.types import FloatArray, IntArray

FIX = "fastsf"
"""Name of the fix."""


class ExternalForces:
    """The callback of one LAMMPS instance.

    Parameters
    ----------
    lmp : lammps.lammps
        LAMMPS instance.
    model : LammpsModel
        The potential.
    element : (types + 1,) int64
        Element index of each type of atoms.
    unit : float
        1 eV in LAMMPS's unit of energy.
    ranks : MPI communicator or None
        Communicator of the instance; None for one rank.

    Attributes
    ----------
    error : str
        Error on any rank. LAMMPS does not see exceptions of a callback; it is made to end the run and to raise an
        error after the current command.
    """

    def __init__(self, lmp: Any, model: LammpsModel, element: IntArray, unit: float, ranks: Any) -> None:
        self._lmp, self._model, self._element, self._unit, self._ranks = lmp, model, element, unit, ranks
        self.error = ""

    def __call__(self, _: object, step: int, own: int, tags: npt.NDArray[Any], x: FloatArray, f: FloatArray) -> None:
        """Write the forces of a rank's own atoms into f (own, 3), and give LAMMPS energies and virials."""
        f[:] = 0.0
        found = None
        if not self.error:
            try:
                found = self._compute(own, step)
            except (FastsfError, MemoryError) as error:
                self.error = str(error) or "not enough memory"
        self.error = _first(self._ranks, self.error)
        if found is None or self.error:
            _raise_later(self._lmp, self.error)
            return
        every, forces, energies, virials = found
        f[:] = self._summed_by_tag(every, forces)[every[:own]]
        if self._model.pairs is not None:  # which leaves some of the virials to ghosts
            virials = self._summed_by_tag(every, virials)[every[:own]]
        self._give_totals(own, energies, virials)

    def _compute(self, own: int, step: int) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
        """Return tags of all atoms with ghosts; forces, energies and virials with the own atoms as centres."""
        lmp = self._lmp
        _check_bonds(lmp)
        n = own + lmp.extract_global("nghost")
        atoms = Atoms(
            lmp.numpy.extract_atom("x", nelem=n, dim=3),
            lmp.numpy.extract_atom("type", nelem=n),
            self._element,
            *self._lists(own),
        )
        tags = lmp.numpy.extract_atom("id", nelem=n).astype(np.int64)
        sums = Sums(np.zeros((n, 3)), np.zeros(n), np.zeros((n, 6)), self._model.counts)
        wrong = self._model.add_forces(atoms, self._unit, *sums[:3])
        if wrong >= 0:
            raise LammpsError(f"the position or the energy of atom {tags[wrong]} is not finite at step {step}")
        pairs = self._model.pairs
        if pairs is not None and not pairs.add(atoms, tags, self._unit, sums):
            raise LammpsError(f"the energy of a pair is not finite at step {step}")
        return tags, sums.forces, sums.energies, sums.virials

    def _lists(self, own: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], IntArray]:
        """Return the centres of LAMMPS's current list, with counts and addresses of their neighbours."""
        lmp, index = self._lmp, self._lmp.find_pair_neighlist("zero")
        size = lmp.get_neighlist_size(index)
        if size < 0:
            raise LammpsError("LAMMPS has no neighbor list of pair_style zero full; another pair_style took its place")
        centers, counts, lists = np.empty(size, np.int32), np.zeros(own, np.int32), np.zeros(own, np.int64)
        atom, count, neighbors = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p()
        call, pointers = _element_of_list(lmp), (ctypes.byref(atom), ctypes.byref(count), ctypes.byref(neighbors))
        for k in range(size):
            call(lmp.lmp, index, k, *pointers)
            i = centers[k] = atom.value
            counts[i], lists[i] = count.value, neighbors.value or 0
        return centers, counts, lists

    def _summed_by_tag(self, tags: IntArray, forces: FloatArray) -> FloatArray:
        """Sum forces (n, 3) or virials (n, 6) over the images of each atom on all ranks; rows are tags."""
        last = int(tags.max(initial=0))
        if self._ranks is not None:
            from mpi4py import MPI

            last = self._ranks.allreduce(last, MPI.MAX)
        home: FloatArray = np.stack([np.bincount(tags, forces[:, c], last + 1) for c in range(forces.shape[1])], axis=1)
        return _sum(self._ranks, home)

    def _give_totals(self, own: int, energies: FloatArray, virials: FloatArray) -> None:
        """Give LAMMPS the energy and the virial of all ranks, and those of the own atoms if it wants them."""
        totals = _sum(self._ranks, np.concatenate([[energies.sum()], virials.sum(axis=0)]))
        lmp, name = self._lmp, FIX.encode()
        lmp.fix_external_set_energy_global(FIX, totals[0])
        lmp.fix_external_set_virial_global(FIX, totals[1:])
        lmp.lib.lammps_fix_external_set_energy_peratom(lmp.lmp, name, _doubles(energies))
        rows = virials.ctypes.data + virials.strides[0] * np.arange(own)
        pointers = rows.ctypes.data_as(ctypes.POINTER(ctypes.POINTER(ctypes.c_double)))
        lmp.lib.lammps_fix_external_set_virial_peratom(lmp.lmp, name, pointers)


def _check_bonds(lmp: Any) -> None:
    """Refuse lists that leave bonded neighbours out."""
    weights = [*lmp.extract_global("special_lj")[1:], *lmp.extract_global("special_coul")[1:]]
    if lmp.extract_setting("molecule_flag") and any(weight != 1.0 for weight in weights):
        raise LammpsError("fastsf needs bonded neighbors too: special_bonds lj/coul 1.0 1.0 1.0")


def _raise_later(lmp: Any, error: str) -> None:
    """Let LAMMPS end the run, and raise an error after it.

    Its own function for errors ends the process. Others keep an error of theirs to be raised after the current
    command; the message stands for the name of a fix that does not exist.
    """
    lmp.lib.lammps_fix_external_set_energy_global(lmp.lmp, f"none, since {error}".encode(), 0.0)
    lmp.force_timeout()


def _element_of_list(lmp: Any) -> Any:
    """Return the C function, with arguments that may be given as they are."""
    function = ctypes.CDLL(lmp.lib._name).lammps_neighlist_element_neighbors
    pointers = (ctypes.POINTER(ctypes.c_int),) * 2
    function.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_int, *pointers, ctypes.POINTER(ctypes.c_void_p))
    return function


def _doubles(array: FloatArray) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def _sum(ranks: Any, array: FloatArray) -> FloatArray:
    if ranks is None:
        return array
    total = np.empty_like(array)
    ranks.Allreduce(np.ascontiguousarray(array), total)
    return total


def _first(ranks: Any, error: str) -> str:
    """Return the error of any rank."""
    if ranks is None:
        return error
    return next((each for each in ranks.allgather(error) if each), "")
