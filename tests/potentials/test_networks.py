"""Networks of single elements: energies, gradients and the double backward pass."""

import numpy as np
import pytest
from hypothesis import given
from reference.networks import energy_and_gradient
from support.networks import network, networks
from support.strategies import REPEATABLE

from fastsf.errors import InputError
from fastsf.potentials.network import ACTIVATIONS, Network

SMOOTH = tuple(name for name in ACTIVATIONS if name != "relu")
TOPOLOGIES = ((3, 1), (1, 1), (4, 1, 1), (5, 7, 1), (4, 3, 6, 1), (2, 3, 4, 5, 6, 1))


def inputs(n: int, s: int, seed: int = 11) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.7, (n, s))


@REPEATABLE
@given(networks())
def test_energy_and_gradient_are_those_of_the_reference(net: Network) -> None:
    x = inputs(5, net.sizes[0])
    energies, gradient = net.gradient(x)
    np.testing.assert_array_equal(net.forward(x), energies)
    for row in range(len(x)):
        energy, slope = energy_and_gradient(net.weights, net.biases, net.activations, net.normalize_nodes, x[row])
        np.testing.assert_allclose(energies[row], energy, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(gradient[row], slope, rtol=1e-11, atol=1e-12 * (1 + np.abs(slope).max()))


def differences(function, vector: np.ndarray, step: float = 2.0**-10) -> np.ndarray:
    """Return central differences of fourth order of a scalar function of a vector."""
    result = np.empty(len(vector))
    for k in range(len(vector)):
        moved = []
        for steps in (-2, -1, 1, 2):
            copy = vector.copy()
            copy[k] += steps * step
            moved.append(function(copy))
        result[k] = (8 * (moved[2] - moved[1]) - (moved[3] - moved[0])) / (12 * step)
    return result


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("sizes", TOPOLOGIES)
@pytest.mark.parametrize("name", SMOOTH)
def test_double_backward_agrees_with_differences(name: str, sizes: tuple[int, ...], normalize: bool) -> None:
    names = (name,) * (len(sizes) - 2) + ("tanh",)
    net = network(sizes, names, 5, normalize)
    n, s = 3, sizes[0]
    x, direction = inputs(n, s), inputs(n, s, 12)
    cotangent = np.random.default_rng(13).normal(size=n)

    def scalar(one: Network, points: np.ndarray) -> float:
        energies, gradient = one.gradient(points)
        return float(cotangent @ energies + (direction * gradient).sum())

    parameters, back = net.double_backward(x, cotangent, direction)
    numeric = differences(lambda p: scalar(net.with_parameters(p), x), net.parameters)
    np.testing.assert_allclose(parameters, numeric, rtol=0, atol=1e-8 * (1 + np.abs(numeric).max()))
    numeric = differences(lambda p: scalar(net, p.reshape(n, s)), x.ravel()).reshape(n, s)
    np.testing.assert_allclose(back, numeric, rtol=0, atol=1e-8 * (1 + np.abs(numeric).max()))


@REPEATABLE
@given(networks(SMOOTH))
def test_gradient_agrees_with_differences(net: Network) -> None:
    x = inputs(2, net.sizes[0])
    _, gradient = net.gradient(x)
    for row in range(len(x)):
        numeric = differences(lambda p: float(net.forward(p[None])[0]), x[row])
        np.testing.assert_allclose(gradient[row], numeric, rtol=0, atol=1e-7 * (1 + np.abs(numeric).max()))


def test_double_backward_through_relu_has_the_slopes_of_its_pieces() -> None:
    net = network((4, 6, 1), ("relu", "linear"), 3, False)
    x, direction = inputs(5, 4), inputs(5, 4, 12)
    parameters, back = net.double_backward(x, np.ones(5), direction)
    numeric = differences(
        lambda p: float(
            net.with_parameters(p).forward(x).sum() + (direction * net.with_parameters(p).gradient(x)[1]).sum()
        ),
        net.parameters,
        2.0**-20,
    )
    np.testing.assert_allclose(parameters, numeric, atol=1e-8)
    np.testing.assert_allclose(back, net.gradient(x)[1], atol=1e-14)


def test_double_backward_of_energies_alone_is_the_gradient() -> None:
    net = network((4, 5, 3, 1), ("tanh", "softplus", "linear"), 3, False)
    x, cotangent = inputs(6, 4), np.arange(6.0)
    _, back = net.double_backward(x, cotangent, np.zeros_like(x))
    np.testing.assert_allclose(back, cotangent[:, None] * net.gradient(x)[1], rtol=1e-13, atol=1e-15)


def test_parameters_are_in_the_order_of_the_files() -> None:
    net = Network([[[1, 2], [3, 4], [5, 6]], [[9], [10]]], [[7, 8], [11]], ("tanh", "linear"))
    np.testing.assert_array_equal(net.parameters, np.arange(1.0, 12.0))
    again = net.with_parameters(net.parameters)
    for ours, theirs in zip((*net.weights, *net.biases), (*again.weights, *again.biases), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert net.sizes == (3, 2, 1) and repr(net) == "<Network: 3-2-1, tanh linear>"


def test_no_rows() -> None:
    net = network((3, 2, 1), ("tanh", "linear"), 0, False)
    energies, gradient = net.gradient(np.zeros((0, 3)))
    assert energies.shape == (0,) and gradient.shape == (0, 3)
    parameters, back = net.double_backward(np.zeros((0, 3)), np.zeros(0), np.zeros((0, 3)))
    assert (parameters == 0).all() and parameters.shape == net.parameters.shape and back.shape == (0, 3)


@pytest.mark.parametrize(
    ("weights", "biases", "names", "message"),
    [
        ([], [], (), "at least one, found 0, 0 and 0"),
        ([np.ones((2, 1))], [np.ones(1)], ("tanh", "linear"), "found 1, 1 and 2"),
        ([np.ones((2, 1))], [np.ones(1)], ("sinus",), "activation function: expected one of linear, .* found 'sinus'"),
        ([np.ones((2, 3))], [np.ones(3)], ("tanh",), r"layer 1 of 1: expected weights \(2, 1\)"),
        ([np.ones((2, 3)), np.ones((2, 1))], [np.ones(3), np.ones(1)], ("tanh", "tanh"), r"layer 2 of 2: .*\(3, 1\)"),
        ([np.ones((2, 3)), np.ones((3, 1))], [np.ones(2), np.ones(1)], ("tanh", "tanh"), "layer 1 of 2"),
        ([np.ones(2)], [np.ones(1)], ("tanh",), "layer 1 of 1"),
        ([np.ones((0, 1))], [np.ones(1)], ("tanh",), "layer 1 of 1"),
        ([np.full((2, 1), np.nan)], [np.ones(1)], ("tanh",), "layer 1 of 1 has weights or biases that are not finite"),
    ],
)
def test_errors_of_construction(weights: list, biases: list, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Network(weights, biases, names)


def test_errors_of_use() -> None:
    net = network((3, 2, 1), ("tanh", "linear"), 0, False)
    with pytest.raises(InputError, match=r"inputs: expected an array of shape \(n, 3\), found \(2, 4\)"):
        net.forward(np.zeros((2, 4)))
    with pytest.raises(InputError, match=r"direction: expected an array of shape \(n, 3\)"):
        net.double_backward(np.zeros((2, 3)), np.zeros(2), np.zeros((2, 2)))
    with pytest.raises(InputError, match="expected 2 directions and energy cotangents"):
        net.double_backward(np.zeros((2, 3)), np.zeros(3), np.zeros((2, 3)))
    with pytest.raises(InputError, match="expected 11 parameters, found an array of shape"):
        net.with_parameters(np.zeros(10))
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0][0, 0] = 1.0
