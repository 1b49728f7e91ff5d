"""Bounds of the rounding errors of a symmetry function in any order of operations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastsf.symmetry.atoms import Angular, Radial
from fastsf.symmetry.factors import Cutoff, Power
from reference.acsf import angle_factor, distance_factor, opposite_factor, radial_weights, triplets


def rounding_scale(function: Radial | Angular, vectors: np.ndarray, numbers: np.ndarray) -> float:
    """Return the sum over the terms of G of the change by an error of one in a single factor.

    An implementation whose cores and angle factors have absolute errors of d (expanded polynomials lose all
    relative accuracy near their edge) is off by d times this number, to first order.
    """
    r = np.linalg.norm(vectors, axis=1)
    f = np.abs(distance_factor(function, r)[0])
    hard = Cutoff(function.envelope.radius, "hard")
    loose = np.where(f > 0, np.abs(distance_factor(replace(function, envelope=hard), r)[0]), 0.0)
    if isinstance(function, Radial):
        return float(np.sum(radial_weights(function, numbers) * loose))
    j, k, weight, cos, sin = triplets(function, vectors, numbers)
    r_jk = vectors[k] - vectors[j]
    f_jk = opposite_factor(function, r_jk)[0]
    loose_jk = np.where(f_jk > 0, opposite_factor(replace(function, envelope=hard), r_jk)[0], 0.0)
    a = angle_factor(function, cos, sin)[0]
    largest = 1.0
    if isinstance(function.angle, Power):
        largest = 2.0 ** (1.0 - function.angle.zeta) * (1.0 + abs(function.angle.lam)) ** function.angle.zeta
    by_angle = largest * f[j] * f[k] * f_jk
    by_distance = a * (loose[j] * f[k] * f_jk + f[j] * loose[k] * f_jk + f[j] * f[k] * loose_jk)
    return float(np.sum(weight * (by_angle + by_distance)))
