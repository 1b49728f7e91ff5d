"""Factors of the angle at the centre, as functions of its cosine."""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import inline

from ..vector.simd import fma, inverse_sqrt, maximum, minimum, power, select
from ..vector.vmath import acos, integer_power
from .cutoffs import core


class Angle(IntEnum):
    """Kinds of angle factors."""

    INTEGER_POWER = 0
    REAL_POWER = 1
    WINDOW = 2


class AngleTerm(NamedTuple):
    """Row of the term table for `angle_factor`, as values, which loops that store keep in registers."""

    kind: int
    exponent: int
    zeta: float
    lam: float
    norm: float
    slope: float
    core: int
    center: float
    inverse_width: float


_COLLINEAR = 1e-7  # rad: an even window is flat to 1e-14 there, and its slope over the sine has its limit


def power_coefficients(exponent: int, lam: float) -> np.ndarray:
    """Return the coefficients of 2^(1-n) (1 + lam c)^n by powers of c."""
    return np.array([math.comb(exponent, p) * lam**p * 2.0 ** (1 - exponent) for p in range(exponent + 1)])


@inline
def angle(c):
    """Return the angle (radians) of the cosine c and 1 / its sine, which windows need."""
    theta = minimum(maximum(acos(c), _COLLINEAR), math.pi - _COLLINEAR)
    return theta, inverse_sqrt(maximum(fma(-c, c, 1.0), _COLLINEAR * _COLLINEAR))


@inline
def window(kind, center, inverse_width, theta, inverse_sine):
    """Return a compact bump of the angle and its derivative with respect to the cosine."""
    x = (theta - center) * inverse_width
    y = maximum(x, -x)
    inside = y < 1.0
    f, df = core(kind, minimum(y, 1.0))
    slope = select(x < 0.0, inverse_width, -inverse_width)
    return select(inside, f, 0.0), select(inside, df * slope * inverse_sine, 0.0)


@inline
def angle_term(term, kind, core):
    """Return the values of a row of the term table; a constant kind and core leave no choice to a loop."""
    return AngleTerm(
        kind,
        term.exponent,
        term.zeta,
        term.lam,
        term.norm,
        term.slope,
        core,
        term.center,
        term.inverse_width,
    )


@inline
def power_base(lam, c):
    """Return 1 + lambda c, or zero where that is negative."""
    return maximum(fma(c, lam, 1.0), 0.0)


@inline
def angle_factor(term, c, theta, inverse_sine):
    """Return the angle factor of a row of the term table and its derivative with respect to the cosine c.

    2^(1-zeta) (1 + lambda c)^zeta, zero where 1 + lambda c <= 0 (Behler 2011, equations 8 and 9), or a window, the
    only one that needs theta and 1 / sin(theta).
    """
    if term.kind == Angle.WINDOW:
        return window(term.core, term.center, term.inverse_width, theta, inverse_sine)
    base = power_base(term.lam, c)
    inside = base > 0.0
    if term.kind == Angle.INTEGER_POWER:
        below = integer_power(base, term.exponent - 1) * term.norm
        return below * base, select(inside, below * term.slope, 0.0)
    value = power(base, term.zeta) * term.norm
    return value, select(inside, value / base * term.slope, 0.0)
