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
        The atoms of each pair.
    kind : (m,) int64
        Index of the kind of pairs.
    values : (m, s) float64
        Symmetry functions.
    inside : (m,) bool
        Whether the pair is closer than the cutoff of its kind. Where neighbour lists have a skin, others are there
        too; their values are zero, and they have no energy.
    """

    i: IntArray
    j: IntArray
    kind: IntArray
    values: FloatArray
    inside: BoolArray
