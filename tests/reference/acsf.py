"""Atom-centred symmetry functions of one centre in plain NumPy, straight from the equations.

Sources: [B] Behler, J. Chem. Phys. 134, 074106 (2011), whose equations 5-9 are G1-G5; [G] Gastegger et al.,
J. Chem. Phys. 148, 241709 (2018), the element-weighted sums; [C] Bircher, Singraber and Dellago,
Mach. Learn.: Sci. Technol. 2, 035026 (2021), the compact functions; [N] the manual of n2p2, the exponential
and polynomial cutoffs and the inner plateau.

A centre is given by the vectors r_p from it to its neighbours, (p, 3), and their atomic numbers, (p,). Every
factor comes as a pair (value, derivative). Angular sums run over j < k once, where [B] prints the double sum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from ase.data import atomic_numbers

from fastsf.symmetry.atoms import Angular, Radial
from fastsf.symmetry.factors import Compact, Cutoff, Power


class Term(NamedTuple):
    """A symmetry function of one centre and its gradient."""

    value: float
    gradient: np.ndarray
    """(p, 3): dG / d r_p."""


def core(kind: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shape of a cutoff on 0 <= x < 1 and its derivative: cosine and tanh3 of [B], the others of [N]."""
    if kind == "hard":
        return np.ones_like(x), np.zeros_like(x)
    if kind == "cosine":
        return 0.5 * (1.0 + np.cos(np.pi * x)), -0.5 * np.pi * np.sin(np.pi * x)
    if kind == "tanh3":
        t = np.tanh(1.0 - x)
        return t**3, -3.0 * t**2 * (1.0 - t**2)
    if kind == "tanh3_normalized":
        value, slope = core("tanh3", x)
        return value / np.tanh(1.0) ** 3, slope / np.tanh(1.0) ** 3
    if kind == "exp":
        value = np.exp(1.0 - 1.0 / (1.0 - x**2))
        return value, -2.0 * x / (1.0 - x**2) ** 2 * value
    if kind == "poly1":
        return (1 - x) ** 2 * (1 + 2 * x), -6 * x * (1 - x)
    if kind == "poly2":
        return (1 - x) ** 3 * (1 + 3 * x + 6 * x**2), -30 * x**2 * (1 - x) ** 2
    if kind == "poly3":
        return (1 - x) ** 4 * (1 + 4 * x + 10 * x**2 + 20 * x**3), -140 * x**3 * (1 - x) ** 3
    if kind == "poly4":
        tail = 1 + 5 * x + 15 * x**2 + 35 * x**3 + 70 * x**4
        return (1 - x) ** 5 * tail, -630 * x**4 * (1 - x) ** 4
    raise NotImplementedError(f"no reference for the core {kind!r}")


def core_where(kind: str, inside: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `core` where `inside`, and zero elsewhere."""
    value, slope = np.zeros(x.shape), np.zeros(x.shape)
    value[inside], slope[inside] = core(kind, x[inside])
    return value, slope


def cutoff_function(cutoff: Cutoff, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return fc(r) with its inner plateau; zero for r >= radius, the edge included."""
    plateau = cutoff.alpha * cutoff.radius
    width = cutoff.radius - plateau
    value, slope = core_where(cutoff.kind, r < cutoff.radius, np.maximum(r - plateau, 0.0) / width)
    return value, slope / width


def bump(kind: str, left: float, right: float, asymmetric: bool, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the compact function of [C]: core of the distance from the middle in half widths, zero outside."""
    half = 0.5 * (right - left)
    offset = (x - 0.5 * (left + right)) / half
    y, dy = np.abs(offset), np.sign(offset) / half
    inside = (left < x) & (x < right)
    if asymmetric:
        y, dy = (2.0 - y) * y, (2.0 - 2.0 * y) * dy
    value, slope = core_where(kind, inside & (y < 1.0), y)
    return value, slope * dy


def distance_factor(function: Radial | Angular, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F(r) and F'(r): envelope times Gaussian ([B] 6), or times cosine ([B] 7)."""
    envelope = function.envelope
    if isinstance(envelope, Cutoff):
        limit, limit_slope = cutoff_function(envelope, r)
    elif isinstance(envelope, Compact):
        limit, limit_slope = bump(envelope.kind, envelope.left, envelope.right, envelope.asymmetric, r)
    else:
        raise NotImplementedError(f"no reference for the envelope {envelope!r}")
    gauss = np.exp(-function.eta * (r - function.rs) ** 2)
    gauss_slope = -2.0 * function.eta * (r - function.rs) * gauss
    kappa = function.kappa if isinstance(function, Radial) else 0.0
    wave, wave_slope = np.cos(kappa * r), -kappa * np.sin(kappa * r)
    slope = limit_slope * gauss * wave + limit * gauss_slope * wave + limit * gauss * wave_slope
    return limit * gauss * wave, slope


def angle_factor(function: Angular, cos: np.ndarray, sin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return A(theta) and dA/dcos(theta): [B] 8 and 9, or the angular window of [C].

    The slope of a window is set to zero where sin(theta) = 0, where every allowed window is flat.
    """
    angle = function.angle
    if isinstance(angle, Power):
        base = 1.0 + angle.lam * cos
        positive = base > 0.0
        prefactor = 2.0 ** (1.0 - angle.zeta)
        value, slope = np.zeros_like(base), np.zeros_like(base)
        value[positive] = prefactor * base[positive] ** angle.zeta
        slope[positive] = prefactor * angle.zeta * angle.lam * base[positive] ** (angle.zeta - 1.0)
        return value, slope
    theta = np.arctan2(sin, cos)
    left, right = np.radians(angle.left), np.radians(angle.right)
    value, slope = bump(angle.kind, left, right, False, theta)
    return value, np.divide(-slope, sin, out=np.zeros_like(slope), where=sin > 0.0)


def radial_weights(function: Radial, numbers: np.ndarray) -> np.ndarray:
    """Return one for the neighbour element of the function ([B]), or the atomic number of any neighbour ([G])."""
    if function.neighbor is None:
        return numbers.astype(float)
    return (numbers == atomic_numbers[function.neighbor]).astype(float)


def radial(function: Radial, vectors: np.ndarray, numbers: np.ndarray) -> Term:
    """Return G = sum_j w_j F(r_ij), [B] 5-7."""
    weight = radial_weights(function, numbers)
    r = np.linalg.norm(vectors, axis=1)
    value, slope = distance_factor(function, r)
    return Term(float(np.sum(weight * value)), (weight * slope / r)[:, None] * vectors)


def pair_weights(function: Angular, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return one for neighbours of the elements of the function ([B]), or Z_j Z_k ([G])."""
    if function.neighbors is None:
        return (first * second).astype(float)
    a, b = (atomic_numbers[symbol] for symbol in function.neighbors)
    return (((first == a) & (second == b)) | ((first == b) & (second == a))).astype(float)


class Triplets(NamedTuple):
    """The pairs j < k of neighbours that can contribute, t of them; the angle is that between r_j and r_k."""

    j: np.ndarray
    k: np.ndarray
    weight: np.ndarray
    cos: np.ndarray
    sin: np.ndarray


def triplets(function: Angular, vectors: np.ndarray, numbers: np.ndarray) -> Triplets:
    """Return pairs of neighbours of the right elements within reach of the function."""
    r = np.linalg.norm(vectors, axis=1)
    near = np.flatnonzero(r < function.envelope.radius)
    first, second = np.triu_indices(len(near), 1)
    j, k = near[first], near[second]
    weight = pair_weights(function, numbers[j], numbers[k])
    j, k, weight = j[weight > 0], k[weight > 0], weight[weight > 0]
    unit = vectors / r[:, None]
    sin = np.linalg.norm(np.cross(unit[j], unit[k]), axis=1)
    return Triplets(j, k, weight, np.sum(unit[j] * unit[k], axis=1), sin)


def opposite_factor(function: Angular, r_jk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F(|r_jk|) and its gradient with respect to r_jk (t, 3); one and zero for the wide functions ([B] 9)."""
    if not function.narrow:
        return np.ones(len(r_jk)), np.zeros_like(r_jk)
    distance = np.linalg.norm(r_jk, axis=1)
    value, slope = distance_factor(function, distance)
    return value, (slope / distance)[:, None] * r_jk


def angular(function: Angular, vectors: np.ndarray, numbers: np.ndarray) -> Term:
    """Return G = sum_{j<k} w_j w_k A(theta) F(r_ij) F(r_ik) [F(r_jk)], [B] 8 (narrow) and 9 (wide)."""
    j, k, weight, cos, sin = triplets(function, vectors, numbers)
    r = np.linalg.norm(vectors, axis=1)
    unit = vectors / r[:, None]
    f, df = distance_factor(function, r)
    f_jk, df_jk = opposite_factor(function, vectors[k] - vectors[j])
    a, da = angle_factor(function, cos, sin)

    dcos_j = (unit[k] - cos[:, None] * unit[j]) / r[j, None]
    dcos_k = (unit[j] - cos[:, None] * unit[k]) / r[k, None]
    by_cos = (weight * da * f[j] * f[k] * f_jk)[:, None]
    by_j = (weight * a * df[j] * f[k] * f_jk)[:, None] * unit[j]
    by_k = (weight * a * f[j] * df[k] * f_jk)[:, None] * unit[k]
    by_jk = (weight * a * f[j] * f[k])[:, None] * df_jk
    gradient = np.zeros_like(vectors)
    np.add.at(gradient, j, by_cos * dcos_j + by_j - by_jk)
    np.add.at(gradient, k, by_cos * dcos_k + by_k + by_jk)
    return Term(float(np.sum(weight * a * f[j] * f[k] * f_jk)), gradient)


def evaluate(function: Radial | Angular, vectors: np.ndarray, numbers: np.ndarray) -> Term:
    """Return a symmetry function of the centre whose neighbours are given, and its gradient."""
    if isinstance(function, Radial):
        return radial(function, vectors, numbers)
    if isinstance(function, Angular):
        return angular(function, vectors, numbers)
    raise NotImplementedError(f"no reference for {function!r}")
