"""Bounds of the rounding errors of a pair-centred function; see `reference.rounding`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ase.data import atomic_numbers

from fastsf.symmetry.factors import Cutoff, Power
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial, PCSFunction
from reference.pcsf import Pair, angle, factor, pair_factor, within


def loose(function: PCSFunction, vectors: np.ndarray) -> np.ndarray:
    """Return F without its envelope, where the envelope is not zero."""
    hard = replace(function, envelope=Cutoff(function.envelope.radius, "hard"))
    return np.where(factor(function, vectors)[0] > 0, factor(hard, vectors)[0], 0.0)


def pcsf_rounding_scale(function: PCSFunction, pair: Pair) -> float:
    """Return the sum over the terms of G of the change by an error of one in a single factor."""
    if isinstance(function, PairRadial):
        if function.envelope is None:
            return float(np.linalg.norm(pair.vector))
        return float(loose(function, pair.vector[None])[0])
    if isinstance(function, PairEnvironment):
        return _of_environment(function, pair)
    return _of_angular(function, pair)


def _of_environment(function: PairEnvironment, pair: Pair) -> float:
    weight = (pair.other_numbers == atomic_numbers[function.neighbor]).astype(float)
    own = replace(function, eta=function.pair_eta, rs=function.pair_rs)
    front, loose_front = abs(pair_factor(function, pair.vector)[0]), float(loose(own, pair.vector[None])[0])
    one = np.ones(1)  # an atom-centred sum counts the other end too, which is then taken away
    sums = [(weight, pair.others), (weight, pair.others - pair.vector), (one, pair.vector[None])]
    total = sum(float(np.sum(counts * factor(function, vectors)[0])) for counts, vectors in sums)
    loose_total = sum(float(np.sum(counts * loose(function, vectors))) for counts, vectors in sums)
    return loose_front * total + front * loose_total


def _of_angular(function: PairAngular, pair: Pair) -> float:
    other = pair.others[within(function, pair)]
    sides = [np.broadcast_to(pair.vector, other.shape), other, other - pair.vector]
    f = [factor(function, side)[0] for side in sides]
    rough = [loose(function, side) for side in sides]
    a = np.abs(angle(function, pair, other).value)
    largest = 2.0 if function.apex == "both" else 1.0
    if isinstance(function.angle, Power):
        zeta, lam = function.angle.zeta, function.angle.lam
        largest *= 2.0 ** (1.0 - zeta) * (1.0 + abs(lam)) ** zeta
    by_angle = largest * f[0] * f[1] * f[2]
    by_distance = a * (rough[0] * f[1] * f[2] + f[0] * rough[1] * f[2] + f[0] * f[1] * rough[2])
    return float(np.sum(by_angle + by_distance))
