"""The parts of samples that belong to pairs of atoms, and what training keeps of pair-centred functions.

The energy of a pair is w N(X). The envelope of the energy tells which w: with "fc" the cutoff function fc(Rij), which
is a symmetry function itself (`PairRadial` without exponent) and comes out of the kernels as one more column, values
and derivatives; with "shift" 1, and the network's energy at the cutoff, where all functions are zero, is subtracted as
often as there are pairs: one more row of inputs that nothing moves; with "none" 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.pcsf import PCSF
from fastsf.errors import InputError
from fastsf.potentials.scaling import Mode, Scaling
from fastsf.structure import Structure
from fastsf.symmetry.pcsf import PairRadial, pair_cutoff
from fastsf.training.objective.parts import Derivatives, Part, PartArrays, batches, with_functions
from fastsf.types import FloatArray

_BATCH_ATOMS = 50
"""Structures of about so many atoms go through the kernels together: a pair sees the neighbours of both its ends."""


@dataclass(frozen=True, eq=False)
class PairInputs:
    """What the networks of pairs get; all of a `PairTerm` but the networks.

    Parameters
    ----------
    descriptor : PCSF
        The symmetry functions.
    scalings : mapping of str to Scaling
        One for every kind of pairs with functions.
    envelope : {"fc", "shift", "none"}
        How energies end at the cutoff.
    """

    descriptor: PCSF
    scalings: Mapping[str, Scaling]
    envelope: str = "fc"

    @property
    def kinds(self) -> list[str]:
        """Kinds of pairs with functions."""
        return [kind for _, kind in with_functions(self.descriptor.columns)]


class PairParts:
    """Parts of kinds of pairs with symmetry functions; what `AtomParts` is for atoms.

    Parameters
    ----------
    inputs : PairInputs
        Functions, scalings, envelope.
    stress : bool
        Also derivatives with respect to strain.
    dtype : dtype
        Of the derivatives.
    """

    def __init__(self, inputs: PairInputs, stress: bool, dtype: npt.DTypeLike = np.float64) -> None:
        self._inputs, self._stress, self._dtype = inputs, stress, dtype
        known = inputs.descriptor
        functions = list(known.functions)
        if inputs.envelope != "none":
            functions += [PairRadial(each[0].elements, pair_cutoff(each)) for each in known.columns.values() if each]
        self._parallel = PCSF(functions, elements=known.elements, threads=known.threads)
        self._serial = PCSF(functions, elements=known.elements, threads=1)

    def compute(self, structures: Sequence[Structure], serial: bool) -> list[list[Part | None]]:
        """Parts of each structure, one per kind with functions."""
        samples = []
        for batch in batches(structures, _BATCH_ATOMS):
            samples += self._batch([structures[k] for k in batch], self._serial if serial else self._parallel)
        return samples

    def _batch(self, structures: Sequence[Structure], descriptor: PCSF) -> list[list[Part | None]]:
        values, jacobian, rows = descriptor.evaluate_batch(structures, jacobian=True)
        assert jacobian is not None  # asked for
        strains = descriptor.strain_derivatives(structures) if self._stress else None
        samples, first = [], 0
        for structure in structures:
            low, high = rows.first[first], rows.first[first + len(structure)]
            parts = []
            for number, kind in with_functions(descriptor.columns):
                mine = low + np.flatnonzero(rows.kind[low:high] == number)
                arrays = Derivatives(jacobian, strains, mine, self._factor(kind), self._dtype).of(first, len(structure))
                parts.append(self._part(kind, values[mine], arrays) if len(mine) else None)
            samples.append(parts)
            first += len(structure)
        return samples

    def _factor(self, kind: str) -> FloatArray:
        """Factors of the columns: those of the scaling, and that of the weight if it has a column."""
        factor, envelope = self._inputs.scalings[kind].affine()[1], self._inputs.envelope
        return factor if envelope == "none" else np.append(factor, float(envelope == "fc"))

    def _part(self, kind: str, values: FloatArray, arrays: PartArrays) -> Part:
        scaling, envelope = self._inputs.scalings[kind], self._inputs.envelope
        s, (index, blocks, strain) = len(scaling), arrays
        inputs = scaling.apply(values[:, :s])
        if envelope == "none":
            return Part(inputs, index, blocks, strain)
        if envelope == "fc":
            return Part(inputs, index, blocks, strain, values[:, s].copy())
        border = scaling.apply(np.zeros((1, s)))
        weights = np.append(np.ones(len(inputs)), -float(len(inputs)))
        strain = None if strain is None else np.pad(strain, ((0, 0), (0, 1), (0, 0), (0, 0)))
        return Part(np.vstack([inputs, border]), index, blocks, strain, weights)


def estimated_pair_bytes(descriptor: PCSF, structures: Sequence[Structure], itemsize: int = 8) -> int:
    """Memory that the parts of pairs will take at most, from the numbers of neighbours.

    Parameters
    ----------
    descriptor : PCSF
    structures : sequence of Structure
    itemsize : int
        Bytes of a number: 8, or 4 with float32.
    """
    total = 0
    for structure in structures:
        n, rows = len(structure), descriptor.rows(structure)
        neighbors = np.diff(rows.pairs.start)
        for number, kind in with_functions(descriptor.columns):
            mine = rows.kind == number
            ends = np.bincount(np.concatenate([rows.i[mine], rows.j[mine]]), minlength=n)
            most = min(int(mine.sum()), (int(neighbors.max(initial=0)) + 1) * int(ends.max(initial=0)))
            total += n * most * (3 * (len(descriptor.columns[kind]) + 1) * itemsize + 8)
    return total


def kinds_present(descriptor: PCSF, structures: Sequence[Structure]) -> set[str]:
    """Kinds of pairs with functions that structures have."""
    numbers = {number for structure in structures for number in np.unique(descriptor.rows(structure).kind).tolist()}
    return {descriptor.kinds[number] for number in numbers}


def find_pair_scalings(
    descriptor: PCSF,
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
        If none of the structures has a pair of a kind with functions.
    """
    kinds = with_functions(descriptor.columns)
    found: dict[str, list[FloatArray]] = {kind: [] for _, kind in kinds}
    for batch in batches(structures):
        values, _, rows = descriptor.evaluate_batch([structures[k] for k in batch])
        for number, kind in kinds:
            found[kind].append(values[rows.kind == number, : len(descriptor.columns[kind])])
    scalings = {}
    for kind, tables in found.items():
        if not sum(map(len, tables)):
            radius = descriptor.cutoffs[kind]
            raise InputError(f"no structure of the training set has a pair {kind} closer than {radius:g} Å")
        scalings[kind] = Scaling.from_values(np.concatenate(tables), mode, lowest, highest)
    return scalings
