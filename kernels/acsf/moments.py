"""Wide angular functions with integer zeta in O(neighbours), through moments of spherical harmonics.

(1 + lambda cos)^zeta is a polynomial of the cosine, hence a sum of Legendre polynomials, and by the addition theorem::

    sum_jk g_j g_k P_l(u_j . u_k) = sum_m C_lm^2 + S_lm^2,   C_lm + i S_lm = sum_k g_k Q_lm(z_k) (x_k + i y_k)^m

with the unit vectors u = (x, y, z) and the associated Legendre functions Q_lm, freed of sin^m and normalised so that
the theorem has no further factors. The terms j = k are taken off; no terms of alternating sign are added up.
"""

import math
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, inline, kernel
from fastsf.kernels.acsf.tables import group_terms

from .. import REAL
from ..vector.simd import LANES, fma, load, splat, store, sum_lanes, sum_lanes_of_four
from .center_gradients import add_to_block, gradient_block
from .environment import R_INVERSE, R_SQUARED, X, Y, Z, aligned, lanes_of, near_block, near_lane, segment

MAX_DEGREE = 16
"""Largest zeta that may go through moments; beyond it, triplets are cheaper up to some hundred neighbours."""

_HARMONICS = ((MAX_DEGREE + 1) * (MAX_DEGREE + 2) // 2 + 1) // 2 * 2  # an even number: C and S are summed up by fours


def legendre_coefficients(exponent: int, lam: float) -> np.ndarray:
    """Return the coefficients a_l of 2^(1-n) (1 + lam c)^n = sum_l a_l P_l(c), exponent n <= MAX_DEGREE, |lam| <= 1.

    Powers of c have Legendre coefficients that are all positive, and those of one l meet powers of lam of one parity.
    """
    out = np.zeros(MAX_DEGREE + 1)
    for p in range(exponent + 1):
        scale = math.comb(exponent, p) * lam**p * 2.0 ** (1 - exponent)
        for degree in range(p, -1, -2):
            half = (p - degree) // 2
            ratio = (2 * degree + 1) * math.factorial(p) / (2**half * math.factorial(half))
            out[degree] += scale * ratio / math.prod(range(p + degree + 1, 0, -2))
    return out


def _normalised(degree, order):
    """Return the factor from Q_lm to the normalisation of the addition theorem."""
    both = 2.0 if order else 1.0
    return math.sqrt(both * math.factorial(degree - order) / math.factorial(degree + order))


def _recurrence():
    """Return, for all (m, l), m outer: Q_mm, then Q_lm = first z Q_(l-1)m + second Q_(l-2)m."""
    first, second = np.zeros((MAX_DEGREE + 1,) * 2), np.zeros((MAX_DEGREE + 1,) * 2)
    for m in range(MAX_DEGREE + 1):
        first[m, m] = _normalised(m, m) * math.prod(range(2 * m - 1, 0, -2))
        for degree in range(m + 1, MAX_DEGREE + 1):
            scale = _normalised(degree, m) / (degree - m)
            first[m, degree] = scale * (2 * degree - 1) / _normalised(degree - 1, m)
            if degree > m + 1:
                second[m, degree] = -scale * (degree + m - 1) / _normalised(degree - 2, m)
    return first, second


_FIRST, _SECOND = (table.astype(REAL) for table in _recurrence())


class Moments(NamedTuple):
    """Scratch of one thread: moments of the two neighbour elements of a group, and what is made of them."""

    lanes: np.ndarray  # (2 * harmonics * 8,) sums over the neighbours, lane by lane, C and S in turn
    first: np.ndarray  # (2 * harmonics,) moments of the first neighbour element
    second: np.ndarray  # and of the second
    weight_first: np.ndarray  # derivative of the scalar with respect to the moments of the first element
    weight_second: np.ndarray  # and of the second
    power: np.ndarray  # (MAX_DEGREE + 1,) sum over m of the products of the moments
    coefficients: np.ndarray  # (MAX_DEGREE + 1,) Legendre coefficients of a sum of functions


@allocator
def make_moments():
    """Return scratch for all groups."""
    return Moments(
        aligned(2 * _HARMONICS * LANES),
        np.empty(2 * _HARMONICS),
        np.empty(2 * _HARMONICS),
        np.empty(2 * _HARMONICS, REAL),
        np.empty(2 * _HARMONICS, REAL),
        np.empty(MAX_DEGREE + 1),
        np.empty(MAX_DEGREE + 1),
    )


@kernel
def through_moments(env, group, tables, slopes):
    """Return true if moments are cheaper than triplets for a group and the present neighbours."""
    if group.degree < 0:
        return False
    first, first_lanes = segment(env, group.first_element)
    second, second_lanes = segment(env, group.second_element)
    same = group.first_element == group.second_element
    for start, lanes in ((first, first_lanes), (second, second_lanes)):
        for k in range(start, start + lanes):
            if env.near[near_lane(k) + R_SQUARED] == 0.0:  # a neighbour without direction
                return False
    channels = group.channel_last - group.channel_first
    term_first, term_last = group_terms(tables, group)
    terms = term_last - term_first
    harmonics = (group.degree + 1) * (group.degree + 2) // 2
    if same:
        blocks, vectors = first_lanes * (first_lanes - LANES) // (2 * LANES), first_lanes // LANES
    else:
        blocks, vectors = first_lanes * second_lanes // LANES, (first_lanes + second_lanes) // LANES
    # cycles, fitted to measurements of groups of wide functions
    if slopes:
        return channels * (vectors * harmonics * 14.0 + 60.0 * harmonics) < blocks * (40.0 + 25.0 * terms)
    return channels * (vectors * harmonics * 5.0 + 30.0 * harmonics) < blocks * (25.0 + 5.0 * (channels + terms))


@inline
def _direction(env, k):
    """Return unit vectors to a block of neighbours, and 1/r."""
    base = near_block(k)
    inverse = load(env.near, base + R_INVERSE)
    x, y, z = load(env.near, base + X), load(env.near, base + Y), load(env.near, base + Z)
    return x * inverse, y * inverse, z * inverse, inverse


@kernel
def _accumulate(env, moments, slot, element, degree, out):
    """Sum up the moments of the neighbours of one element."""
    start, lanes = segment(env, element)
    zero, total = splat(0.0), (degree + 1) * (degree + 2) // 2
    for q in range((2 * total + 3) // 4 * 4):
        store(moments.lanes, q * LANES, zero)
    for k in range(start, start + lanes, LANES):
        x, y, z, _ = _direction(env, k)
        cosine, sine = load(env.factor, slot * lanes_of(env) + k), zero
        base = 0
        for m in range(degree + 1):
            current, before = splat(_FIRST[m, m]), zero
            for d in range(m, degree + 1):
                if d > m:
                    current, before = fma(current * z, _FIRST[m, d], before * _SECOND[m, d]), current
                store(moments.lanes, base, fma(current, cosine, load(moments.lanes, base)))
                store(moments.lanes, base + LANES, fma(current, sine, load(moments.lanes, base + LANES)))
                base += 2 * LANES
            cosine, sine = cosine * x - sine * y, sine * x + cosine * y
    for q in range(0, 2 * total, 4):
        a, b = load(moments.lanes, q * LANES), load(moments.lanes, (q + 1) * LANES)
        c, d = load(moments.lanes, (q + 2) * LANES), load(moments.lanes, (q + 3) * LANES)
        out[q], out[q + 1], out[q + 2], out[q + 3] = sum_lanes_of_four(a, b, c, d)


@kernel
def _self_terms(env, slot, element):
    """Sum of g^2: what the terms j = k contribute to each Legendre polynomial."""
    start, lanes = segment(env, element)
    total = splat(0.0)
    for k in range(start, start + lanes, LANES):
        g = load(env.factor, slot * lanes_of(env) + k)
        total = fma(g, g, total)
    return sum_lanes(total)


@kernel
def fill_moments(env, moments, group, channel):
    """Sum up the moments of a channel for both neighbour elements; return the sum of terms j = k of equal elements."""
    _accumulate(env, moments, channel.slot, group.first_element, group.degree, moments.first)
    own = 0.0
    if group.first_element == group.second_element:
        for q in range(len(moments.first)):
            moments.second[q] = moments.first[q]
        own = _self_terms(env, channel.slot, group.first_element)
    else:
        _accumulate(env, moments, channel.slot, group.second_element, group.degree, moments.second)
    moments.power[:] = 0.0
    base = 0
    for m in range(group.degree + 1):
        for d in range(m, group.degree + 1):
            product = moments.first[base] * moments.second[base] + moments.first[base + 1] * moments.second[base + 1]
            moments.power[d] += product
            base += 2
    return own


@kernel
def term_value(moments, group, coefficients, own):
    """Return the value of a function from the moments of its channel."""
    total = 0.0
    for d in range(group.degree + 1):
        total += coefficients[d] * (moments.power[d] - own)
    return 0.5 * total if group.first_element == group.second_element else total


@kernel
def sum_moments(env, moments, tables, group, out):
    """Add the values of the functions of a group."""
    for c in range(group.channel_first, group.channel_last):
        channel = tables.channels[c]
        own = fill_moments(env, moments, group, channel)
        for t in range(channel.term_first, channel.term_last):
            out[tables.terms[t].column] += term_value(moments, group, tables.legendre[t], own)


@kernel
def _fill_weights(moments, group, coefficients):
    base = 0
    for m in range(group.degree + 1):
        for d in range(m, group.degree + 1):
            for c in range(2):
                moments.weight_first[base + c] = coefficients[d] * moments.second[base + c]
                moments.weight_second[base + c] = coefficients[d] * moments.first[base + c]
            base += 2


@kernel
def _add_gradient(env, gradient, weights, slot, element, degree, self_weight, start_out):
    """Add the gradient of sum_lm weights_lm moments_lm - self_weight sum g^2 / 2 for the pairs of one element.

    With Phi(u) = sum_lm weights_lm Y_lm(u), the gradient of g(r) Phi(u) is g' Phi along r, and g / r times the part
    of grad Phi across it.
    """
    start, lanes = segment(env, element)
    zero = splat(0.0)
    for k in range(start, start + lanes, LANES):
        x, y, z, inverse = _direction(env, k)
        cosine, sine, below_cosine, below_sine = splat(1.0), zero, zero, zero  # (x + i y)^m and m (x + i y)^(m-1)
        phi, gx, gy, gz = zero, zero, zero, zero
        base = 0
        for m in range(degree + 1):
            current, before, slope, slope_before = splat(_FIRST[m, m]), zero, zero, zero
            sum_c, sum_s, slope_c, slope_s = zero, zero, zero, zero
            for d in range(m, degree + 1):
                if d > m:
                    a, b = _FIRST[m, d], _SECOND[m, d]
                    slope, slope_before = fma(fma(slope, z, current), a, slope_before * b), slope
                    current, before = fma(current * z, a, before * b), current
                sum_c, sum_s = fma(current, weights[base], sum_c), fma(current, weights[base + 1], sum_s)
                slope_c, slope_s = fma(slope, weights[base], slope_c), fma(slope, weights[base + 1], slope_s)
                base += 2
            phi = fma(sum_c, cosine, fma(sum_s, sine, phi))
            gz = fma(slope_c, cosine, fma(slope_s, sine, gz))
            gx = fma(sum_c, below_cosine, fma(sum_s, below_sine, gx))
            gy = fma(sum_s, below_cosine, fma(-sum_c, below_sine, gy))
            below_cosine, below_sine = cosine * (m + 1.0), sine * (m + 1.0)
            cosine, sine = cosine * x - sine * y, sine * x + cosine * y
        row = slot * lanes_of(env) + k
        g = load(env.factor, row)
        around, outward = g * inverse, fma(gz, z, fma(gy, y, gx * x))
        along = load(env.factor_slope, row) * fma(g, -self_weight, phi) - around * inverse * outward
        add_to_block(gradient, start_out + gradient_block(k), along, around * gx, around * gy, around * gz)


@kernel
def add_moment_gradients(env, moments, gradient, group, channel, coefficients, start_out):
    """Add the gradient of sum_l coefficients_l (...) to the scalar stored from `start_out` on, moments being filled."""
    _fill_weights(moments, group, coefficients)
    same = group.first_element == group.second_element
    self_weight = coefficients.sum() if same else 0.0
    slot, degree = channel.slot, group.degree
    _add_gradient(env, gradient, moments.weight_first, slot, group.first_element, degree, self_weight, start_out)
    if not same:
        _add_gradient(env, gradient, moments.weight_second, slot, group.second_element, degree, 0.0, start_out)
