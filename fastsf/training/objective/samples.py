"""Samples of structures: scaled symmetry functions and their derivatives by positions and strain."""

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
"""Parts of a structure: one per element with functions, then one per kind of pairs; None without such centres."""


class Samples(Sequence[Sample]):
    """Samples of structures, computed once and kept up to a memory limit; others are computed at each access.

    Several Python threads may access samples at the same time: these are computed without the parallel layer of numba.

    Parameters
    ----------
    descriptor : ACSF
        Atom-centred functions.
    scalings : mapping of symbol to Scaling
        Scalings of the elements.
    structures : sequence of Structure
        Structures of the samples.
    pcsf : PCSFInputs, optional
        Pair-centred functions and their scalings.
    stress : bool
        Also compute derivatives with respect to strain.
    memory : float, optional
        Largest memory of kept samples, bytes; all are kept if not given. Only the order decides which ones.
    dtype : dtype
        Type of the derivatives: float64, or float32 to save memory (relative errors of forces of about 1e-7).
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
        """Compute the samples that are kept; yield the number of finished structures after each batch."""
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
        """Number of kept samples."""
        return sum(sample is not None for sample in self._kept)

    def _compute(self, structures: Sequence[Structure], serial: bool) -> list[Sample]:
        found = [each.compute(structures, serial) for each in self._parts]
        return [tuple(part for parts in sample for part in parts) for sample in zip(*found, strict=True)]


def estimated_acsf_bytes(descriptor: ACSF, structures: Sequence[Structure], itemsize: int = 8) -> int:
    """Return an upper bound of the memory of the atom-centred parts, from the numbers of neighbours.

    Parameters
    ----------
    descriptor : ACSF
    structures : sequence of Structure
    itemsize : int
        Bytes of a number, 8 or (float32) 4.
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
