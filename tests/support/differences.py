"""Central differences, and where functions are not smooth enough for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms
from reference.assemble import neighbours

from fastsf.symmetry.atoms import Angular, SymmetryFunction
from fastsf.symmetry.factors import Cutoff, Power

STEP = 2.0**-12
"""Å; a power of two, so that displaced positions are exact."""
STENCIL = {-2: 1 / 12, -1: -8 / 12, 1: 8 / 12, 2: -1 / 12}
"""Weights of the fourth-order first derivative, by multiples of the step."""
MARGIN = 2.5 * STEP
"""Å; how far the stencil reaches, and a little."""

Create = Callable[[list[Atoms]], Sequence[np.ndarray]]


def displaced(atoms: Atoms, atom: int, axis: int, steps: int) -> Atoms:
    """Return the structure with one coordinate moved by a number of steps."""
    copy = atoms.copy()
    copy.positions[atom, axis] += steps * STEP
    return copy


def position_derivatives(create: Create, atoms: Atoms) -> np.ndarray:
    """Return d create / d positions by central differences, (rows, n, 3, s)."""
    places = [(atom, axis) for atom in range(len(atoms)) for axis in range(3)]
    results = create([displaced(atoms, *place, steps) for place in places for steps in STENCIL])
    weights = np.array(list(STENCIL.values())) / STEP
    stacked = np.asarray(results).reshape(len(atoms), 3, len(weights), *np.shape(results[0]))
    return np.einsum("axwrs,w->raxs", stacked, weights)


def strain_derivatives(energy: Callable[[Atoms], float], atoms: Atoms) -> np.ndarray:
    """Return d energy / d strain by central differences, (3, 3); r becomes (1 + strain) r, cell vectors included."""
    result = np.zeros((3, 3))
    for row in range(3):
        for column in range(3):
            for steps, weight in STENCIL.items():
                strain = np.eye(3)
                strain[row, column] += steps * STEP
                copy = atoms.copy()
                copy.set_cell(atoms.cell.array @ strain.T, scale_atoms=False)
                copy.positions = atoms.positions @ strain.T
                result[row, column] += weight / STEP * energy(copy)
    return result


def kinks(function: SymmetryFunction) -> tuple[list[float], list[float]]:
    """Return the distances (Å) and angles (radians) where a function has fewer than four continuous derivatives."""
    envelope = function.envelope
    if envelope.kind == "poly4":
        distances = []
    elif isinstance(envelope, Cutoff):
        distances = [envelope.alpha * envelope.radius] if envelope.alpha else []
        distances += [envelope.radius] if envelope.kind != "exp" else []
    else:
        distances = _bump_kinks(envelope.kind, envelope.left, envelope.right, envelope.asymmetric)
    angles: list[float] = []
    if isinstance(function, Angular) and isinstance(function.angle, Power):
        if abs(function.angle.lam) > 1 and function.angle.zeta < 5:
            angles = [math.acos(-1 / function.angle.lam)]
    elif isinstance(function, Angular):
        angles = np.radians(_bump_kinks(function.angle.kind, function.angle.left, function.angle.right)).tolist()
    return distances, angles


def _bump_kinks(kind: str, left: float, right: float, asymmetric: bool = False) -> list[float]:
    middle = 0.5 * (left + right)
    if kind == "poly4":
        return []
    if kind == "exp":
        return [middle] if asymmetric else []
    return [left, middle, right]


class Geometry(NamedTuple):
    """Distances and angles of a structure that change when an atom moves."""

    distances: np.ndarray
    angles: np.ndarray
    """Radians; 0 and 180 degrees left out: an even function of a small bend has no kink along the axes."""
    reach: np.ndarray
    """How far each angle can turn within the stencil, radians."""


def geometry(atoms: Atoms, cutoff: float) -> Geometry:
    """Return all changing distances and angles within a cutoff; those to an atom's own images are constant."""
    distances, angles, reach = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    for a, (index, vectors, _) in enumerate(neighbours(atoms, cutoff)):
        r = np.linalg.norm(vectors, axis=1)
        distances.append(r[index != a])
        j, k = np.triu_indices(len(r), 1)
        sin = np.linalg.norm(np.cross(vectors[j], vectors[k]), axis=1)
        theta = np.arctan2(sin, np.sum(vectors[j] * vectors[k], axis=1))
        changes = ((index[j] != a) | (index[k] != a)) & (np.abs(theta - np.pi / 2) < np.pi / 2 - 1e-7)
        angles.append(theta[changes])
        reach.append(MARGIN * (1 / r[j] + 1 / r[k])[changes])
    return Geometry(np.concatenate(distances), np.concatenate(angles), np.concatenate(reach))


def is_smooth_around(function: SymmetryFunction, where: Geometry) -> bool:
    """Return True if no distance or angle comes to a kink of the function within the stencil."""
    distances, angles = kinks(function)
    near = [np.abs(where.distances - kink) < MARGIN for kink in distances]
    near += [np.abs(where.angles - kink) < where.reach for kink in angles]
    return not np.any(np.concatenate(near)) if near else True


def is_smooth(function: SymmetryFunction) -> bool:
    """Return True if the function has no kink."""
    return not any(kinks(function))
