"""Values of pair-centred functions of one structure."""

from __future__ import annotations

from dataclasses import dataclass

from fastsf.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PCSFValues:
    """Pair-centred functions of the pairs of a structure.

    Parameters
    ----------
    i, j : (m,) int64
        Atoms of each pair.
    kind : (m,) int64
        Index of the kind of pairs.
    values : (m, s) float64
        Symmetry functions.
    inside : (m,) bool
        True for pairs closer than the cutoff of their kind. Neighbour lists with a skin have more pairs; these have
        zeros as values and no energy.
    """

    i: IntArray
    j: IntArray
    kind: IntArray
    values: FloatArray
    inside: BoolArray
