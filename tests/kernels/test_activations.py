"""Activation functions and their derivatives over the whole range of their arguments."""

import numpy as np
import pytest
from reference.networks import CURVATURES, FUNCTIONS, SLOPES

from fastsf.kernels.networks.activations import Activation
from fastsf.potentials.network import ACTIVATIONS, activate

SATURATING = ("logistic", "revlogistic", "softplus")


def grid(low: float, high: float) -> np.ndarray:
    return np.concatenate([np.linspace(low, high, 2001), np.random.default_rng(3).uniform(low, high, 2000)])


def applied(functions: dict, name: str, x: np.ndarray) -> np.ndarray:
    return np.array([functions[name](float(number)) for number in x])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_derivatives_agree_with_libm(name: str) -> None:
    x = grid(-30.0, 30.0)
    value, slope, bend = activate(name, x)
    # Sine and cosine are reduced by pi in two words, so their zeros are known to a part in 1e-16 of one.
    close = {"rtol": 5e-14, "atol": 5e-16} if name == "cosine" else {"rtol": 2e-15, "atol": 0}
    np.testing.assert_allclose(value, applied(FUNCTIONS, name, x), **close)
    np.testing.assert_allclose(slope, applied(SLOPES, name, x), **close)
    np.testing.assert_allclose(bend, applied(CURVATURES, name, x), rtol=1e-13, atol=2e-16)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_small_arguments_lose_no_digits(name: str) -> None:
    x = np.concatenate([10.0 ** np.arange(-300, 0, 7), -(10.0 ** np.arange(-300, 0, 7))])
    value, slope, _ = activate(name, x)
    np.testing.assert_allclose(value, applied(FUNCTIONS, name, x), rtol=2e-15)
    np.testing.assert_allclose(slope, applied(SLOPES, name, x), rtol=2e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_agree_with_differences(name: str) -> None:
    x = grid(-6.0, 6.0)
    x = x[np.abs(x) > 1e-2]  # relu has a kink
    step = 1e-3
    value, slope, bend = ({n: activate(name, x + n * step)[k] for n in (-2, -1, 0, 1, 2)} for k in range(3))
    for function, derivative in ((value, slope[0]), (slope, bend[0])):
        differences = (8 * (function[1] - function[-1]) - (function[2] - function[-2])) / (12 * step)
        np.testing.assert_allclose(derivative, differences, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", SATURATING)
def test_saturates_as_n2p2_does(name: str) -> None:
    x = np.array([-36.0, 36.0, -1e300, 1e300])
    value, slope, bend = activate(name, x)
    low, high = np.zeros(2), np.array([36.0, 1e300]) if name == "softplus" else np.ones(2)
    if name == "revlogistic":
        low, high = high, low
    np.testing.assert_array_equal(value, [low[0], high[0], low[1], high[1]])
    np.testing.assert_array_equal(slope, np.tile([0.0, 1.0] if name == "softplus" else [0.0, 0.0], 2))
    np.testing.assert_array_equal(bend, np.zeros(4))


def test_tanh_far_out() -> None:
    value, slope, _ = activate("tanh", np.array([-1e300, -50.0, 50.0, 400.0, 1e300]))
    np.testing.assert_array_equal(value, [-1, -1, 1, 1, 1])
    np.testing.assert_allclose(slope[1:3], 4 * np.exp(-100.0), rtol=1e-13)
    assert (slope[[0, 3, 4]] < 1e-300).all()


def test_exponential_overflows_to_infinity() -> None:
    value, slope, _ = activate("exp", np.array([-1e6, -701.0, 701.0, 1e6]))
    assert value.tolist()[:2] == [np.inf, np.inf] and slope.tolist()[:2] == [-np.inf, -np.inf]
    assert (np.abs(value[2:]) < 1e-300).all() and (np.abs(slope[2:]) < 1e-300).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_stays_nan(name: str) -> None:
    value, _, _ = activate(name, np.array([np.nan, 0.5]))
    assert np.isnan(value[0]) and np.isfinite(value[1])


def test_every_kind_has_a_reference() -> None:
    assert set(ACTIVATIONS) == set(FUNCTIONS) == set(SLOPES) == set(CURVATURES)
    assert [int(kind) for kind in Activation] == list(range(len(ACTIVATIONS)))


def test_shape_is_kept() -> None:
    for shape in ((0,), (3,), (5, 7), (0, 4)):
        assert all(result.shape == shape for result in activate("tanh", np.zeros(shape)))
