"""Activation functions of neural networks with their first and second derivatives."""

from enum import IntEnum

import numpy as np

from fastsf.kernels._jit import inline, njit
from fastsf.kernels.vector.simd import LANES, load, maximum, minimum, select, splat, store
from fastsf.kernels.vector.vmath import exp, expm1, log1p_unit, sin_cos_any


class Activation(IntEnum):
    """Kinds of activation functions; the letter is n2p2's."""

    LINEAR = 0  # l: x
    TANH = 1  # t
    LOGISTIC = 2  # s: 1 / (1 + exp(-x))
    SOFTPLUS = 3  # p: log(1 + exp(x))
    RELU = 4  # r: max(0, x)
    GAUSSIAN = 5  # g: exp(-x^2 / 2)
    COSINE = 6  # c
    REVLOGISTIC = 7  # S: 1 - 1 / (1 + exp(-x))
    EXP = 8  # e: exp(-x), with this sign
    HARMONIC = 9  # h: x^2


_SATURATION = 35.0  # of exp(-|x|), as in n2p2


@inline
def _tanh(x):
    size = minimum(350.0, maximum(x, -x))
    growth = expm1(size + size)
    inverse = 1.0 / (growth + 2.0)
    t = growth * inverse
    return select(x < 0.0, -t, t), (inverse + inverse) * (t + 1.0)  # (1 - t)(1 + t): no cancellation at t = 1


@inline
def _logistic(x):
    """Return value, slope, and exp(-|x|) where that is not negligible."""
    size = maximum(x, -x)
    e = select(size > _SATURATION, 0.0, exp(-size))
    inverse = 1.0 / (e + 1.0)
    high = inverse * e
    return select(x < 0.0, high, inverse), inverse * high, e


@inline
def activation(kind, x):
    """Return an activation function and its derivative at the vector x; NaN in x stays NaN.

    Errors are a few units in the last place, those of the cosine for |x| below about 1e5.
    """
    if kind == Activation.TANH:
        return _tanh(x)
    if kind == Activation.LINEAR:
        return x, splat(1.0)
    if kind == Activation.LOGISTIC:
        value, slope, _ = _logistic(x)
        return value, slope
    if kind == Activation.REVLOGISTIC:
        value, slope, _ = _logistic(-x)
        return value, -slope
    if kind == Activation.SOFTPLUS:
        slope, _, e = _logistic(x)
        return maximum(0.0, x) + log1p_unit(e), slope
    if kind == Activation.RELU:
        return maximum(0.0, x), select(x > 0.0, 1.0, 0.0)
    if kind == Activation.GAUSSIAN:
        value = exp(x * x * -0.5)
        return value, -x * value
    if kind == Activation.COSINE:
        sine, cosine = sin_cos_any(x)
        return cosine, -sine
    if kind == Activation.EXP:
        value = select(x < -700.0, np.inf, exp(minimum(700.0, -x)))
        return value, -value
    return x * x, x + x


@inline
def curvature(kind, x, value, slope):
    """Return the second derivative at the vector x from the results of `activation`."""
    if kind == Activation.TANH:
        return value * slope * -2.0
    if kind == Activation.LOGISTIC:
        return slope - value * slope * 2.0
    if kind == Activation.REVLOGISTIC:
        return value * slope * 2.0 - slope
    if kind == Activation.SOFTPLUS:
        _, bend, _ = _logistic(x)
        return bend
    if kind == Activation.GAUSSIAN:
        return (x * x - 1.0) * value
    if kind == Activation.COSINE:
        return -value
    if kind == Activation.EXP:
        return value
    if kind == Activation.HARMONIC:
        return splat(2.0)
    return splat(0.0)


@njit
def activate(kind, x, value, slope, bend):
    """Write function, first and second derivative at every number of x (m,), m a multiple of `LANES`."""
    for k in range(0, len(x), LANES):
        z = load(x, k)
        f, df = activation(kind, z)
        store(value, k, f)
        store(slope, k, df)
        store(bend, k, curvature(kind, z, f, df))
