"""Energies of the pairs of a structure whose atoms move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastsf.descriptors.pcsf_sums import PCSFSums
from fastsf.kernels.networks import feedforward
from fastsf.kernels.pcsf import energies as pcsf_energies
from fastsf.neighbors.pairs import Pairs
from fastsf.potentials.pcsf_term import PCSFModel
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray


class PCSFOutputs(NamedTuple):
    """Outputs of the networks of pairs for m rows: eV, eV per function, counts, and eV/Å^2 (`PCSFSums.chain`)."""

    energies: FloatArray  # (m,)
    slopes: FloatArray  # (m, s), or (m, 0) without derivatives
    outside: IntArray  # (m,)
    along: FloatArray  # (m,)


class PCSFEnergies(PCSFSums):
    """Values of pair-centred functions and energies of their networks.

    Parameters
    ----------
    model : PCSFModel
        Energies of pairs of a potential.
    pairs, species, threads
        As for `PCSFSums`.
    """

    def __init__(self, model: PCSFModel, pairs: Pairs, species: IntArray, threads: int | None = None) -> None:
        super().__init__(model.descriptor.packed, model.descriptor.n_features, pairs, species, threads)

    def predict(self, model: PCSFModel, values: FloatArray, gradient: bool = True) -> PCSFOutputs:
        """Return the energies of the pairs and their derivatives, new arrays.

        Parameters
        ----------
        model : PCSFModel
            Model of the potential, or of another one with the same functions.
        values : (m, s) float64
            Result of `values`.
        gradient : bool
            Compute the derivatives; otherwise they have no columns.
        """
        m, rows = len(values), self.rows.kernel_rows
        slopes = np.empty((m, values.shape[1] if gradient else 0))
        made = PCSFOutputs(np.empty(m), slopes, np.empty(m, dtype=np.int64), np.empty(m))
        arguments = (model.networks, values, rows.kind)
        run(self._threads, feedforward.predict_range, arguments, m, made[:3])
        given = (self._packed.tables, self.neighbors, rows, model.ends, int(model.smooth))
        run(self._threads, pcsf_energies.finish_rows_range, given, m, tuple(made))
        return made

    def share(self, made: PCSFOutputs, energies: FloatArray, outside: IntArray) -> None:
        """Add half of each energy of a pair to either atom (n,), and counts (n,) to the first atom."""
        arguments = (self.neighbors, self.rows.kernel_rows, made.energies, made.outside)
        n = len(energies)
        run(self._threads, pcsf_energies.share_range, arguments, n, (energies, outside))
