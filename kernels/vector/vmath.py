"""Elementary functions of `simd` vectors by polynomials: no libm call in an inner loop.

Coefficients are Chebyshev interpolants in 50-digit arithmetic, rounded once; relative errors against the exact
function stay below 4 ulp on the stated domains (tests/test_vmath.py).
"""

import numpy as np

from fastsf.kernels._jit import inline

from .. import REAL
from .simd import MANTISSA_BITS, exp2_scale, fma, maximum, select, splat, sqrt

_ROUND = 1.5 * 2.0**MANTISSA_BITS  # adding it leaves the nearest integer in the low mantissa bits
_LOG2_E = 1.4426950408889634
_LN2 = 0.6931471805599453
_HALF_PI = 1.5707963267948966
if np.float64 == REAL:
    _LEAST = -700.0  # its exponential is not far from the smallest number
    _LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # few bits, and the rest
    _PI, _PI_LOW = 3.141592653589793, 1.2246467991473532e-16
else:
    _LEAST = -87.0
    _LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
    _PI, _PI_LOW = 3.1415927410125732, -8.742278e-8


@inline
def _reduced_exp(x):
    """Return (p, n + _ROUND) with exp(x) = 2^n (1 + p), for |x| <= 700."""
    shifted = fma(x, _LOG2_E, _ROUND)
    n = shifted - _ROUND
    r = fma(n, -_LN2_HIGH, x)
    r = fma(n, -_LN2_LOW, r)
    r2 = r * r
    even = fma(r2, 1 / 479001600.0, 1 / 3628800.0)
    odd = fma(r2, 1 / 39916800.0, 1 / 362880.0)
    even = fma(even, r2, 1 / 40320.0)
    odd = fma(odd, r2, 1 / 5040.0)
    even = fma(even, r2, 1 / 720.0)
    odd = fma(odd, r2, 1 / 120.0)
    even = fma(even, r2, 1 / 24.0)
    odd = fma(odd, r2, 1 / 6.0)
    even = fma(even, r2, 0.5)
    tail = fma(odd, r, even)
    return fma(tail, r2, r), shifted


@inline
def exp(x):
    """Return exp(x) for x <= 700; arguments below -700 give exp(-700)."""
    p, shifted = _reduced_exp(maximum(_LEAST, x))  # in this order NaN stays NaN
    return exp2_scale(p + 1.0, shifted)


@inline
def expm1(x):
    """Return exp(x) - 1 for |x| <= 700, without cancellation at x = 0."""
    p, shifted = _reduced_exp(x)
    scale = exp2_scale(splat(1.0), shifted)
    return fma(p, scale, scale - 1.0)


@inline
def log1p_unit(x):
    """Return log(1 + x) for 0 <= x <= 1."""
    high = x > 0.41421356237309515  # in this range log(1 + x) = log 2 + log(1 + (x - 1) / 2)
    f = select(high, (x - 1.0) * 0.5, x)
    s = f / (f + 2.0)
    z = s * s
    p = fma(z, 0.07405091024414698, 0.07656241518945185)
    p = fma(p, z, 0.09091816682459568)
    p = fma(p, z, 0.11111098512873972)
    p = fma(p, z, 0.14285714380465817)
    p = fma(p, z, 0.1999999999965053)
    p = fma(p, z, 0.33333333333333826)
    s = s + s
    return fma(p * z, s, s) + select(high, _LN2, 0.0)


@inline
def sin_cos(x):
    """Return (sin x, cos x) for |x| <= pi/2."""
    z = x * x
    s = fma(z, 2.7215749422983443e-15, -7.643026557971632e-13)
    c = fma(z, 1.5169166967261124e-16, -4.777404889695354e-14)
    s = fma(s, z, 1.605894087848656e-10)
    c = fma(c, z, 1.147069401087498e-11)
    s = fma(s, z, -2.505210689056952e-08)
    c = fma(c, z, -2.0876756238770223e-09)
    s = fma(s, z, 2.7557319211229606e-06)
    c = fma(c, z, 2.7557319217593045e-07)
    s = fma(s, z, -0.00019841269841208676)
    c = fma(c, z, -2.4801587301556646e-05)
    s = fma(s, z, 0.008333333333333186)
    c = fma(c, z, 0.0013888888888888816)
    s = fma(s, z, -0.16666666666666666)
    c = fma(c, z, -0.041666666666666664)
    c = fma(c, z, 0.5)
    return fma(s * z, x, x), fma(-c, z, 1.0)


@inline
def sin_cos_any(x):
    """Return (sin x, cos x) for |x| below about 1e5, by reduction to |x| <= pi/2."""
    shifted = fma(x, 1 / _PI, _ROUND)
    n = shifted - _ROUND
    r = fma(n, -_PI, x)
    r = fma(n, -_PI_LOW, r)
    s, c = sin_cos(r)
    half = n * 0.5
    remainder = half - ((half + _ROUND) - _ROUND)  # 0 for even n, +-1/2 for odd n
    flip = fma(remainder * remainder, -8.0, 1.0)
    return s * flip, c * flip


@inline
def tanh_unit(x):
    """Return tanh(x) for 0 <= x <= 1."""
    z = x * x
    z2 = z * z
    even = fma(z2, 1.828625739978947e-07, 9.125953596264835e-06)
    odd = fma(z2, -1.8226646212654275e-06, -3.1803378030411946e-05)
    even = fma(even, z2, 9.079348448432776e-05)
    odd = fma(odd, z2, -0.00023540928172731117)
    even = fma(even, z2, 0.0005883602826886761)
    odd = fma(odd, z2, -0.0014552898065417585)
    even = fma(even, z2, 0.0035920010315266884)
    odd = fma(odd, z2, -0.008863215065207559)
    even = fma(even, z2, 0.021869486371314823)
    odd = fma(odd, z2, -0.053968253829690074)
    even = fma(even, z2, 0.13333333332866987)
    odd = fma(odd, z2, -0.33333333333327114)
    even = fma(even, z2, 0.9999999999999999)
    return fma(odd, z, even) * x


@inline
def acos(x):
    """Return acos(x) for -1 <= x <= 1."""
    size = maximum(x, -x)
    outer = size > 0.5
    z = select(outer, (1.0 - size) * 0.5, size * size)
    s = select(outer, sqrt(z), size)
    p = fma(z, 0.03187962140081284, -0.016187392271599134)
    p = fma(p, z, 0.019513468251252167)
    p = fma(p, z, 0.0065293020047365695)
    p = fma(p, z, 0.012170138592391726)
    p = fma(p, z, 0.01388484282640208)
    p = fma(p, z, 0.01735977964134998)
    p = fma(p, z, 0.022371749733164054)
    p = fma(p, z, 0.03038195969768514)
    p = fma(p, z, 0.044642856805998936)
    p = fma(p, z, 0.07500000000385201)
    p = fma(p, z, 0.16666666666664942)
    arcsine = fma(s * z, p, s)
    angle = select(outer, arcsine * 2.0, _HALF_PI - arcsine)
    return select(x < 0.0, _PI - angle, angle)


@inline
def integer_power(base, n):
    """Return base ** n for an integer n >= 0, by repeated squaring."""
    result = splat(1.0)
    while n > 0:
        if n & 1:
            result = result * base
        n >>= 1
        if n > 0:
            base = base * base
    return result
