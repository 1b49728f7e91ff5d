"""Functions that vanish smoothly: cores on [0, 1], and the envelopes of r that are made of them."""

import math
from enum import IntEnum

from fastsf.kernels._jit import inline

from ..vector.simd import fma, maximum, select, splat
from ..vector.vmath import exp, sin_cos, tanh_unit


class Core(IntEnum):
    """Shapes of x in [0, 1]; numbered as the cutoff types of n2p2."""

    HARD = 0
    COSINE = 1
    TANH3 = 2
    TANH3_NORMALIZED = 3
    EXP = 4
    POLY1 = 5
    POLY2 = 6
    POLY3 = 7
    POLY4 = 8


class Shape(IntEnum):
    """Positions of a core on the r axis."""

    CUTOFF = 0  # 1 (or the core's start) up to `center`, zero at center + width
    COMPACT = 1  # symmetric bump about `center` with half width `width`
    COMPACT_ASYMMETRIC = 2  # the same, with y replaced by (2 - y) y


_TANH1_CUBED = math.tanh(1.0) ** 3
_SMALLEST_GAP = 1.0 / 700.0  # below it, exp(1 - 1/gap) is zero to every digit


@inline
def core(kind, x):
    """Return a core function and its derivative at the vector x, 0 <= x <= 1, without cancellation at x = 1.

    Behler 2007 and 2011 (cosine, tanh3); n2p2's manual (the others): ``poly<k>`` is the polynomial of lowest degree
    with k continuous derivatives at both ends.
    """
    if kind == Core.COSINE:
        s, c = sin_cos((1.0 - x) * (0.5 * math.pi))
        return s * s, s * c * -math.pi
    if kind == Core.TANH3 or kind == Core.TANH3_NORMALIZED:
        t = tanh_unit(1.0 - x)
        scale = 1.0 if kind == Core.TANH3 else 1.0 / _TANH1_CUBED
        square = t * t * scale
        return square * t, fma(square * t, t, -square) * 3.0
    if kind == Core.EXP:
        gap = maximum(fma(-x, x, 1.0), _SMALLEST_GAP)
        inverse = 1.0 / gap
        f = exp(1.0 - inverse)
        return f, x * f * (inverse * inverse) * -2.0
    x2 = x * x
    y = 1.0 - x
    y2 = y * y
    if kind == Core.POLY1:
        return y2 * fma(x, 2.0, 1.0), x * y * -6.0
    if kind == Core.POLY2:
        return y2 * y * fma(fma(x, 6.0, 3.0), x, 1.0), x2 * y2 * -30.0
    if kind == Core.POLY3:
        return y2 * y2 * fma(fma(fma(x, 20.0, 10.0), x, 4.0), x, 1.0), x2 * x * y2 * y * -140.0
    if kind == Core.POLY4:
        p = fma(fma(fma(fma(x, 70.0, 35.0), x, 15.0), x, 5.0), x, 1.0)
        return y2 * y2 * y * p, x2 * x2 * (y2 * y2) * -630.0
    return splat(1.0), splat(0.0)


@inline
def envelope(kind, shape, center, inverse_width, r):
    """Return an envelope and its derivative at the vector r, which must lie inside the range of the envelope."""
    x = (r - center) * inverse_width
    size = maximum(x, -x)
    slope = select(x < 0.0, -inverse_width, inverse_width)
    if shape == Shape.CUTOFF:
        size = maximum(x, 0.0)
        slope = select(x > 0.0, inverse_width, 0.0)
    elif shape == Shape.COMPACT_ASYMMETRIC:
        slope = slope * ((1.0 - size) * 2.0)
        size = (2.0 - size) * size
    f, df = core(kind, size)
    return f, df * slope
