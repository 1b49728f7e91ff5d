"""Random networks of all shapes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastsf.kernels.networks.feedforward import Networks, predict_range
from fastsf.kernels.sharing import ALONE
from fastsf.potentials.network import ACTIVATIONS, Network
from fastsf.training.objective.initialization import initial_network


def network(sizes: tuple[int, ...], names: tuple[str, ...], seed: int, normalize: bool) -> Network:
    """Return a network with random weights and biases, small enough for steep activation functions."""
    made = initial_network(sizes, names, rng=seed, normalize_nodes=normalize)
    biases = np.random.default_rng(seed + 1).normal(0.0, 0.3, len(made.parameters))
    return made.with_parameters(0.8 * made.parameters + 0.1 * biases)


@st.composite
def networks(draw: st.DrawFn, names: tuple[str, ...] = ACTIVATIONS) -> Network:
    sizes = (*draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)), 1)
    chosen = tuple(draw(st.sampled_from(names)) for _ in sizes[1:])
    return network(sizes, chosen, draw(st.integers(0, 1000)), draw(st.booleans()))


def run(packed: Networks, values: np.ndarray, species: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = len(species)
    energies, gradient, outside = np.full(n, np.nan), np.full(values.shape, np.nan), np.full(n, -1)
    predict_range(packed, values, species, 0, n, ALONE, energies, gradient, outside)
    return energies, gradient, outside
