"""Factors of symmetry functions as curves.

The descriptor itself computes the curves from pairs and triplets of atoms, so that no formula is written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from fastsf.descriptors.acsf import ACSF
from fastsf.structure import Structure
from fastsf.symmetry.atoms import Angular, Radial, SymmetryFunction
from fastsf.symmetry.factors import Cutoff, Power, Window
from fastsf.symmetry.kinds import effective_parameters
from fastsf.symmetry.pcsf import PairAngular, PairRadial, PCSFunction
from fastsf.types import FloatArray

Angle = Power | Window
Factor: TypeAlias = Radial | Power | Window
_ATOM = "H"  # any element: the curves do not depend on it
_DISTANCE, _ANGLE = "distance factor", "angle factor"


@dataclass(frozen=True)
class Panel:
    """Panel of factors of the same quantity.

    Parameters
    ----------
    what : str
        Name, as "distance factor".
    of : str
        Quantity, as label of the axis.
    factors : tuple of Radial, or of Power and Window
        Distinct factors, in order of appearance.
    """

    what: str
    of: str
    factors: tuple[Factor, ...]

    @property
    def angular(self) -> bool:
        """True if the quantity is an angle."""
        return not isinstance(self.factors[0], Radial)


@dataclass(frozen=True)
class Group:
    """Group of functions of one element or kind of pairs that differ only by numbers.

    Parameters
    ----------
    family : str
        Family, as G2 or wG4.
    neighbors : tuple of str
        Neighbours, for example ("H", "O") for two groups with the same numbers, or ("H,O",) for pairs; empty for
        functions of the distance of a pair.
    panels : tuple of Panel
        One or two panels; that of an angle is the first.
    """

    family: str
    neighbors: tuple[str, ...]
    panels: tuple[Panel, ...]


def distance_factor(function: SymmetryFunction | PCSFunction, prefix: str = "") -> Radial:
    """Return the factor F(r) of a function, for a neighbour of weight one; ``pair_`` means that of the pair."""
    values = effective_parameters(function)
    own = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
    radial = {name: value for name, value in own.items() if not name.startswith("pair_")}
    return Radial(_ATOM, _ATOM, function.envelope, **radial)  # type: ignore[arg-type]


def groups(functions: Iterable[SymmetryFunction | PCSFunction]) -> list[Group]:
    """Sort the functions of an element or kind of pairs into groups; groups with the same numbers are joined.

    The distance of a pair as a function is omitted.
    """
    members: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[tuple[Factor, ...]]] = {}
    for function in functions:
        factors = _factors(function)
        neighbors = "all" if function.neighbor_elements is None else ",".join(function.neighbor_elements)
        key = function.family, neighbors, tuple((what, of) for what, of, _ in factors)
        if factors:
            members.setdefault(key, []).append(tuple(factor for *_, factor in factors))
    joined: dict[tuple[object, ...], Group] = {}
    for (family, neighbors, names), group in members.items():
        columns = (tuple(dict.fromkeys(column)) for column in zip(*group, strict=True))
        panels = tuple(Panel(*name, column) for name, column in zip(names, columns, strict=True))
        seen = joined.get((family, panels), Group(family, (), panels))
        joined[family, panels] = replace(seen, neighbors=(*seen.neighbors, *filter(None, [neighbors])))
    return list(joined.values())


def _factors(function: SymmetryFunction | PCSFunction) -> list[tuple[str, str, Factor]]:
    """Return the factors of a function: name of the factor, name of the quantity, factor."""
    if isinstance(function, Radial):
        return [(_DISTANCE, "r$_{ij}$ (Å)", distance_factor(function))]
    if isinstance(function, Angular):
        distances = "r$_{ij}$, r$_{ik}$ and r$_{jk}$ (Å)" if function.narrow else "r$_{ij}$ and r$_{ik}$ (Å)"
        angle = (_ANGLE, "angle at the centre (degrees)", function.angle)
        return [angle, (_DISTANCE, distances, distance_factor(function))]
    if function.envelope is None:
        return []
    own = distance_factor(function)
    if isinstance(function, PairRadial):
        return [(_DISTANCE, "R$_{ij}$ (Å)", own)]
    if isinstance(function, PairAngular):
        angle = (_ANGLE, f"angle at {_apex(function)} (degrees)", function.angle)
        return [angle, (_DISTANCE, "R$_{ij}$, R$_{ik}$ and R$_{jk}$ (Å)", own)]
    return [
        ("factor of the pair", "R$_{ij}$ (Å)", distance_factor(function, "pair_")),
        ("factor of the neighbours", "R$_{ik}$ or R$_{jk}$ (Å)", own),
    ]


def _apex(function: PairAngular) -> str:
    if function.apex == "both":
        return "i and at j"
    lighter, heavier = function.elements
    return "k" if function.apex == "third" or lighter == heavier else heavier


def distance_curves(factors: Iterable[Radial], r: FloatArray) -> dict[Factor, FloatArray]:
    """Evaluate factors of the distance.

    Parameters
    ----------
    factors : iterable of Radial
        Results of `distance_factor`.
    r : (p,) float64
        Distances, Å, positive.

    Returns
    -------
    dict of Radial to (p,) float64
        F(r).
    """
    distinct = list(dict.fromkeys(factors))
    dimers = [_molecule([[0.0, 0.0, 0.0], [x, 0.0, 0.0]]) for x in r]
    values = _evaluate(distinct, dimers)
    return {factor: values[factor] for factor in distinct}


def angle_curves(angles: Iterable[Angle], theta: FloatArray) -> dict[Factor, FloatArray]:
    """Evaluate factors of the angle.

    Parameters
    ----------
    angles : iterable of Power or Window
        Factors as in `fastsf.symmetry.atoms.Angular`.
    theta : (p,) float64
        Degrees.

    Returns
    -------
    dict of Power or Window to (p,) float64
        A(theta).
    """
    pair, flat = (_ATOM, _ATOM), Cutoff(10.0, "hard")
    functions = {angle: Angular(_ATOM, pair, flat, angle, narrow=False) for angle in angles}
    radians = np.radians(theta)
    triplets = [
        _molecule([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2 * c, 2 * s, 0.0]])
        for c, s in zip(np.cos(radians), np.sin(radians), strict=True)
    ]
    values = _evaluate(list(functions.values()), triplets)
    return {angle: values[function] for angle, function in functions.items()}


def _molecule(positions: list[list[float]]) -> Structure:
    return Structure.from_arrays(positions, np.zeros((3, 3)), False, [1] * len(positions))


def _evaluate(
    functions: Sequence[SymmetryFunction], structures: Sequence[Structure]
) -> dict[SymmetryFunction, FloatArray]:
    """Return the values of each function at the first atom of each structure."""
    if not functions:
        return {}
    acsf = ACSF(functions)
    values = acsf.evaluate_batch(structures).values
    first = np.cumsum([0] + [len(structure) for structure in structures[:-1]])
    return {function: values[first, column] for column, function in enumerate(acsf.columns[_ATOM])}
