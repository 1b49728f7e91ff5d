"""The parts of samples: scaled symmetry functions of the atoms of an element, or of the pairs of a kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.jacobian import SparseJacobian
from fastsf.descriptors.pcsf import PCSF
from fastsf.errors import InputError
from fastsf.kernels.networks import tangents
from fastsf.potentials.scaling import Mode, Scaling
from fastsf.structure import Structure
from fastsf.types import FloatArray, IntArray

BATCH_ATOMS = 500
"""Structures of about so many atoms go through the kernels together."""


@dataclass(frozen=True, eq=False)
class SamplePart:
    """The centres of one kind, atoms of an element or pairs of elements, in one structure of n atoms.

    Parameters
    ----------
    inputs : (m, s) float64
        Scaled symmetry functions X of the m centres.
    index : (n, K) int64
        For each atom of the structure, the centres (0 ... m - 1) whose X it changes when it moves.
    blocks : (n, K, 3, s) float64 or float32
        dX/dR of those, 1/Å; zero in unused elements. With weights (n, K, 3, s + 1), dw/dR after dX/dR.
    strain : (1, m, 6, s) array or None
        dX/dstrain in Voigt order, with weights dw/dstrain after it.
    weights : (m,) float64, optional
        Factors w of the centres' energies, 1 if not given.
    """

    inputs: FloatArray
    index: IntArray
    blocks: npt.NDArray[Any]
    strain: npt.NDArray[Any] | None
    weights: FloatArray | None = None

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, bytes."""
        arrays = (self.inputs, self.index, self.blocks, self.strain, self.weights)
        return sum(array.nbytes for array in arrays if array is not None)


PartArrays: TypeAlias = tuple[IntArray, npt.NDArray[Any], npt.NDArray[Any] | None]
"""Index, blocks and strain of a `SamplePart`."""


class CenterValues(NamedTuple):
    """Symmetry functions of the centres of a batch of structures.

    Parameters
    ----------
    values : (rows, columns) float64
    jacobian : SparseJacobian or None
    kinds : (rows,) int64
        Number of the element or of the kind of pairs of each row.
    bounds : (structures + 1,) int64
        First row of each structure, and the number of rows.
    """

    values: FloatArray
    jacobian: SparseJacobian | None
    kinds: IntArray
    bounds: IntArray


def evaluate(descriptor: ACSF | PCSF, structures: Sequence[Structure], jacobian: bool = False) -> CenterValues:
    """Evaluate the symmetry functions of a batch of structures, with derivatives if wanted."""
    atoms = np.concatenate([[0], np.cumsum([len(structure) for structure in structures], dtype=np.int64)])
    values, derivatives, pairs = descriptor.evaluate_batch(structures, jacobian)
    if pairs is not None:
        return CenterValues(values, derivatives, pairs.kind, pairs.first[atoms])
    kinds = np.concatenate([descriptor.species_of(structure.numbers) for structure in structures])
    return CenterValues(values, derivatives, kinds, atoms)


class SampleParts(ABC):
    """Base of what computes the parts of structures for the functions of one descriptor.

    Parameters
    ----------
    descriptor, serial : ACSF or PCSF
        The symmetry functions, on all threads and on one.
    scalings : mapping of str to Scaling
        Scaling of each element or kind of pairs with functions.
    stress : bool
        Also compute derivatives with respect to strain.
    dtype : dtype
        Type of the derivatives.
    """

    batch_atoms = BATCH_ATOMS

    def __init__(
        self,
        descriptor: ACSF | PCSF,
        serial: ACSF | PCSF,
        scalings: Mapping[str, Scaling],
        stress: bool,
        dtype: npt.DTypeLike,
    ) -> None:
        self._descriptor, self._serial, self._scalings = descriptor, serial, dict(scalings)
        self._stress, self._dtype = stress, dtype

    def compute(self, structures: Sequence[Structure], serial: bool) -> list[list[SamplePart | None]]:
        """Compute the parts of each structure, one per element or kind with functions; None if it has no such centre.

        Parameters
        ----------
        structures : sequence of Structure
        serial : bool
            Compute without numba's parallel layer.
        """
        descriptor, samples = self._serial if serial else self._descriptor, []
        for batch in batches(structures, self.batch_atoms):
            samples += self._batch([structures[k] for k in batch], descriptor)
        return samples

    def _batch(self, structures: Sequence[Structure], descriptor: ACSF | PCSF) -> list[list[SamplePart | None]]:
        values, jacobian, kinds, bounds = evaluate(descriptor, structures, jacobian=True)
        assert jacobian is not None  # asked for
        strains = descriptor.strain_derivatives(structures) if self._stress else None
        samples, first = [], 0
        for k, structure in enumerate(structures):
            low, high = bounds[k : k + 2]
            parts: list[SamplePart | None] = []
            for number, kind in with_functions(descriptor.columns):
                rows = low + np.flatnonzero(kinds[low:high] == number)
                derivatives = Derivatives(jacobian, strains, rows, self._factor(kind), self._dtype)
                arrays = derivatives.of(first, len(structure))
                parts.append(self._part(kind, values, rows, arrays) if len(rows) else None)
            samples.append(parts)
            first += len(structure)
        return samples

    def _factor(self, kind: str) -> FloatArray:
        """Return the factors of the columns in dX/dG."""
        return self._scalings[kind].affine()[1]

    @abstractmethod
    def _part(self, kind: str, values: FloatArray, rows: IntArray, arrays: PartArrays) -> SamplePart:
        """Make a part of some rows of the values and of its derivatives."""


class ACSFParts(SampleParts):
    """Parts of the elements with symmetry functions.

    Parameters
    ----------
    descriptor : ACSF
    scalings, stress, dtype
        As for `SampleParts`.
    """

    def __init__(
        self, descriptor: ACSF, scalings: Mapping[str, Scaling], stress: bool, dtype: npt.DTypeLike = np.float64
    ) -> None:
        serial = ACSF(descriptor.functions, elements=descriptor.elements, threads=1)
        super().__init__(descriptor, serial, scalings, stress, dtype)

    def _part(self, kind: str, values: FloatArray, rows: IntArray, arrays: PartArrays) -> SamplePart:
        scaling = self._scalings[kind]
        return SamplePart(scaling.apply(values[rows, : len(scaling)]), *arrays)


def find_scalings(
    descriptor: ACSF | PCSF,
    structures: Sequence[Structure],
    mode: Mode = "scale_sigma",
    lowest: float = 0.0,
    highest: float = 1.0,
) -> dict[str, Scaling]:
    """Make scalings by the statistics of structures.

    Parameters
    ----------
    descriptor : ACSF or PCSF
    structures : sequence of Structure
    mode, lowest, highest
        As for `Scaling`.

    Raises
    ------
    InputError
        If an element or a kind of pairs with functions is in none of the structures.
    """
    tables: dict[str, list[FloatArray]] = {kind: [] for _, kind in with_functions(descriptor.columns)}
    for batch in batches(structures) if tables else ():
        values, _, kinds, _ = evaluate(descriptor, [structures[k] for k in batch])
        for number, kind in with_functions(descriptor.columns):
            tables[kind].append(values[kinds == number])
    scalings = {}
    for kind, found in tables.items():
        if not sum(map(len, found)):
            what = f"the element {kind} of the functions"
            if isinstance(descriptor, PCSF):
                what = f"a pair {kind} closer than {descriptor.cutoffs[kind]:g} Å"
            raise InputError(f"no structure of the training set has {what}")
        columns = np.concatenate(found)[:, : len(descriptor.columns[kind])]
        scalings[kind] = Scaling.from_values(columns, mode, lowest, highest)
    return scalings


def with_functions(columns: Mapping[str, Sequence[Any]]) -> list[tuple[int, str]]:
    """Return the elements or kinds that have functions, with their numbers among all."""
    return [(k, name) for k, name in enumerate(columns) if len(columns[name])]


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Derivatives of some rows of a batch.

    Parameters
    ----------
    jacobian : SparseJacobian
        Derivatives of all rows of the batch.
    strains : (rows, 6, s) float64 or None
        Derivatives of all rows with respect to strain.
    rows : (m,) int64
        Rows that are wanted.
    factor : (s,) float64
        Factors of their columns.
    dtype : dtype
        Type of the results.
    """

    jacobian: SparseJacobian
    strains: FloatArray | None
    rows: IntArray
    factor: FloatArray
    dtype: npt.DTypeLike

    def of(self, first: int, n: int) -> PartArrays:
        """Return the arrays of the `SamplePart` of the structure whose atoms are first ... first + n - 1."""
        jacobian, rows, s = self.jacobian, self.rows, len(self.factor)
        counts, seen = np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.int64)
        tangents.count_centers(jacobian.start, jacobian.atom, jacobian.centers, rows, first, counts, seen)
        most = int(counts.max(initial=1))
        index, blocks = np.zeros((n, most), dtype=np.int64), np.zeros((n, most, 3, s), dtype=self.dtype)
        arrays, scratch = (jacobian.start, jacobian.column, jacobian.atom, jacobian.data), np.zeros((3, n), np.int64)
        tangents.fill_blocks(arrays, jacobian.centers, rows, first, self.factor, scratch, index, blocks)
        if self.strains is None:
            return index, blocks, None
        return index, blocks, np.ascontiguousarray((self.strains[rows, :, :s] * self.factor)[None], dtype=self.dtype)


def batches(structures: Sequence[Structure], most: int = BATCH_ATOMS) -> Iterator[range]:
    """Yield ranges of structures that together have at least `most` atoms, except the last one."""
    first, atoms = 0, 0
    for k, structure in enumerate(structures):
        atoms += len(structure)
        if atoms >= most or k == len(structures) - 1:
            yield range(first, k + 1)
            first, atoms = k + 1, 0
