"""Pair-centred parts of samples.

The energy of a pair is w N(X). The envelope of the energy defines w:

- "fc": w is the cutoff function fc(Rij), a symmetry function itself (`PairRadial` without exponent), which the kernels
  compute as one more column, with its derivatives;
- "shift": w is 1. The network's energy at the cutoff, where all functions are zero, is subtracted once per pair: one
  more row of constant inputs;
- "none": w is 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.pcsf import PCSF
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry.pcsf import PairRadial, cutoff_of_kind
from fastsf.training.objective.parts import PartArrays, SamplePart, SampleParts, with_functions
from fastsf.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PCSFInputs:
    """Inputs of pair-centred networks: a `PairTerm` without its networks.

    Parameters
    ----------
    descriptor : PCSF
        Pair-centred functions.
    scalings : mapping of str to Scaling
        Scaling of each kind of pairs with functions.
    envelope : {"fc", "shift", "none"}
        Envelope of the energies at the cutoff.
    """

    descriptor: PCSF
    scalings: Mapping[str, Scaling]
    envelope: str = "fc"

    @property
    def kinds(self) -> list[str]:
        """Kinds of pairs with functions."""
        return [kind for _, kind in with_functions(self.descriptor.columns)]


class PCSFParts(SampleParts):
    """Parts of the kinds of pairs with symmetry functions.

    Parameters
    ----------
    inputs : PCSFInputs
        Functions, scalings, envelope.
    stress, dtype
        As for `SampleParts`.
    """

    batch_atoms = 50  # fewer than for atoms: a pair sees the neighbours of both its ends

    def __init__(self, inputs: PCSFInputs, stress: bool, dtype: npt.DTypeLike = np.float64) -> None:
        self._envelope, known = inputs.envelope, inputs.descriptor
        functions = list(known.functions)
        if inputs.envelope != "none":
            functions += [PairRadial(each[0].elements, cutoff_of_kind(each)) for each in known.columns.values() if each]
        parallel, serial = (PCSF(functions, elements=known.elements, threads=n) for n in (known.threads, 1))
        super().__init__(parallel, serial, inputs.scalings, stress, dtype)

    def _factor(self, kind: str) -> FloatArray:
        """Return the factors of the columns: of the scaling, and of the weight if it has a column."""
        factor = super()._factor(kind)
        return factor if self._envelope == "none" else np.append(factor, float(self._envelope == "fc"))

    def _part(self, kind: str, values: FloatArray, rows: IntArray, arrays: PartArrays) -> SamplePart:
        scaling, own = self._scalings[kind], values[rows]
        s, (index, blocks, strain) = len(scaling), arrays
        inputs = scaling.apply(own[:, :s])
        if self._envelope == "none":
            return SamplePart(inputs, index, blocks, strain)
        if self._envelope == "fc":
            return SamplePart(inputs, index, blocks, strain, own[:, s].copy())
        border = scaling.apply(np.zeros((1, s)))
        weights = np.append(np.ones(len(inputs)), -float(len(inputs)))
        strain = None if strain is None else np.pad(strain, ((0, 0), (0, 1), (0, 0), (0, 0)))
        return SamplePart(np.vstack([inputs, border]), index, blocks, strain, weights)


def estimated_pcsf_bytes(descriptor: PCSF, structures: Sequence[Structure], itemsize: int = 8) -> int:
    """Return an upper bound of the memory of the pair-centred parts, from the numbers of neighbours.

    Parameters
    ----------
    descriptor : PCSF
    structures : sequence of Structure
    itemsize : int
        Bytes of a number, 8 or (float32) 4.
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
    """Return the kinds of pairs with functions that occur in structures."""
    numbers = {number for structure in structures for number in np.unique(descriptor.rows(structure).kind).tolist()}
    return {descriptor.kinds[number] for number in numbers}
