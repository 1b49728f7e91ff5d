"""Energies, forces and stresses of one structure whose atoms move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.products import gathered
from fastsf.errors import InputError
from fastsf.kernels.acsf.tables import SUMS, VIRIAL, Neighbors
from fastsf.kernels.networks import feedforward
from fastsf.kernels.networks.feedforward import Networks
from fastsf.neighbors.all_pairs import AllPairs
from fastsf.neighbors.pairs import Pairs
from fastsf.potentials.pcsf_energies import PCSFEnergies, PCSFOutputs
from fastsf.potentials.pcsf_term import PCSFModel
from fastsf.potentials.pcsf_values import PCSFValues
from fastsf.potentials.precision import KernelSet, kernel_set
from fastsf.potentials.result import Model, Result
from fastsf.structure import Structure, volume
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray

__all__ = ["Evaluator", "Model", "Result", "evaluate_batch"]

_MOST_GRADIENTS = 2**25
"""Numbers (256 MiB) for gradients of pairs by several potentials at once."""


def evaluate_batch(
    model: Model, structures: Sequence[Structure], threads: int | None = None, forces: bool = True
) -> list[Result]:
    """Evaluate many structures at once; much faster than one by one if they are small.

    Parameters
    ----------
    model : Model
        The potential.
    structures : sequence of Structure
        Structures, any number.
    threads : int, optional
        As for `Evaluator`.
    forces : bool
        Compute forces, virials and stresses too.

    Returns
    -------
    list of Result
        In the order of the structures; arrays are views of common ones.

    Raises
    ------
    StructureError
        For elements that the potential does not have.
    """
    if not structures:
        return []
    whole = Evaluator.concatenated(model, structures, threads).evaluate(forces=forces)
    ends = np.cumsum([len(structure) for structure in structures]).tolist()
    results = []
    for structure, end in zip(structures, ends, strict=True):
        mine = slice(end - len(structure), end)
        energies = whole.energies[mine]
        pairs = None if whole.pairs is None else _part(whole.pairs, end - len(structure), end)
        results.append(
            Result(
                float(energies.sum()),
                energies,
                None if whole.forces is None else whole.forces[mine],
                None if whole.virials is None else whole.virials[mine],
                whole.values[mine],
                whole.outside[mine],
                structure.numbers,
                _volume_of(structure),
                model,
                pairs=pairs,
            )
        )
    return results


class Evaluator:
    """Evaluator of one structure whose atoms and cell change; keeps neighbour lists and memory.

    Parameters
    ----------
    model : Model
        The potential.
    structure : ase.Atoms or Structure
        Structure at the start; elements and periodicity do not change.
    skin : float
        Neighbour lists are kept until an atom has moved by more than half of it, Å.
    threads : int, optional
        Default: all threads of numba. With 1, nothing runs in parallel, and evaluators may work in several Python
        threads at once (each evaluator in one thread at a time).

    Raises
    ------
    StructureError
        For structures that cannot be used, and elements that the potential does not have.
    InputError
        For a negative skin or a number of threads below 1.
    """

    def __init__(self, model: Model, structure: Structure, skin: float = 0.0, threads: int | None = None) -> None:
        start = Structure.from_atoms(structure)
        cutoff = model.cutoff
        kind = AllPairs if AllPairs.fits(start, cutoff) else Pairs
        pairs = kind.build(start, cutoff, skin, threads)
        self._set(model, start.numbers, pairs, _volume_of(start), threads)

    @classmethod
    def concatenated(cls, model: Model, structures: Sequence[Structure], threads: int | None = None) -> Evaluator:
        """Return an evaluator of many structures at once, joined atom by atom; their atoms cannot move.

        Parameters
        ----------
        model : Model
            The potential.
        structures : sequence of Structure
            Structures, any number.
        threads : int, optional
            As in the constructor.

        Raises
        ------
        StructureError
            For elements that the potential does not have.
        """
        evaluator = cls.__new__(cls)
        numbers = np.concatenate([np.empty(0, np.int64), *(structure.numbers for structure in structures)])
        pairs = Pairs.concatenate(structures, model.cutoff, threads)
        evaluator._set(model, numbers, pairs, None, threads)
        return evaluator

    def _set(self, model: Model, numbers: IntArray, pairs: Pairs, volume: float | None, threads: int | None) -> None:
        self.model = model
        self.kernels: KernelSet = kernel_set(model.precision)
        self.threads = threads
        self.numbers = numbers
        self._species = model.descriptor.species_of(numbers)
        self._pairs = pairs
        self._volume = volume
        self._pair_gradient = np.empty((0, 3))
        self._pair_energies: PCSFEnergies | None = None
        if model.pairs is not None:
            self._pair_energies = PCSFEnergies(model.pairs, pairs, model.pairs.descriptor.species_of(numbers), threads)

    def __len__(self) -> int:
        return len(self.numbers)

    # --- a step ---

    def evaluate(
        self, positions: npt.ArrayLike | None = None, cell: npt.ArrayLike | None = None, forces: bool = True
    ) -> Result:
        """Return energies, and forces and virials on request.

        Parameters
        ----------
        positions : (n, 3) array, optional
            Å; default: those of the last call. Atoms may jump by cell vectors.
        cell : (3, 3) array, optional
            Å; default: that of the last call.
        forces : bool
            Compute forces, virials and the stress too.

        Raises
        ------
        StructureError
            For positions that are not finite and a cell without volume.
        InputError
            If a cell is given without positions.
        """
        self.move(positions, cell)
        if forces:
            return self._with_forces()
        values = self.values()
        each, _, outside = self.predict(self.model.networks, values, gradient=False)
        pairs = self.pair_values()
        self.pair_outputs(self.model.pairs, pairs, each, outside, gradient=False)
        return self._result(each, None, None, values, outside, pairs)

    def _with_forces(self) -> Result:
        n, descriptor = len(self), self.model.descriptor
        values, each, outside = np.zeros((n, descriptor.n_features)), np.empty(n), np.empty(n, dtype=np.int64)
        g, sums = self._gradient_buffer(), np.empty((n, SUMS))
        arguments = (descriptor.tables, self.model.networks, self._neighbors())
        results, energies = (values, each, outside, g, sums), self.kernels.energies
        run(self.threads, energies.energies_range, arguments, n, results)
        pairs = self.pair_values()
        self._chain_pairs(self.pair_outputs(self.model.pairs, pairs, each, outside), g, sums)
        return self._result(each, *self._gather(g, sums), values, outside, pairs)

    def _result(
        self,
        each: FloatArray,
        force: FloatArray | None,
        virials: FloatArray | None,
        values: FloatArray,
        outside: IntArray,
        pairs: PCSFValues | None,
    ) -> Result:
        about = self.numbers, self._volume, self.model
        return Result(float(each.sum()), each, force, virials, values, outside, *about, pairs=pairs)

    def move(self, positions: npt.ArrayLike | None, cell: npt.ArrayLike | None = None) -> None:
        """Set positions and cell; parameters and errors as for `evaluate`."""
        if positions is None:
            if cell is not None:
                raise InputError("expected positions together with the new cell, found none")
            return
        if self._pairs.update(positions, cell) and self._pair_energies is not None:
            self._pair_energies.rebuild()
        if cell is not None and self._volume is not None:
            self._volume = volume(np.asarray(cell, dtype=np.float64))

    def values(self) -> FloatArray:
        """Return the symmetry functions (n, s), a new array."""
        descriptor = self.model.descriptor
        out = np.zeros((len(self), descriptor.n_features))
        arguments = (descriptor.tables, self._neighbors(), np.arange(len(self)))
        acsf = self.kernels.acsf
        run(self.threads, acsf.values_range, arguments, len(self), (out,))
        return out

    def predict(
        self, packed: Networks, values: FloatArray, gradient: bool = True
    ) -> tuple[FloatArray, FloatArray, IntArray]:
        """Return energies (n,), derivatives dE_i/dG_i (n, s) and numbers of columns outside the range (n,), new arrays.

        Parameters
        ----------
        packed : Networks
            Networks of the potential, or of another one with the same functions.
        values : (n, s) float64
            Symmetry functions.
        gradient : bool
            Compute the derivatives; otherwise they have no columns.
        """
        n = len(self)
        each, outside = np.empty(n), np.empty(n, dtype=np.int64)
        slopes = np.empty((n, values.shape[1] if gradient else 0))
        arguments = (packed, values, self._species)
        run(self.threads, feedforward.predict_range, arguments, n, (each, slopes, outside))
        return each, slopes, outside

    def pair_values(self) -> PCSFValues | None:
        """Return pair-centred functions, new arrays; None for potentials without energies of pairs."""
        if self._pair_energies is None:
            return None
        values, rows = self._pair_energies.values(), self._pair_energies.rows
        return PCSFValues(rows.i, rows.j, rows.kind, values, self._pair_energies.inside)

    def pair_outputs(
        self,
        model: PCSFModel | None,
        pairs: PCSFValues | None,
        energies: FloatArray,
        outside: IntArray,
        gradient: bool = True,
    ) -> PCSFOutputs | None:
        """Add energies of pairs and counts of extrapolations to those of atoms; return the outputs that `chain` needs.

        Parameters
        ----------
        model : PCSFModel or None
            Model of the potential, or of another one with the same functions.
        pairs : PCSFValues or None
            From `pair_values`.
        energies : (n,) float64
        outside : (n,) int64
        gradient : bool
            Compute the derivatives for `chain`.
        """
        if self._pair_energies is None or model is None or pairs is None:
            return None
        made = self._pair_energies.predict(model, pairs.values, gradient)
        self._pair_energies.share(made, energies, outside)
        return made

    def _chain_pairs(self, made: PCSFOutputs | None, g: FloatArray, sums: FloatArray) -> None:
        if made is not None and self._pair_energies is not None:
            self._pair_energies.chain(made.slopes, made.along, g, sums)

    def chain(
        self, slopes: FloatArray, pairs: Sequence[PCSFOutputs | None] | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return forces and virials per atom of several potentials at once, which is faster than one by one.

        Parameters
        ----------
        slopes : (n, m, s) float64
            Derivatives dE_i/dG_i by each of m potentials.
        pairs : sequence of PCSFOutputs, optional
            Outputs of each potential for the pairs.

        Returns
        -------
        forces : (m, n, 3) float64
            New array, as the others.
        virials : (m, n, 3, 3) float64
        """
        n, members, _ = slopes.shape
        acsf_vjp = self.kernels.acsf_vjp
        force, virials = np.empty((members, n, 3)), np.empty((members, n, 3, 3))
        at_once = max(1, min(members, _MOST_GRADIENTS // (3 * len(self._pairs) + 1)))
        for first in range(0, members, at_once):
            some = np.ascontiguousarray(slopes[:, first : first + at_once])
            g, sums = self._gradient_buffer(some.shape[1]), np.zeros((some.shape[1], n, SUMS))
            g.fill(0.0)
            g = g.reshape(some.shape[1], -1, 3)
            arguments = (self.model.descriptor.tables, self._neighbors(), np.arange(len(self)))
            run(self.threads, acsf_vjp.vjp_range, arguments, n, (some, g, sums))
            for m in range(some.shape[1]):
                self._chain_pairs(None if pairs is None else pairs[first + m], g[m], sums[m])
                force[first + m], virials[first + m] = self._gather(g[m], sums[m])
        return force, virials

    def _gradient_buffer(self, scalars: int = 1) -> FloatArray:
        rows = scalars * len(self._pairs)
        if len(self._pair_gradient) < rows:
            self._pair_gradient = np.empty((rows + rows // 4, 3))
        return self._pair_gradient[:rows]

    def _gather(self, g: FloatArray, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces and virials from the gradients of the pairs and their sums over each centre."""
        gradient = gathered(self._pairs, g, sums, self.threads)
        return np.negative(gradient, out=gradient), -sums[:, VIRIAL:].reshape(-1, 3, 3)

    def _neighbors(self) -> Neighbors:
        pairs = self._pairs
        return Neighbors(pairs.start, pairs.neighbor, pairs.vector, self._species)


def _part(pairs: PCSFValues, begin: int, end: int) -> PCSFValues:
    """Return the pairs of the atoms begin ... end - 1, those of one structure."""
    mine = slice(*np.searchsorted(pairs.i, [begin, end]))
    rows = pairs.kind[mine], pairs.values[mine], pairs.inside[mine]
    return PCSFValues(pairs.i[mine] - begin, pairs.j[mine] - begin, *rows)


def _volume_of(structure: Structure) -> float | None:
    return None if False in structure.pbc.tolist() else volume(structure.cell)
