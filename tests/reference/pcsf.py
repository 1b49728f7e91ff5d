"""Pair-centred symmetry functions of one pair in plain NumPy, straight from the equations.

Source: Jose, Artrith and Behler, J. Chem. Phys. 136, 194111 (2012), with any envelope and shifted Gaussians in F(r), as
`reference.acsf` has it, in place of exp(-eta r^2) fc(r).

The first atom is at the origin, the second at R. Others (p, 3) are all atoms within reach of either, except the two.
Functions depend on R and on others only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from ase.data import atomic_numbers

from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial, PCSFunction
from reference.acsf import angle_factor, distance_factor


class Pair(NamedTuple):
    """Two atoms and their surroundings."""

    vector: np.ndarray
    """(3,): R."""
    numbers: np.ndarray
    """(2,): atomic numbers of the first and the second atom."""
    others: np.ndarray
    """(p, 3): from the first atom."""
    other_numbers: np.ndarray
    """(p,)."""


class PairTerm(NamedTuple):
    """A symmetry function of one pair and its gradients."""

    value: float
    by_vector: np.ndarray
    """(3,): dG / dR."""
    by_others: np.ndarray
    """(p, 3)."""


def factor(function: PCSFunction, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F(|v|), and its gradient with respect to v (p, 3)."""
    r = np.linalg.norm(vectors, axis=1)
    value, slope = distance_factor(function, r)
    return value, (slope / r)[:, None] * vectors


def pair_factor(function: PairEnvironment, vector: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the factor of Rij, whose Gaussian has its own eta and shift, and its gradient."""
    value, slope = factor(replace(function, eta=function.pair_eta, rs=function.pair_rs), vector[None])
    return float(value[0]), slope[0]


def radial(function: PairRadial, pair: Pair) -> PairTerm:
    """Return F(Rij), or Rij itself."""
    if function.envelope is None:
        r = float(np.linalg.norm(pair.vector))
        return PairTerm(r, pair.vector / r, np.zeros_like(pair.others))
    value, slope = factor(function, pair.vector[None])
    return PairTerm(float(value[0]), slope[0], np.zeros_like(pair.others))


def environment(function: PairEnvironment, pair: Pair) -> PairTerm:
    """Return the factor of Rij times [sum_k F(Rik) + sum_k F(Rjk)]."""
    weight = (pair.other_numbers == atomic_numbers[function.neighbor]).astype(float)
    first, by_first = factor(function, pair.others)
    second, by_second = factor(function, pair.others - pair.vector)
    total = float(np.sum(weight * (first + second)))
    front, slope = pair_factor(function, pair.vector)
    by_others = front * weight[:, None] * (by_first + by_second)
    by_vector = slope * total - front * np.sum(weight[:, None] * by_second, axis=0)
    return PairTerm(front * total, by_vector, by_others)


class AngleTerm(NamedTuple):
    """Factor of an angle and its gradients with respect to R and to the third atom, t of them."""

    value: np.ndarray
    by_vector: np.ndarray
    by_other: np.ndarray


def between(function: PairAngular, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A of the angle between u and v (t, 3), and its gradients with respect to both."""
    ru, rv = np.linalg.norm(u, axis=1)[:, None], np.linalg.norm(v, axis=1)[:, None]
    cos = np.sum(u * v, axis=1) / (ru * rv)[:, 0]
    sin = np.linalg.norm(np.cross(u, v), axis=1) / (ru * rv)[:, 0]
    value, slope = angle_factor(function, cos, sin)
    by_u = slope[:, None] * (v / rv - cos[:, None] * u / ru) / ru
    by_v = slope[:, None] * (u / ru - cos[:, None] * v / rv) / rv
    return value, by_u, by_v


def at_first(function: PairAngular, vector: np.ndarray, other: np.ndarray) -> AngleTerm:
    """Return the angle j-i-k."""
    value, by_vector, by_other = between(function, np.broadcast_to(vector, other.shape), other)
    return AngleTerm(value, by_vector, by_other)


def at_second(function: PairAngular, vector: np.ndarray, other: np.ndarray) -> AngleTerm:
    """Return the angle i-j-k."""
    value, by_back, by_out = between(function, np.broadcast_to(-vector, other.shape), other - vector)
    return AngleTerm(value, -by_back - by_out, by_out)


def at_third(function: PairAngular, vector: np.ndarray, other: np.ndarray) -> AngleTerm:
    """Return the angle i-k-j."""
    value, by_first, by_second = between(function, -other, vector - other)
    return AngleTerm(value, by_second, -by_first - by_second)


def angle(function: PairAngular, pair: Pair, other: np.ndarray) -> AngleTerm:
    """Return A(alpha) at the atom that `apex` names."""
    first, second = pair.numbers
    if function.apex == "both":
        terms = at_first(function, pair.vector, other), at_second(function, pair.vector, other)
        return AngleTerm(*(a + b for a, b in zip(*terms, strict=True)))
    if function.apex == "third" or first == second:
        return at_third(function, pair.vector, other)
    return (at_first if first > second else at_second)(function, pair.vector, other)


def within(function: PairAngular, pair: Pair) -> np.ndarray:
    """Return the indices of the third atoms: of the right element, within the radius of both ends."""
    to_first = np.linalg.norm(pair.others, axis=1)
    to_second = np.linalg.norm(pair.others - pair.vector, axis=1)
    near = np.maximum(to_first, to_second) < function.envelope.radius
    return np.flatnonzero(near & (pair.other_numbers == atomic_numbers[function.neighbor]))


def angular(function: PairAngular, pair: Pair) -> PairTerm:
    """Return F(Rij) sum_k A(alpha) F(Rik) F(Rjk)."""
    chosen = within(function, pair)
    other = pair.others[chosen]
    f, df = factor(function, pair.vector[None])
    f_ik, df_ik = factor(function, other)
    f_jk, df_jk = factor(function, other - pair.vector)
    a = angle(function, pair, other)

    terms = a.value * f_ik * f_jk
    by_other = (f_ik * f_jk)[:, None] * a.by_other
    by_other += (a.value * f_jk)[:, None] * df_ik + (a.value * f_ik)[:, None] * df_jk
    by_vector = (f_ik * f_jk)[:, None] * a.by_vector - (a.value * f_ik)[:, None] * df_jk
    by_others = np.zeros_like(pair.others)
    by_others[chosen] = f[0] * by_other
    return PairTerm(float(f[0] * np.sum(terms)), df[0] * np.sum(terms) + f[0] * by_vector.sum(axis=0), by_others)


def evaluate(function: PCSFunction, pair: Pair) -> PairTerm:
    """Return a symmetry function of a pair, and its gradients."""
    if isinstance(function, PairRadial):
        return radial(function, pair)
    if isinstance(function, PairEnvironment):
        return environment(function, pair)
    if isinstance(function, PairAngular):
        return angular(function, pair)
    raise NotImplementedError(f"no reference for {function!r}")
