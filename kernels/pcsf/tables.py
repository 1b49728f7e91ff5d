"""Layout of the packed tables of pair-centred functions; `fastsf.descriptors.pcsf_packing` fills them.

Sums over the neighbours of one atom, which pair functions have of both ends, are atom-centred radial functions with
`Tables` of their own. So are, in form, two other parts: what a pair needs of its own distance are the rows of a shell
of its kind ("distances"), triangles the narrow functions of the atom that owns the pair, whose groups also say where
the angle is.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel
from fastsf.kernels.acsf.tables import GROUP, Tables

AT_OWNER, AT_PARTNER, AT_THIRD = range(3)
"""Apex of the angle of a triangle: the atom that owns the pair, the other one, or k."""

NO_FACTOR = NO_SLOT = -1

PCSF_GROUP = np.dtype([("apex", np.int64), *GROUP.descr])
"""Triangles of pairs with a partner of the first element and a third atom of the second one, in this order."""

SLOT = np.dtype(
    [
        ("first_column", np.int64),  # sum over the neighbours of the atom whose element comes first
        ("second_column", np.int64),  # and of the other one
        ("factor", np.int64),  # row of the distances with what each partner adds to the sum of the other atom
        ("partners", np.int64),  # how many of these sums have the partner in them: 0, 1 or 2
    ]
)
"""A sum over the neighbours of both atoms except themselves."""

PCSF_TERM = np.dtype(
    [
        ("column", np.int64),
        ("factor", np.int64),  # row of the distances; NO_FACTOR for the distance itself
        ("slot", np.int64),  # sum by which that is multiplied, counted within the kind; NO_SLOT for none
    ]
)
"""A function of the distance alone, or times a sum over neighbours."""


class PCSFTables(NamedTuple):
    """Pair-centred functions of a descriptor, packed, except those of triangles."""

    kind: np.ndarray  # (elements, elements) int64: kind of pairs
    cutoff: np.ndarray  # (kinds,) float64, Å; 0 for kinds without functions
    slot_first: np.ndarray  # (kinds + 1,) int64
    slots: np.recarray  # SLOT
    term_first: np.ndarray  # (kinds + 1,) int64
    terms: np.recarray  # PCSF_TERM
    most_slots: int  # of any kind


class PCSFFunctions(NamedTuple):
    """All parts of the pair-centred functions of a descriptor except the sums over neighbours."""

    tables: PCSFTables
    distances: Tables  # factors of the distance of the pair: one shell per kind of pairs
    triangles: Tables  # functions of triangles: narrow functions of the atom that owns the pair


class PCSFRows(NamedTuple):
    """The pairs that count, each once; m rows sorted by the atoms that own them, their kinds and the list of pairs."""

    first: np.ndarray  # (n + 1,) int64: rows of an atom
    pair: np.ndarray  # (m,) int64: index in the list of pairs, from the owner to its partner
    kind: np.ndarray  # (m,) int64
    row: np.ndarray  # (p,) int64: row of each pair of the list, in both directions; -1 without a row


@kernel
def sum_column(slot, species, other):
    """Return the column of the sum over the neighbours of an atom whose partner has the element `other`."""
    return slot.first_column if species <= other else slot.second_column
