"""The parts of samples: scaled symmetry functions of the atoms of an element, or of the pairs of a kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.jacobian import SparseJacobian
from fastsf.kernels.networks import tangents
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.types import FloatArray, IntArray

_BATCH_ATOMS = 500
"""Structures of about so many atoms go through the kernels together."""


@dataclass(frozen=True, eq=False)
class Part:
    """The centres of one kind, atoms of an element or pairs of elements, in one structure of n atoms.

    Parameters
    ----------
    inputs : (m, s) float64
        Scaled symmetry functions X of the m centres.
    index : (n, K) int64
        For each atom of the structure, the centres (0 ... m - 1) whose X it changes when it moves.
    blocks : (n, K, 3, s) float64 or float32
        dX/dR of those, 1/Å; zero in places without use. With weights (n, K, 3, s + 1), dw/dR behind dX/dR.
    strain : (1, m, 6, s) array or None
        dX/dstrain in Voigt order, with weights dw/dstrain behind it.
    weights : (m,) float64, optional
        Factors w of the centres' energies; 1 by default.
    """

    inputs: FloatArray
    index: IntArray
    blocks: npt.NDArray[Any]
    strain: npt.NDArray[Any] | None
    weights: FloatArray | None = None

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        arrays = (self.inputs, self.index, self.blocks, self.strain, self.weights)
        return sum(array.nbytes for array in arrays if array is not None)


PartArrays: TypeAlias = tuple[IntArray, npt.NDArray[Any], npt.NDArray[Any] | None]
"""Index, blocks and strain of a `Part`."""


class Parts(Protocol):
    """What computes the parts of structures for one kind of descriptor."""

    def compute(self, structures: Sequence[Structure], serial: bool) -> list[list[Part | None]]:
        """Parts of each structure, None for what is not there; serial without the parallel layer of numba."""


class AtomParts:
    """Parts of elements with symmetry functions.

    Parameters
    ----------
    descriptor : ACSF
        The symmetry functions.
    scalings : mapping of symbol to Scaling
        How they are scaled.
    stress : bool
        Also derivatives with respect to strain.
    dtype : dtype
        Of the derivatives.
    """

    def __init__(
        self, descriptor: ACSF, scalings: Mapping[str, Scaling], stress: bool, dtype: npt.DTypeLike = np.float64
    ) -> None:
        self._descriptor, self._scalings, self._stress, self._dtype = descriptor, dict(scalings), stress, dtype
        self._serial = ACSF(descriptor.functions, elements=descriptor.elements, threads=1)

    def compute(self, structures: Sequence[Structure], serial: bool) -> list[list[Part | None]]:
        """Parts of each structure, one per element with functions."""
        descriptor = self._serial if serial else self._descriptor
        values, jacobian = descriptor.evaluate_batch(structures, jacobian=True)
        assert jacobian is not None  # asked for
        strains = descriptor.strain_derivatives(structures) if self._stress else None
        samples, first = [], 0
        for structure in structures:
            species, parts = descriptor.species_of(structure.numbers), []
            for element, symbol in with_functions(descriptor.columns):
                rows, s = first + np.flatnonzero(species == element), len(descriptor.columns[symbol])
                scaling = self._scalings[symbol]
                inputs, factor = scaling.apply(values[rows, :s]), scaling.affine()[1]
                derivatives = Derivatives(jacobian, strains, rows, factor, self._dtype)
                parts.append(Part(inputs, *derivatives.of(first, len(structure))) if len(rows) else None)
            samples.append(parts)
            first += len(structure)
        return samples


def with_functions(columns: Mapping[str, Sequence[Any]]) -> list[tuple[int, str]]:
    """Elements or kinds that have functions, with their numbers among all."""
    return [(k, name) for k, name in enumerate(columns) if len(columns[name])]


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Derivatives of some rows of a batch.

    Parameters
    ----------
    jacobian : SparseJacobian
        Of all rows of the batch.
    strains : (rows, 6, s) float64 or None
        Derivatives with respect to strain of the same.
    rows : (m,) int64
        Those that are wanted.
    factor : (s,) float64
        Of their columns.
    dtype : dtype
        Of the results.
    """

    jacobian: SparseJacobian
    strains: FloatArray | None
    rows: IntArray
    factor: FloatArray
    dtype: npt.DTypeLike

    def of(self, first: int, n: int) -> PartArrays:
        """Arrays of the `Part` of the structure whose atoms are first ... first + n - 1."""
        jacobian, rows, s = self.jacobian, self.rows, len(self.factor)
        counts, seen = np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.int64)
        tangents.count_centers(jacobian.start, jacobian.atom, jacobian.centers, rows, first, counts, seen)
        places = int(counts.max(initial=1))
        index, blocks = np.zeros((n, places), dtype=np.int64), np.zeros((n, places, 3, s), dtype=self.dtype)
        arrays, scratch = (jacobian.start, jacobian.column, jacobian.atom, jacobian.data), np.zeros((3, n), np.int64)
        tangents.fill_blocks(arrays, jacobian.centers, rows, first, self.factor, scratch, index, blocks)
        if self.strains is None:
            return index, blocks, None
        return index, blocks, np.ascontiguousarray((self.strains[rows, :, :s] * self.factor)[None], dtype=self.dtype)


def batches(structures: Sequence[Structure], most: int = _BATCH_ATOMS) -> Iterator[range]:
    """Ranges of structures that together have about as many atoms as the kernels like, or so many."""
    first, atoms = 0, 0
    for k, structure in enumerate(structures):
        atoms += len(structure)
        if atoms >= most or k == len(structures) - 1:
            yield range(first, k + 1)
            first, atoms = k + 1, 0
