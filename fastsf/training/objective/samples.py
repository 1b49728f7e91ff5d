"""What training needs of each structure: scaled symmetry functions, and how they change with positions and strain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.acsf import ACSF
from fastsf.neighbors.pairs import Pairs
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.training.objective.parts import ACSFParts, SamplePart, SampleParts, batches
from fastsf.training.objective.pcsf_parts import PCSFInputs, PCSFParts

Sample = tuple[SamplePart | None, ...]
"""The parts of a structure, one per element with functions, then per kind of pairs; None for what is not there."""


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
    pcsf : PCSFInputs, optional
        Pair-centred functions and how they are scaled.
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
        pcsf: PCSFInputs | None = None,
        stress: bool = False,
        memory: float | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.structures, self.stress = list(structures), stress
        self._parts: list[SampleParts] = []
        if descriptor.n_features:
            self._parts.append(ACSFParts(descriptor, scalings, stress, dtype))
        if pcsf is not None:
            self._parts.append(PCSFParts(pcsf, stress, dtype))
        self._kept: list[Sample | None] = [None] * len(self.structures)
        self._memory = float("inf") if memory is None else float(memory)
        self.kept_bytes = 0

    def fill(self) -> Iterator[int]:
        """Compute the samples that are kept; yields after each batch the number of structures that are done."""
        for batch in batches(self.structures):
            if self.kept_bytes >= self._memory:
                yield len(self.structures)
                return
            samples = self._compute([self.structures[k] for k in batch], serial=False)
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
        return self._compute([self.structures[k]], serial=True)[0] if sample is None else sample

    @property
    def kept(self) -> int:
        """Number of structures whose samples are kept."""
        return sum(sample is not None for sample in self._kept)

    def _compute(self, structures: Sequence[Structure], serial: bool) -> list[Sample]:
        found = [each.compute(structures, serial) for each in self._parts]
        return [tuple(part for parts in sample for part in parts) for sample in zip(*found, strict=True)]


def estimated_acsf_bytes(descriptor: ACSF, structures: Sequence[Structure], itemsize: int = 8) -> int:
    """Memory that the parts of atoms will take at most, from their numbers of neighbours.

    Parameters
    ----------
    descriptor : ACSF
    structures : sequence of Structure
    itemsize : int
        Bytes of a number: 8, or 4 with float32.
    """
    total, per_block = 0, 3 * descriptor.n_features * itemsize + 8
    if not descriptor.n_features:
        return 0
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
