"""Layout of the packed tables that drive the kernels; `fastsf.descriptors.packing` fills them.

The functions of one central element are sorted into shells, sets of neighbours: one for each envelope, so that its
range, its cutoff function and its derivative are worked out once per neighbour for all functions that share it, and
one for the wide angular functions of an element that have several envelopes, a section for each. Inside a shell, rows
hold F(r) = envelope * radial factor of the neighbours; radial functions are sums of a row, angular functions run over
the pairs of a group (two neighbour elements) and its channels (one row each), and differ by the angle factor (terms).
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel

MAX_POWER = 7
"""Largest exponent for which angle factors are summed up as powers of the cosine; beyond it, digits would cancel."""

POWERS = MAX_POWER + 1
"""Coefficients of a polynomial of the cosine."""

ALL = -1
"""Neighbour element of weighted functions, which run over all neighbours."""

SHELL = np.dtype(
    [
        ("r_min", np.float64),  # Å: range of the envelopes, r_min < r < r_max
        ("r_max", np.float64),
        ("section_first", np.int64),
        ("section_last", np.int64),
        ("radial_first", np.int64),
        ("radial_last", np.int64),
        ("group_first", np.int64),
        ("group_last", np.int64),
        ("wide_first", np.int64),
        ("wide_last", np.int64),
    ]
)

SECTION = np.dtype(
    [
        ("core", np.int64),
        ("form", np.int64),
        ("center", np.float64),  # Å
        ("inverse_width", np.float64),  # 1/Å
        ("r_min", np.float64),  # Å: range of the envelope, r_min < r < r_max
        ("r_max", np.float64),
        ("row_first", np.int64),
        ("row_last", np.int64),
    ]
)

ROW = np.dtype(
    [
        ("slot", np.int64),  # storage of the row; rows of different elements may share a slot
        ("element", np.int64),  # neighbour element, or ALL
        ("factor", np.int64),
        ("parameter", np.float64),  # eta (1/Å^2) or kappa (1/Å)
        ("shift", np.float64),  # Å
        ("weighted", np.int64),
        ("multiple", np.int64),  # eta / eta of the last row before with multiple 0, and the same shift and element
    ]
)

RADIAL = np.dtype([("column", np.int64), ("slot", np.int64), ("element", np.int64)])

GROUP = np.dtype(
    [
        ("first_element", np.int64),  # <= second_element; ALL for weighted functions
        ("second_element", np.int64),
        ("shifted", np.int64),  # some of its channels have a shift
        ("windowed", np.int64),  # some of its functions are windows of the angle
        ("channel_first", np.int64),
        ("channel_last", np.int64),
    ]
)

WIDE = np.dtype(
    [
        ("first_element", np.int64),  # as in narrow groups
        ("second_element", np.int64),
        ("windowed", np.int64),
        ("degree", np.int64),  # largest exponent if all its functions can go through moments, else -1
        ("channel_first", np.int64),
        ("channel_last", np.int64),
        ("angle_first", np.int64),  # the different angle factors of its functions
        ("angle_last", np.int64),
    ]
)

CHANNEL = np.dtype(
    [
        ("slot", np.int64),
        ("eta", np.float64),
        ("shift", np.float64),
        ("source", np.int64),  # channel of the group whose eta divides this one's, with the same shift
        ("multiple", np.int64),  # eta / that one's eta if that is an integer, else 0
        ("term_first", np.int64),
        ("term_last", np.int64),
        ("degree", np.int64),  # of its functions as polynomials of the cosine; -1 unless all are, up to MAX_POWER
        ("eta_slope", np.float64),  # -2 eta
        ("shift_slope", np.float64),  # 2 eta shift
    ]
)

TERM = np.dtype(
    [
        ("column", np.int64),
        ("angle", np.int64),  # number of its angle factor in a wide group
        ("kind", np.int64),
        ("exponent", np.int64),  # zeta where it is an integer
        ("zeta", np.float64),
        ("lam", np.float64),
        ("norm", np.float64),  # 2^(1-zeta)
        ("slope", np.float64),  # zeta * lambda
        ("core", np.int64),  # windows
        ("center", np.float64),  # rad
        ("inverse_width", np.float64),  # 1/rad
    ]
)


class Tables(NamedTuple):
    """All functions of a descriptor, packed."""

    shell_first: np.ndarray  # (elements + 1,) int64: shells of a central element
    shells: np.recarray  # SHELL
    sections: np.recarray  # SECTION
    rows: np.recarray  # ROW
    radials: np.recarray  # RADIAL
    groups: np.recarray  # GROUP: narrow angular functions
    wide: np.recarray  # WIDE
    channels: np.recarray  # CHANNEL
    terms: np.recarray  # TERM
    angles: np.recarray  # TERM: angle factors of wide groups
    weights: np.ndarray  # (elements,) float64: atomic numbers
    powers: np.ndarray  # (terms * POWERS,) float64: coefficients of the powers of the cosine
    legendre: np.ndarray  # (terms, MAX_DEGREE + 1) float64: Legendre coefficients of the angle factors
    slots: int  # rows of storage that the largest shell needs


class Neighbors(NamedTuple):
    """Pairs of all atoms, sorted by centre."""

    start: np.ndarray  # (n + 1,) int64
    neighbor: np.ndarray  # (p,) int64
    vector: np.ndarray  # (p, 3) float64, r_j - r_i, Å
    species: np.ndarray  # (n,) int64 element index of each atom


GRADIENT, VIRIAL, SUMS = 0, 3, 12
"""Columns of the sums over the pairs p of an atom: sum_p g_p (3), the rows of sum_p r_p (x) g_p (9); their number."""


@kernel
def group_terms(tables, group):
    """Return the first term of a group of angular functions, and the one after its last."""
    first = tables.channels[group.channel_first].term_first
    return first, tables.channels[group.channel_last - 1].term_last
