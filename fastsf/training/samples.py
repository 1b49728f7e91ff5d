"""What training needs of each structure: scaled symmetry functions, and how they change with positions and strain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.descriptor import ACSF
from fastsf.errors import InputError
from fastsf.jacobian import SparseJacobian
from fastsf.kernels import tangents
from fastsf.neighbors import Pairs
from fastsf.scaling import Mode, Scaling
from fastsf.structure import FloatArray, IntArray, Structure

_BATCH_ATOMS = 500
"""Structures of about so many atoms go through the kernels together."""


@dataclass(frozen=True, eq=False)
class Part:
    """The atoms of one element in one structure of n atoms.

    Parameters
    ----------
    inputs : (m, s) float64
        Scaled symmetry functions X of the m atoms of the element.
    index : (n, K) int64
        For each atom of the structure, the atoms of the element (0 ... m - 1) whose X it changes when it moves.
    blocks : (n, K, 3, s) float64 or float32
        dX/dR of those, 1/Å; zero in places without use.
    strain : (1, m, 6, s) array or None
        dX/dstrain in Voigt order.
    """

    inputs: FloatArray
    index: IntArray
    blocks: npt.NDArray[Any]
    strain: npt.NDArray[Any] | None

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        arrays = (self.inputs, self.index, self.blocks, self.strain)
        return sum(array.nbytes for array in arrays if array is not None)


Sample = tuple[Part | None, ...]
"""The parts of a structure, one per element of the descriptor; None for an element that is not there."""


class Samples(Sequence[Sample]):
    """Samples of structures, computed once and kept as far as the memory allows, else computed anew when asked for.

    Several Python threads may ask at once: what is computed anew is computed without the parallel layer of numba.

    Parameters
    ----------
    descriptor : ACSF
        The symmetry functions.
    scalings : mapping of symbol to Scaling
        How they are scaled.
    structures : sequence of Structure
        The structures.
    stress : bool
        Also derivatives with respect to strain.
    memory : float, optional
        Bytes that kept samples may take; all are kept by default. Which are kept depends on nothing but the order.
    dtype : dtype
        Of the derivatives: float64, or float32 to save memory (forces then carry relative errors of about 1e-7).
    """

    def __init__(
        self,
        descriptor: ACSF,
        scalings: Mapping[str, Scaling],
        structures: Sequence[Structure],
        *,
        stress: bool = False,
        memory: float | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.descriptor, self.scalings = descriptor, dict(scalings)
        self._serial = ACSF(descriptor.functions, elements=descriptor.elements, threads=1)
        self.structures, self.stress, self.dtype = list(structures), stress, np.dtype(dtype)
        self._kept: list[Sample | None] = [None] * len(self.structures)
        self._memory = float("inf") if memory is None else float(memory)
        self.kept_bytes = 0

    def fill(self) -> Iterator[int]:
        """Compute the samples that are kept; yields after each batch the number of structures that are done."""
        for batch in batches(self.structures):
            if self.kept_bytes >= self._memory:
                yield len(self.structures)
                return
            samples = self._compute(self.descriptor, [self.structures[k] for k in batch])
            for k, sample in zip(batch, samples, strict=True):
                size = sum(part.nbytes for part in sample if part is not None)
                if self.kept_bytes + size <= self._memory:
                    self._kept[k] = sample
                    self.kept_bytes += size
            yield batch[-1] + 1

    def __len__(self) -> int:
        return len(self.structures)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return [self[each] for each in range(*k.indices(len(self)))]
        sample = self._kept[k]
        return self._compute(self._serial, [self.structures[k]])[0] if sample is None else sample

    @property
    def kept(self) -> int:
        """Number of structures whose samples are kept."""
        return sum(sample is not None for sample in self._kept)

    def _compute(self, descriptor: ACSF, structures: Sequence[Structure]) -> list[Sample]:
        values, jacobian = descriptor.evaluate_batch(structures, jacobian=True)
        assert jacobian is not None  # asked for
        strains = descriptor.strain_derivatives(structures) if self.stress else None
        samples, first = [], 0
        for structure in structures:
            species = self.descriptor.species_of(structure.numbers)
            parts: list[Part | None] = []
            for element, symbol in enumerate(self.descriptor.elements):
                rows = first + np.flatnonzero(species == element)
                part = self._part(symbol, rows, first, len(structure), values, jacobian, strains)
                parts.append(part if len(rows) else None)
            samples.append(tuple(parts))
            first += len(structure)
        return samples

    def _part(
        self,
        symbol: str,
        rows: IntArray,
        first: int,
        n: int,
        values: FloatArray,
        jacobian: SparseJacobian,
        strains: FloatArray | None,
    ) -> Part:
        scaling, s = self.scalings[symbol], len(self.descriptor.columns[symbol])
        factor = scaling.affine()[1]
        counts = np.zeros(n, dtype=np.int64)
        tangents.count_centers(jacobian.start, jacobian.atom, rows, first, counts, np.empty(n, dtype=np.int64))
        places = int(counts.max(initial=1))
        index, blocks = np.zeros((n, places), dtype=np.int64), np.zeros((n, places, 3, s), dtype=self.dtype)
        arrays = (jacobian.start, jacobian.column, jacobian.atom, jacobian.data)
        tangents.fill_blocks(arrays, rows, first, factor, np.zeros((3, n), dtype=np.int64), index, blocks)
        strain = None
        if strains is not None:
            strain = np.ascontiguousarray((strains[rows, :, :s] * factor)[None], dtype=self.dtype)
        return Part(scaling.apply(values[rows, :s]), index, blocks, strain)


def batches(structures: Sequence[Structure]) -> Iterator[range]:
    """Ranges of structures that together have about as many atoms as the kernels like."""
    first, atoms = 0, 0
    for k, structure in enumerate(structures):
        atoms += len(structure)
        if atoms >= _BATCH_ATOMS or k == len(structures) - 1:
            yield range(first, k + 1)
            first, atoms = k + 1, 0


def estimated_bytes(descriptor: ACSF, structures: Sequence[Structure], itemsize: int = 8) -> int:
    """Memory that the samples of structures will take at most, from their numbers of neighbours.

    Parameters
    ----------
    descriptor : ACSF
    structures : sequence of Structure
    itemsize : int
        Bytes of a number: 8, or 4 with float32.
    """
    total, per_block = 0, 3 * descriptor.n_features * itemsize + 8
    for batch in batches(structures):
        chosen = [structures[k] for k in batch]
        counts = np.diff(Pairs.concatenate(chosen, descriptor.cutoff, threads=descriptor.threads).start)
        first = 0
        for structure in chosen:
            n = len(structure)
            most = min(n, int(counts[first : first + n].max(initial=0)) + 1)
            total += n * most * per_block
            first += n
    return total


def find_scalings(
    descriptor: ACSF,
    structures: Sequence[Structure],
    mode: Mode = "scale_sigma",
    lowest: float = 0.0,
    highest: float = 1.0,
) -> dict[str, Scaling]:
    """Scalings by the statistics of structures.

    `mode`, `lowest` and `highest` are as for `Scaling`.

    Raises
    ------
    InputError
        If an element of the descriptor is in none of the structures.
    """
    values: list[FloatArray] = []
    for batch in batches(structures):
        values += descriptor.create([structures[k] for k in batch])
    species = [descriptor.species_of(structure.numbers) for structure in structures]
    scalings = {}
    for element, symbol in enumerate(descriptor.elements):
        own = [v[kinds == element] for v, kinds in zip(values, species, strict=True)]
        rows = np.concatenate(own) if own else np.empty((0, descriptor.n_features))
        if not len(rows):
            raise InputError(f"no structure of the training set has the element {symbol} of the functions")
        scalings[symbol] = Scaling.from_values(rows[:, : len(descriptor.columns[symbol])], mode, lowest, highest)
    return scalings
