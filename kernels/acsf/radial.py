"""Factors of the distance that multiply an envelope."""

from enum import IntEnum

from fastsf.kernels._jit import inline

from ..vector.vmath import exp, sin_cos_any


class Factor(IntEnum):
    """Kinds of radial factors."""

    GAUSSIAN = 0
    COSINE = 1


@inline
def gaussian(eta, shift, r):
    """Return exp(-eta (r - shift)^2)."""
    d = r - shift
    return exp(d * d * -eta)


@inline
def gaussian_slope(eta, shift, r, g):
    """Return the derivative of the Gaussian g = exp(-eta (r - shift)^2)."""
    return (r - shift) * g * (-2.0 * eta)


@inline
def radial_factor(kind, parameter, shift, r):
    """Return a radial factor and its derivative: exp(-parameter (r - shift)^2), or cos(parameter r)."""
    if kind == Factor.COSINE:
        s, c = sin_cos_any(r * parameter)
        return c, s * -parameter
    g = gaussian(parameter, shift, r)
    return g, gaussian_slope(parameter, shift, r, g)
