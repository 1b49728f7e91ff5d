"""Symmetry functions of two published potentials, from compact tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from ase.units import Bohr

from fastsf.errors import InputError
from fastsf.symmetry.atoms import G2, G4, G5, SymmetryFunction
from fastsf.symmetry.entries import checked_elements
from fastsf.symmetry.factors import Cutoff
from fastsf.symmetry.sets import column_order, scale_lengths


def water_rpbe_d3(
    elements: list[str], cutoff: float | None = None, *, roles: Mapping[str, str] | None = None
) -> list[SymmetryFunction]:
    """Make the functions of the water potential of Morawietz et al., Proc. Natl. Acad. Sci. 113, 8368 (2016).

    There are 27 functions for hydrogen and 30 for oxygen, with the numbers of the published input
    file of the RPBE-D3 potential. Radial ones have eight eta; the four narrower Gaussians are
    shifted by a distance that depends on the two elements. Angular ones are narrow. The cutoff is
    tanh^3(1 - r/rc) at 12 Bohr; another `cutoff` (Å) departs from the paper. `roles` gives the
    elements in place of H and O, as ``{"O": "S"}``. Columns are in n2p2's order.
    """
    parts = _cast("water-rpbe-d3", elements, ("H", "O"), roles)
    radius = Cutoff(12.0 if cutoff is None else cutoff / Bohr, "tanh3")
    functions: list[SymmetryFunction] = []
    for (center, neighbor), shift in _WATER_SHIFTS.items():
        for eta, shifted in _WATER_RADIAL:
            functions.append(G2(parts[center], parts[neighbor], eta, radius, shift if shifted else 0.0))
    for (center, *pair), rows in _WATER_ANGULAR.items():
        for eta, zeta, lams in rows:
            functions += [G4(parts[center], [parts[e] for e in pair], eta, zeta, lam, radius) for lam in lams]
    return [scale_lengths(function, Bohr) for function in sorted(functions, key=column_order)]


_WATER_RADIAL = [
    *((eta, False) for eta in (0.001, 0.01, 0.03, 0.06)),
    *((eta, True) for eta in (0.15, 0.30, 0.60, 1.50)),
]
_WATER_SHIFTS = {("H", "H"): 1.9, ("H", "O"): 0.9, ("O", "H"): 0.9, ("O", "O"): 4.0}
_WATER_SHORT: list[tuple[float, float, tuple[float, ...]]] = [
    (0.07, 1.0, (1.0, -1.0)),
    (0.03, 1.0, (1.0, -1.0)),
    (0.01, 4.0, (1.0, -1.0)),
]
_WATER_LONG: list[tuple[float, float, tuple[float, ...]]] = [
    (0.03, 1.0, (1.0, -1.0)),
    (0.001, 4.0, (1.0, -1.0)),
]
_WATER_ANGULAR: dict[tuple[str, str, str], list[tuple[float, float, tuple[float, ...]]]] = {
    ("H", "H", "O"): [(0.2, 1.0, (1.0,)), *_WATER_SHORT],
    ("H", "O", "O"): _WATER_LONG,
    ("O", "H", "H"): _WATER_SHORT,
    ("O", "H", "O"): _WATER_LONG,
    ("O", "O", "O"): _WATER_LONG,
}


def cu2s_pbe(
    elements: list[str], cutoff: float | None = None, *, roles: Mapping[str, str] | None = None
) -> list[SymmetryFunction]:
    """Make the functions of the Cu2S potential of Singraber et al., J. Chem. Theory Comput. 15, 3075 (2019).

    There are 72 functions for sulfur and 66 for copper, with the numbers of the published input
    file. Radial ones are on the shifted grid of Gastegger et al. (2018) with 9 points, narrow and wide
    angular ones on the centred grid with 3 points. Points are from 1.5 to 5.5 Å, zeta is 1 or 6, and the
    functions that the authors left out are missing. The cutoff is poly2 at 6 Å; another `cutoff` (Å)
    departs from the paper. `roles` gives the elements in place of S and Cu, as ``{"Cu": "Ag"}``.
    Columns are in n2p2's order.
    """
    parts = _cast("cu2s-pbe", elements, ("S", "Cu"), roles)
    envelope = Cutoff(6.0 if cutoff is None else float(cutoff), "poly2")
    functions: list[SymmetryFunction] = []
    for (center, neighbor), points in _CU2S_POINTS.items():
        functions += [G2(parts[center], parts[neighbor], 2.0, envelope, rs) for rs in points]
    for (center, *pair), (narrow, wide) in _CU2S_KEPT.items():
        for build, kept in ((G4, narrow), (G5, wide)):
            for flag, (eta, zeta, lam) in zip(kept.replace(" ", ""), _CU2S_ANGULAR, strict=True):
                if flag == "x":
                    functions.append(build(parts[center], [parts[e] for e in pair], eta, zeta, lam, envelope))
    return sorted(functions, key=column_order)


_CU2S_POINTS = {
    ("S", "S"): (1.5, 2.0, 2.5),
    ("S", "Cu"): (1.5, 2.0, 2.5, 3.0),
    ("Cu", "S"): (1.5, 2.0, 2.5, 3.0, 4.0, 5.0),
    ("Cu", "Cu"): (2.0, 2.5, 3.0),
}
# 1/(2 r^2) for r = 1.5, 3.5, 5.5 Å with the four digits of the published file, then zeta, lambda.
_CU2S_ANGULAR = list(product((0.2222, 0.04082, 0.01653), (1.0, 6.0), (-1.0, 1.0)))
# Functions (x) in the narrow and in the wide set of a centre and two neighbours.
_CU2S_KEPT = {
    ("S", "S", "S"): ("xx-x xxxx xxxx", "xx-x xxxx xxxx"),
    ("S", "S", "Cu"): ("xx-x xxxx xxxx", "xxxx xxxx xxxx"),
    ("S", "Cu", "Cu"): ("-x-- xxxx xxxx", "xx-x xxxx xxxx"),
    ("Cu", "S", "S"): ("xx-x xxxx xxxx", "xx-x xxxx xxxx"),
    ("Cu", "S", "Cu"): ("---- xx-x xx-x", "xx-x xxxx xxxx"),
    ("Cu", "Cu", "Cu"): ("---- xxxx xxxx", "xx-- xxxx xxxx"),
}


def _cast(
    name: str, elements: Sequence[str], parts: tuple[str, str], roles: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the element for each part, checked against the elements of the potential."""
    given = {} if roles is None else roles
    if not isinstance(given, Mapping) or not set(given) <= set(parts):
        raise InputError(f"roles: expected elements for {' and '.join(parts)}, found {roles!r}")
    players = {part: given.get(part, part) for part in parts}
    if checked_elements(players.values()) != list(elements):
        cast = ", ".join(f"{player} as {part}" for part, player in players.items())
        raise InputError(
            f"{name}: expected the elements {' and '.join(parts)} ({cast}), found {' '.join(elements)}; "
            "name the elements in their place by the option 'roles'"
        )
    return players
