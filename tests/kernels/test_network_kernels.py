"""Energies and gradients of all atoms of a structure, against the networks of single elements."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.networks import network, networks, run
from support.strategies import REPEATABLE

from fastsf.errors import InputError
from fastsf.kernels.networks.feedforward import Networks, predict_range
from fastsf.kernels.sharing import ALONE
from fastsf.potentials.network import Network
from fastsf.potentials.network_packing import pack_networks
from fastsf.potentials.scaling import Scaling
from fastsf.threads import workers_of
from fastsf.training.objective.initialization import initial_network

ELEMENTS = ("H", "C", "O")


def values_and_species(n: int, s: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(1.0, 2.0, (n, s)), rng.integers(0, len(ELEMENTS), n)


def scaling(columns: int, mode: str = "scale_center", seed: int = 1) -> Scaling:
    return Scaling.from_values(np.random.default_rng(seed).normal(1.0, 1.5, (30, columns)), mode, -1.0, 2.0)


@st.composite
def potentials(draw: st.DrawFn) -> tuple[dict[str, Network], dict[str, Scaling]]:
    nets = {symbol: draw(networks()) for symbol in ELEMENTS}
    modes = {
        symbol: draw(st.sampled_from(("none", "scale", "center", "scale_center", "scale_sigma"))) for symbol in nets
    }
    return nets, {symbol: scaling(nets[symbol].sizes[0], modes[symbol]) for symbol in nets}


@REPEATABLE
@given(potentials(), st.sampled_from((0, 1, 2, 7, 40, 100)), st.integers(0, 3))
def test_every_atom_has_the_numbers_of_its_element(potential, n: int, spare: int) -> None:
    nets, scalings = potential
    s = max(net.sizes[0] for net in nets.values()) + spare
    values, species = values_and_species(n, s, n)
    offsets = {"H": -13.6, "O": 2.0}
    packed = pack_networks(ELEMENTS, nets, scalings, 27.2, offsets, s)
    energies, gradient, outside = run(packed, values, species)
    for index, symbol in enumerate(ELEMENTS):
        rows, columns = species == index, nets[symbol].sizes[0]
        g = values[rows, :columns]
        e, de = nets[symbol].gradient(scalings[symbol].apply(g))
        de = de * scalings[symbol].affine()[1] * 27.2
        e = e * 27.2 + offsets.get(symbol, 0.0)
        np.testing.assert_allclose(energies[rows], e, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(
            gradient[rows, :columns], de, rtol=1e-10, atol=1e-11 * (1 + np.abs(de).max(initial=0))
        )
        assert (gradient[rows, columns:] == 0).all()
        low, high = scalings[symbol].bounds()
        np.testing.assert_array_equal(outside[rows], ((g < low) | (g > high)).sum(axis=1))


@pytest.fixture(scope="module")
def tanh() -> Networks:
    nets = {symbol: network((11, 9, 6, 1), ("tanh", "tanh", "linear"), k, False) for k, symbol in enumerate(ELEMENTS)}
    return pack_networks(ELEMENTS, nets, {symbol: scaling(11) for symbol in ELEMENTS}, 1.0, {}, 11)


def test_results_do_not_depend_on_threads_or_pieces(tanh: Networks) -> None:
    values, species = values_and_species(333, 11)
    expected = run(tanh, values, species)
    before = numba.get_num_threads()
    for threads, parts in ((1, 7), (numba.config.NUMBA_NUM_THREADS, 7), (numba.config.NUMBA_NUM_THREADS, 1)):
        results = np.empty(333), np.empty((333, 11)), np.empty(333, np.int64)
        numba.set_num_threads(threads)
        predict_range(tanh, values, species, 0, 333, workers_of(parts), *results)
        numba.set_num_threads(before)
        for found, wanted in zip(results, expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_results_do_not_depend_on_the_other_atoms(tanh: Networks) -> None:
    values, species = values_and_species(61, 11)
    expected = run(tanh, values, species)
    shuffled = np.random.default_rng(4).permutation(61)
    for rows in (shuffled, shuffled[:17], shuffled[:1]):
        for found, wanted in zip(run(tanh, values[rows], species[rows]), expected, strict=True):
            np.testing.assert_array_equal(found, wanted[rows])


def test_only_the_atoms_asked_for_are_written(tanh: Networks) -> None:
    values, species = values_and_species(100, 11)
    energies, gradient, outside = np.full(100, np.nan), np.full((100, 11), np.nan), np.full(100, -1)
    predict_range(tanh, values, species, 20, 41, ALONE, energies, gradient, outside)
    written = np.zeros(100, dtype=bool)
    written[20:41] = True
    np.testing.assert_array_equal(np.isfinite(energies), written)
    np.testing.assert_array_equal(np.isfinite(gradient).all(axis=1), written)
    np.testing.assert_array_equal(outside >= 0, written)


def test_energies_without_gradient(tanh: Networks) -> None:
    values, species = values_and_species(50, 11)
    energies, outside = np.empty(50), np.empty(50, np.int64)
    predict_range(tanh, values, species, 0, 50, ALONE, energies, np.empty((50, 0)), outside)
    np.testing.assert_array_equal(energies, run(tanh, values, species)[0])


def test_nan_and_values_far_out_are_not_hidden(tanh: Networks) -> None:
    values, species = values_and_species(40, 11)
    values[3, 4], values[5, :] = np.nan, 1e6
    energies, _, outside = run(tanh, values, species)
    assert np.isnan(energies[3]) and np.isfinite(np.delete(energies, 3)).all()
    assert outside[5] == 11


def test_values_at_the_bounds_are_inside() -> None:
    one = Network([np.ones((2, 1))], [np.zeros(1)], ("linear",))
    known = Scaling("none", 0.0, 1.0, np.zeros(2), np.ones(2), np.full(2, 0.5), np.ones(2))
    packed = pack_networks(("H",), {"H": one}, {"H": known}, 1.0, {}, 2)
    low, high = known.bounds()
    beyond = np.nextafter(low, -1), np.nextafter(high, 2)
    values = np.array([low, high, beyond[0], beyond[1], [low[0], beyond[1][1]]])
    np.testing.assert_array_equal(run(packed, values, np.zeros(5, np.int64))[2], [0, 0, 2, 2, 1])


@pytest.mark.parametrize(
    ("nets", "columns", "features", "message"),
    [
        ({}, 3, 3, "element H: expected a network and a scaling"),
        (
            {"H": (3, 1)},
            4,
            4,
            "element H: expected equal numbers of columns, "
            "found a network of 3 inputs, a scaling of 4 columns and 4 features",
        ),
        (
            {"H": (3, 1)},
            3,
            2,
            "element H: expected equal numbers of columns, "
            "found a network of 3 inputs, a scaling of 3 columns and 2 features",
        ),
    ],
)
def test_errors_of_packing(nets: dict, columns: int, features: int, message: str) -> None:
    made = {symbol: initial_network(sizes, ("linear",)) for symbol, sizes in nets.items()}
    with pytest.raises(InputError, match=message):
        pack_networks(("H",), made, {"H": scaling(columns)}, 1.0, {}, features)
