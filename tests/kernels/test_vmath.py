"""Vector functions against NumPy: errors in units of the last place over their whole domains."""

from importlib import import_module

import numpy as np
import pytest
from numba import njit

from fastsf.kernels._jit import kernel
from fastsf.kernels.vector import simd, vmath

SINGLE, SINGLE_VMATH = (import_module(f"fastsf.kernels.single.vector.{name}") for name in ("simd", "vmath"))


def on_arrays(function, outputs=1, vectors=simd):
    """Run a vector function over arrays whose length is a multiple of sixteen."""
    load, store, lanes = vectors.load, vectors.store, vectors.LANES

    @njit(error_model="numpy")
    def one(x, out):
        for k in range(0, len(x), lanes):
            store(out[0], k, function(load(x, k)))

    @njit(error_model="numpy")
    def two(x, out):
        for k in range(0, len(x), lanes):
            a, b = function(load(x, k))
            store(out[0], k, a)
            store(out[1], k, b)

    def run(x):
        out = np.empty((outputs, len(x)), x.dtype)
        (one if outputs == 1 else two)(x, out)
        return out

    return run


def grid(low, high):
    return np.concatenate([np.linspace(low, high, 4096), np.random.default_rng(1).uniform(low, high, 4096)])


CASES = {
    "exp": (vmath.exp, 1, (-690.0, 20.0), lambda x: [np.exp(x)]),
    "sin_cos": (vmath.sin_cos, 2, (-np.pi / 2 + 1e-3, np.pi / 2 - 1e-3), lambda x: [np.sin(x), np.cos(x)]),
    "expm1": (vmath.expm1, 1, (-30.0, 20.0), lambda x: [np.expm1(x)]),
    "log1p_unit": (vmath.log1p_unit, 1, (0.0, 1.0), lambda x: [np.log1p(x)]),
    "tanh_unit": (vmath.tanh_unit, 1, (0.0, 1.0), lambda x: [np.tanh(x)]),
    "acos": (vmath.acos, 1, (-1.0, 1.0 - 1e-9), lambda x: [np.arccos(x)]),
    "inverse_sqrt": (simd.inverse_sqrt, 1, (1e-8, 1e4), lambda x: [1 / np.sqrt(x)]),
}


@pytest.mark.parametrize("name", CASES)
def test_vmath_agrees_with_libm(name) -> None:
    function, outputs, domain, exact = CASES[name]
    x = grid(*domain)
    for found, expected in zip(on_arrays(function, outputs)(x), exact(x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-15 if name != "sin_cos" else 1e-13, atol=2e-16)


@pytest.mark.parametrize("name", ["exp", "sin_cos", "tanh_unit", "acos", "inverse_sqrt"])
def test_vmath_agrees_with_libm_in_float32(name) -> None:
    function, outputs, domain, exact = CASES[name]
    own = getattr(SINGLE if name == "inverse_sqrt" else SINGLE_VMATH, function.__name__)
    x = grid(max(domain[0], -85.0), domain[1]).astype(np.float32)
    for found, expected in zip(on_arrays(own, outputs, SINGLE)(x), exact(x.astype(np.float64)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=2e-7 if name == "acos" else 1e-7)


def test_vmath_reduction_of_large_arguments() -> None:
    x = grid(-200.0, 200.0)
    sine, cosine = on_arrays(vmath.sin_cos_any, 2)(x)
    np.testing.assert_allclose(sine, np.sin(x), rtol=0, atol=1e-14)
    np.testing.assert_allclose(cosine, np.cos(x), rtol=0, atol=1e-14)


def test_vmath_exp_underflows_quietly() -> None:
    values = on_arrays(vmath.exp)(np.array([-1e300, -1e6, -800.0, -710.0, -700.0, -1.0, 0.0, 1.0]))[0]
    assert (values[:5] < 1e-300).all() and (values >= 0).all()
    np.testing.assert_allclose(values[5:], np.exp([-1.0, 0.0, 1.0]), rtol=1e-15)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, 16, 63])
def test_vmath_integer_power(exponent: int) -> None:
    power = vmath.integer_power

    @kernel
    def fixed(x):
        return power(x, exponent)

    x = grid(0.0, 1.5)
    np.testing.assert_allclose(on_arrays(fixed)(x)[0], x**exponent, rtol=2e-14)


@pytest.mark.parametrize("bits", [0, 1, 0b10110010, 0xFF])
def test_vmath_pack_and_unpack_are_inverse(bits: int) -> None:
    load, pack, unpack, store, bits_mask = simd.load, simd.pack, simd.unpack, simd.store, simd.bits_mask

    @njit
    def there_and_back(x, middle, out):
        store(middle, 0, pack(load(x, 0), bits_mask(bits)))
        store(out, 0, unpack(middle, 0, bits))

    x, middle, out = np.arange(1.0, 9.0), np.zeros(16), np.zeros(8)
    there_and_back(x, middle, out)
    np.testing.assert_array_equal(out, np.where((bits >> np.arange(8)) & 1, x, 0.0))
