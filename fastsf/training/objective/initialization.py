"""Random networks to start a training from.

All methods aim at sums of order one at the nodes for inputs of order one, since activation functions bend there but
do not saturate:

- `glorot_normal`, `glorot_uniform`: variance 2 / (n_in + n_out), a compromise between forward signals and backward
  gradients (Glorot and Bengio, AISTATS 2010);
- `he_normal`, `he_uniform`: variance 2 / n_in, for activation functions that are zero on one side (He et al.,
  ICCV 2015);
- `lecun_normal`: variance 1 / n_in (LeCun et al., Efficient BackProp, 1998);
- `nguyen_widrow`: hidden nodes look in random directions, all with a slope of 0.7 n_out^(1 / n_in), and bend at random
  places of the range -1 ... 1 of the inputs, so that together they cover it (Nguyen and Widrow, IJCNN 1990);
- `uniform`: all weights and biases between two bounds, n2p2's and RuNNer's way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.potentials.network import Network
from fastsf.types import FloatArray

_Draw = Callable[[np.random.Generator, int, int], FloatArray]


def _normal(variance: Callable[[int, int], float]) -> _Draw:
    return lambda rng, n_in, n_out: rng.normal(0.0, np.sqrt(variance(n_in, n_out)), (n_in, n_out))


def _uniform(variance: Callable[[int, int], float]) -> _Draw:
    def draw(rng: np.random.Generator, n_in: int, n_out: int) -> FloatArray:
        bound = np.sqrt(3.0 * variance(n_in, n_out))
        return rng.uniform(-bound, bound, (n_in, n_out))

    return draw


def _glorot(n_in: int, n_out: int) -> float:
    return 2.0 / (n_in + n_out)


def _he(n_in: int, _: int) -> float:
    return 2.0 / n_in


_BY_VARIANCE = {
    "glorot_normal": _normal(_glorot),
    "glorot_uniform": _uniform(_glorot),
    "he_normal": _normal(_he),
    "he_uniform": _uniform(_he),
    "lecun_normal": _normal(lambda n_in, _: 1.0 / n_in),
}

METHODS = (*_BY_VARIANCE, "nguyen_widrow", "uniform")
"""Names of the methods."""


def initial_network(
    sizes: Sequence[int],
    activations: Sequence[str],
    method: str = "glorot_normal",
    rng: np.random.Generator | int = 0,
    *,
    bounds: tuple[float, float] = (-1.0, 1.0),
    bias_spread: float = 0.0,
    normalize_nodes: bool = False,
) -> Network:
    """Make a network with random weights.

    Parameters
    ----------
    sizes : sequence of int
        Nodes of the layers, inputs first, the output (1) last.
    activations : sequence of str
        Activation functions of the layers, one less than `sizes`.
    method : str
        Name of the method, one of `METHODS`.
    rng : Generator or int
        Source of random numbers; the same seed gives the same network.
    bounds : (float, float)
        Smallest and largest weight of the method "uniform".
    bias_spread : float
        Standard deviation of the hidden layers' biases; "nguyen_widrow" and "uniform" have their own.
    normalize_nodes : bool
        As for `Network`. Weights and biases are then n_in times larger, so that outputs are the same.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        For unsuitable sizes or activation functions, an unknown method, bounds in the wrong order or a negative
        spread.
    """
    if len(sizes) < 2 or min(sizes) < 1 or sizes[-1] != 1:
        raise InputError(f"expected the sizes of two or more layers, the last one 1, found {list(sizes)}")
    if method not in METHODS:
        raise InputError(f"unknown initialization {method!r}, expected one of {', '.join(METHODS)}")
    if not -np.inf < bounds[0] < bounds[1] < np.inf:
        raise InputError(f"bounds of weights: expected a lower and a higher number, found {bounds[0]} and {bounds[1]}")
    if not 0 <= bias_spread < np.inf:
        raise InputError(f"spread of biases: expected 0 or more, found {bias_spread}")
    rng = np.random.default_rng(rng)
    weights, biases = [], []
    for k, (n_in, n_out) in enumerate(pairwise(sizes)):
        w, b = _layer(method, rng, (n_in, n_out), k == len(sizes) - 2, bounds, bias_spread)
        larger = n_in if normalize_nodes else 1
        weights.append(w * larger)
        biases.append(b * larger)
    return Network(weights, biases, activations, normalize_nodes)


def _layer(
    method: str,
    rng: np.random.Generator,
    shape: tuple[int, int],
    last: bool,
    bounds: tuple[float, float],
    bias_spread: float,
) -> tuple[FloatArray, FloatArray]:
    n_out = shape[1]
    if method == "uniform":
        return rng.uniform(*bounds, shape), rng.uniform(*bounds, n_out)
    if method == "nguyen_widrow":
        return _nguyen_widrow(rng, shape, last)
    weights = _BY_VARIANCE[method](rng, *shape)
    return weights, rng.normal(0.0, bias_spread, n_out) if bias_spread and not last else np.zeros(n_out)


def _nguyen_widrow(rng: np.random.Generator, shape: tuple[int, int], last: bool) -> tuple[FloatArray, FloatArray]:
    weights = rng.uniform(-1.0, 1.0, shape)
    if last:
        return 0.5 * weights, np.zeros(shape[1])
    slope = 0.7 * shape[1] ** (1.0 / shape[0])
    weights *= slope / np.linalg.norm(weights, axis=0)
    return weights, rng.uniform(-slope, slope, shape[1])


def preconditioned(
    networks: Mapping[str, Network], predicted: npt.ArrayLike, reference: npt.ArrayLike
) -> dict[str, Network]:
    """Scale and shift the outputs of random networks so that energies have the mean and spread of the reference.

    RuNNer's and n2p2's `precondition_weights`.

    Parameters
    ----------
    networks : mapping of symbol to Network
        Networks with linear outputs.
    predicted : (m,) array_like
        Energies per atom of m structures by these networks, in the units of their outputs.
    reference : (m,) array_like
        Reference energies per atom, in the same units.

    Raises
    ------
    InputError
        If an output is not linear, the numbers of energies differ, or all predictions are equal.
    """
    ours, theirs = np.asarray(predicted, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if ours.shape != theirs.shape or ours.ndim != 1 or len(ours) < 2:
        raise InputError(f"expected as many predicted as reference energies, found {ours.shape} and {theirs.shape}")
    if not 0 < ours.std() < np.inf:
        raise InputError("expected different predicted energies per atom to adjust their spread, found equal ones")
    factor = float(theirs.std() / ours.std())
    shift = float(theirs.mean() - factor * ours.mean())
    return {symbol: _adjusted(network, symbol, factor, shift) for symbol, network in networks.items()}


def _adjusted(network: Network, symbol: str, factor: float, shift: float) -> Network:
    if network.activations[-1] != "linear":
        raise InputError(f"element {symbol}: expected a network with linear output, found {network.activations[-1]}")
    *weights, last = network.weights
    *biases, bias = network.biases
    nodes = len(last) if network.normalize_nodes else 1
    return Network(
        [*weights, last * factor],
        [*biases, bias * factor + shift * nodes],
        network.activations,
        network.normalize_nodes,
    )
