"""Random networks: sizes of their weights, repeatability, preconditioning."""

import numpy as np
import pytest

from fastsf.errors import InputError
from fastsf.potentials.network import Network
from fastsf.training.objective.initialization import METHODS, initial_network, preconditioned

SIZES, NAMES = (30, 25, 20, 1), ("tanh", "tanh", "linear")
VARIANCES = {
    "glorot_normal": lambda n_in, n_out: 2 / (n_in + n_out),
    "glorot_uniform": lambda n_in, n_out: 2 / (n_in + n_out),
    "he_normal": lambda n_in, n_out: 2 / n_in,
    "he_uniform": lambda n_in, n_out: 2 / n_in,
    "lecun_normal": lambda n_in, n_out: 1 / n_in,
}


@pytest.mark.parametrize("method", METHODS)
def test_seeds(method: str) -> None:
    first, second, other = (initial_network(SIZES, NAMES, method, seed).parameters for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()
    np.testing.assert_array_equal(
        initial_network(SIZES, NAMES, method, np.random.default_rng(1)).parameters, first, strict=True
    )


@pytest.mark.parametrize("method", METHODS)
def test_normalised_nodes_give_the_same_outputs(method: str) -> None:
    plain, normalised = (
        initial_network(SIZES, NAMES, method, 1, bias_spread=0.3, normalize_nodes=flag) for flag in (False, True)
    )
    x = np.random.default_rng(5).normal(size=(4, 30))
    np.testing.assert_allclose(normalised.forward(x), plain.forward(x), rtol=1e-12)


@pytest.mark.parametrize("method", VARIANCES)
def test_variances(method: str) -> None:
    network = initial_network((300, 200, 1), ("tanh", "linear"), method, 3, bias_spread=0.5)
    weights = network.weights[0]
    assert abs(weights.mean()) < 4 * weights.std() / np.sqrt(weights.size)
    np.testing.assert_allclose(weights.var(), VARIANCES[method](300, 200), rtol=0.03)
    if method.endswith("uniform"):
        np.testing.assert_allclose(np.abs(weights).max(), np.sqrt(3 * VARIANCES[method](300, 200)), rtol=1e-3)
    assert 0.4 < network.biases[0].std() < 0.6 and network.biases[1] == 0
    assert (initial_network(SIZES, NAMES, method).biases[0] == 0).all()


def test_nguyen_widrow() -> None:
    network = initial_network(SIZES, NAMES, "nguyen_widrow", 7)
    for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
        slope = 0.7 * w.shape[1] ** (1 / w.shape[0])
        np.testing.assert_allclose(np.linalg.norm(w, axis=0), slope, rtol=1e-13)
        assert (np.abs(b) <= slope).all() and np.abs(b).max() > 0.5 * slope


def test_uniform_keeps_its_bounds() -> None:
    parameters = initial_network(SIZES, NAMES, "uniform", 7, bounds=(-0.5, 2.0)).parameters
    assert -0.5 <= parameters.min() < -0.49 and 1.99 < parameters.max() <= 2.0


@pytest.mark.parametrize("normalize", [False, True])
def test_preconditioned_energies_have_mean_and_spread_of_the_reference(normalize: bool) -> None:
    nets = {
        symbol: initial_network((3, 4, 1), ("tanh", "linear"), "uniform", k, normalize_nodes=normalize)
        for k, symbol in enumerate("HO")
    }
    rng = np.random.default_rng(3)
    inputs = [{"H": rng.normal(size=(4, 3)), "O": rng.normal(size=(2, 3))} for _ in range(9)]

    def per_atom(networks: dict[str, Network]) -> np.ndarray:
        return np.array([sum(networks[s].forward(x).sum() for s, x in one.items()) / 6 for one in inputs])

    reference = rng.normal(-5.0, 3.0, 9)
    found = per_atom(preconditioned(nets, per_atom(nets), reference))
    np.testing.assert_allclose([found.mean(), found.std()], [reference.mean(), reference.std()], rtol=1e-12)


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ((3, 2), {}, "last one 1, found"),
        ((3, 0, 1), {}, "two or more layers"),
        ((3, 1), {"method": "zeros"}, "unknown initialization 'zeros', expected one of glorot_normal"),
        ((3, 1), {"bounds": (1.0, -1.0)}, "expected a lower and a higher number, found 1.0 and -1.0"),
        ((3, 1), {"bounds": (0.0, np.nan)}, "expected a lower and a higher number"),
        ((3, 1), {"bias_spread": -1.0}, "expected 0 or more, found -1.0"),
    ],
)
def test_errors(sizes: tuple[int, ...], options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        initial_network(sizes, ("linear",) * (len(sizes) - 1), **options)


def test_errors_of_preconditioning() -> None:
    net = {"H": initial_network((3, 2, 1), ("tanh", "tanh"))}
    with pytest.raises(InputError, match="element H: expected a network with linear output, found tanh"):
        preconditioned(net, [1.0, 2.0], [1.0, 2.0])
    with pytest.raises(InputError, match=r"found \(2,\) and \(3,\)"):
        preconditioned(net, [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="expected different predicted energies per atom"):
        preconditioned(net, [1.0, 1.0], [1.0, 2.0])
