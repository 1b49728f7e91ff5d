"""The factors that symmetry functions are made of, as curves.

The curves come out of the descriptor itself, run on pairs and triplets of atoms, so that a picture shows what
is computed and no formula is written a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fastsf.descriptor import ACSF
from fastsf.structure import Structure
from fastsf.symmetry import Angular, Cutoff, Power, Radial, SymmetryFunction, Window

FloatArray = npt.NDArray[np.float64]
Angle = Power | Window
_ATOM = "H"  # any element: the curves do not depend on it


@dataclass(frozen=True)
class Group:
    """Functions of one central element that differ only by numbers.

    Parameters
    ----------
    family : str
        Such as G2 or wG4.
    neighbors : tuple of str
        What the functions look at, for example ("H", "O") for two groups of the same numbers, or ("H,O",) for
        pairs.
    radial : tuple of Radial
        Distinct factors of the distance, in order of appearance.
    angles : tuple of Power or Window
        Distinct factors of the angle; none in radial groups.
    narrow : bool
        Whether the distance between the two neighbours has its factor too.
    """

    family: str
    neighbors: tuple[str, ...]
    radial: tuple[Radial, ...]
    angles: tuple[Angle, ...]
    narrow: bool


def distance_factor(function: SymmetryFunction) -> Radial:
    """Return the factor F(r) of a function, for a neighbour of weight one."""
    kappa = function.kappa if isinstance(function, Radial) else 0.0
    return Radial(_ATOM, _ATOM, function.envelope, function.eta, function.rs if function.eta else 0.0, kappa)


def groups(functions: Iterable[SymmetryFunction]) -> list[Group]:
    """Sort the functions of one central element into groups; groups of the same numbers are joined."""
    members: dict[tuple[str, str], list[SymmetryFunction]] = {}
    for function in functions:
        members.setdefault((function.family, _neighbors(function)), []).append(function)
    joined: dict[tuple[object, ...], Group] = {}
    for (family, neighbors), group in members.items():
        radial = tuple(dict.fromkeys(distance_factor(function) for function in group))
        angles = tuple(dict.fromkeys(f.angle for f in group if isinstance(f, Angular)))
        narrow = any(isinstance(f, Angular) and f.narrow for f in group)
        key = family, radial, angles
        seen = joined.get(key, Group(family, (), radial, angles, narrow))
        joined[key] = replace(seen, neighbors=(*seen.neighbors, neighbors))
    return list(joined.values())


def _neighbors(function: SymmetryFunction) -> str:
    if isinstance(function, Radial):
        return function.neighbor or "all"
    return "all" if function.neighbors is None else ",".join(function.neighbors)


def distance_curves(factors: Iterable[Radial], r: FloatArray) -> dict[Radial, FloatArray]:
    """Evaluate factors of the distance.

    Parameters
    ----------
    factors : iterable of Radial
        From `distance_factor`.
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


def angle_curves(angles: Iterable[Angle], theta: FloatArray) -> dict[Angle, FloatArray]:
    """Evaluate factors of the angle.

    Parameters
    ----------
    angles : iterable of Power or Window
        As `fastsf.symmetry.Angular` has them.
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
    """Values of every function at the first atom of every structure."""
    if not functions:
        return {}
    acsf = ACSF(functions)
    values, _ = acsf.evaluate_batch(structures)
    first = np.cumsum([0] + [len(structure) for structure in structures[:-1]])
    return {function: values[first, column] for column, function in enumerate(acsf.columns[_ATOM])}
