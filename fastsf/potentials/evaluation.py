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
    """Evaluate many structures at once, which small ones gain much from.

    Parameters
    ----------
    model : Model
        The potential.
    structures : sequence of Structure
        Any number of structures.
    threads : int, optional
        As for `Evaluator`.
    forces : bool
        Whether forces, virials and stresses are wanted.

    Returns
    -------
    list of Result
        In the order of the structures; their arrays are parts of common ones.

    Raises
    ------
    StructureError
        For elements that the potential does not know.
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
    """Evaluates a structure again and again while its atoms and its cell change; keeps pairs and memory.

    Parameters
    ----------
    model : Model
        The potential.
    structure : ase.Atoms or Structure
        Elements and periodicity stay those of this structure.
    skin : float
        Å; pairs are kept until an atom has moved more than half of it.
    threads : int, optional
        All that numba has, by default. With 1, nothing is run in parallel, and evaluators may work in several
        Python threads at once (one evaluator in one thread at a time).

    Raises
    ------
    StructureError
        For structures that cannot be used, and elements that the potential does not know.
    InputError
        For a skin or a number of threads that makes no sense.
    """

    def __init__(self, model: Model, structure: Structure, skin: float = 0.0, threads: int | None = None) -> None:
        start = Structure.from_atoms(structure)
        cutoff = model.cutoff
        kind = AllPairs if AllPairs.fits(start, cutoff) else Pairs
        pairs = kind.build(start, cutoff, skin, threads)
        self._set(model, start.numbers, pairs, _volume_of(start), threads)

    @classmethod
    def concatenated(cls, model: Model, structures: Sequence[Structure], threads: int | None = None) -> Evaluator:
        """Evaluator of many structures at once, their atoms behind each other; they cannot move.

        Parameters
        ----------
        model : Model
            The potential.
        structures : sequence of Structure
            Any number of structures.
        threads : int, optional
            As in the constructor.

        Raises
        ------
        StructureError
            For elements that the potential does not know.
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
        """Energy, and forces and virials if wanted.

        Parameters
        ----------
        positions : (n, 3) array, optional
            Å; where the atoms were last time, by default. Atoms may jump by cell vectors.
        cell : (3, 3) array, optional
            Å; that of last time, by default.
        forces : bool
            Whether forces, virials and the stress are wanted.

        Raises
        ------
        StructureError
            For positions that are not finite and a cell without volume.
        InputError
            For a cell without positions.
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
        g, sums = self._room_for_gradients(), np.empty((n, SUMS))
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
        """Put the atoms elsewhere; parameters as in `evaluate`."""
        if positions is None:
            if cell is not None:
                raise InputError("a new cell needs the positions of the atoms in it")
            return
        if self._pairs.update(positions, cell) and self._pair_energies is not None:
            self._pair_energies.rebuild()
        if cell is not None and self._volume is not None:
            self._volume = volume(np.asarray(cell, dtype=np.float64))

    def values(self) -> FloatArray:
        """Symmetry functions (n, s), a new array."""
        descriptor = self.model.descriptor
        out = np.zeros((len(self), descriptor.n_features))
        arguments = (descriptor.tables, self._neighbors(), np.arange(len(self)))
        acsf = self.kernels.acsf
        run(self.threads, acsf.values_range, arguments, len(self), (out,))
        return out

    def predict(
        self, packed: Networks, values: FloatArray, gradient: bool = True
    ) -> tuple[FloatArray, FloatArray, IntArray]:
        """Energies (n,), their derivatives dE_i/dG_i (n, s) if wanted, and columns outside the range (n,), new arrays.

        Parameters
        ----------
        packed : Networks
            Those of the potential, or of another one with the same functions.
        values : (n, s) float64
            Symmetry functions.
        gradient : bool
            Without, the derivatives have no columns.
        """
        n = len(self)
        each, outside = np.empty(n), np.empty(n, dtype=np.int64)
        slopes = np.empty((n, values.shape[1] if gradient else 0))
        arguments = (packed, values, self._species)
        run(self.threads, feedforward.predict_range, arguments, n, (each, slopes, outside))
        return each, slopes, outside

    def pair_values(self) -> PCSFValues | None:
        """Pair-centred functions, new arrays; None for potentials without energies of pairs."""
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
        """Add the energies of pairs to those of atoms, and counts of values outside; what `chain` needs of them.

        Parameters
        ----------
        model : PCSFModel or None
            That of the potential, or of another one with the same functions.
        pairs : PCSFValues or None
            From `pair_values`.
        energies : (n,) float64
        outside : (n,) int64
        gradient : bool
            Whether `chain` will be called.
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
        """Forces and virials per atom of several potentials at once, which costs less than one by one.

        Parameters
        ----------
        slopes : (n, m, s) float64
            Derivatives dE_i/dG_i by each of m potentials.
        pairs : sequence of PCSFOutputs, optional
            What each of them says about the pairs.

        Returns
        -------
        forces : (m, n, 3) float64
            New, as the others.
        virials : (m, n, 3, 3) float64
        """
        n, members, _ = slopes.shape
        acsf_vjp = self.kernels.acsf_vjp
        force, virials = np.empty((members, n, 3)), np.empty((members, n, 3, 3))
        at_once = max(1, min(members, _MOST_GRADIENTS // (3 * len(self._pairs) + 1)))
        for first in range(0, members, at_once):
            some = np.ascontiguousarray(slopes[:, first : first + at_once])
            g, sums = self._room_for_gradients(some.shape[1]), np.zeros((some.shape[1], n, SUMS))
            g.fill(0.0)
            g = g.reshape(some.shape[1], -1, 3)
            arguments = (self.model.descriptor.tables, self._neighbors(), np.arange(len(self)))
            run(self.threads, acsf_vjp.vjp_range, arguments, n, (some, g, sums))
            for m in range(some.shape[1]):
                self._chain_pairs(None if pairs is None else pairs[first + m], g[m], sums[m])
                force[first + m], virials[first + m] = self._gather(g[m], sums[m])
        return force, virials

    def _room_for_gradients(self, scalars: int = 1) -> FloatArray:
        rows = scalars * len(self._pairs)
        if len(self._pair_gradient) < rows:
            self._pair_gradient = np.empty((rows + rows // 4, 3))
        return self._pair_gradient[:rows]

    def _gather(self, g: FloatArray, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Forces and virials from the gradients of the pairs and their sums over each centre."""
        gradient = gathered(self._pairs, g, sums, self.threads)
        return np.negative(gradient, out=gradient), -sums[:, VIRIAL:].reshape(-1, 3, 3)

    def _neighbors(self) -> Neighbors:
        pairs = self._pairs
        return Neighbors(pairs.start, pairs.neighbor, pairs.vector, self._species)


def _part(pairs: PCSFValues, begin: int, end: int) -> PCSFValues:
    """Pairs of the atoms begin ... end - 1, which are those of one structure."""
    mine = slice(*np.searchsorted(pairs.i, [begin, end]))
    rows = pairs.kind[mine], pairs.values[mine], pairs.inside[mine]
    return PCSFValues(pairs.i[mine] - begin, pairs.j[mine] - begin, *rows)


def _volume_of(structure: Structure) -> float | None:
    return None if False in structure.pbc.tolist() else volume(structure.cell)
