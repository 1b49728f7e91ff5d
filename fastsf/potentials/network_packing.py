"""Packing of networks and scalings of all elements into the arrays of the kernels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from fastsf.errors import InputError
from fastsf.kernels.networks.activations import Activation
from fastsf.kernels.networks.feedforward import LAYER, TILE, Networks
from fastsf.potentials.network import Network
from fastsf.potentials.scaling import Scaling
from fastsf.types import FloatArray


def pack_networks(
    elements: Sequence[str],
    networks: Mapping[str, Network],
    scalings: Mapping[str, Scaling],
    scale: float,
    offsets: Mapping[str, float],
    n_features: int,
    without: Collection[str] = (),
) -> Networks:
    """Pack the networks of a potential.

    Parameters
    ----------
    elements : sequence of str
        Elements in the order of the element index of the kernels.
    networks : mapping of str to Network
        One for every element.
    scalings : mapping of str to Scaling
        One for every element, with as many columns as its network has inputs.
    scale : float
        eV per unit of the networks' outputs.
    offsets : mapping of str to float
        Energy that is added for every atom of an element, eV; 0 for missing elements.
    n_features : int
        Columns of the descriptor, at least as many as any element has.
    without : collection of str
        Elements without functions and networks.

    Returns
    -------
    Networks
        Argument of the kernels in `fastsf.kernels.networks.feedforward`.

    Raises
    ------
    InputError
        If an element has no network or scaling, or their numbers of columns differ.
    """
    for symbol in elements:
        if symbol not in without:
            _check(symbol, networks, scalings, n_features)
    chosen = [None if symbol in without else networks[symbol] for symbol in elements]
    layers, parameters = _pack_layers([network for network in chosen if network is not None])
    used = [None if symbol in without else scalings[symbol] for symbol in elements]
    center, factor, lowest, minimum, maximum = _pack_scalings(used, n_features)
    depths = [0 if network is None else len(network.weights) for network in chosen]
    return Networks(
        layer_first=np.cumsum([0, *depths], dtype=np.int64),
        layers=np.array(layers, dtype=LAYER).view(np.recarray),
        parameters=parameters,
        center=center,
        factor=factor,
        lowest=lowest,
        minimum=minimum,
        maximum=maximum,
        columns=np.array([0 if scaling is None else len(scaling) for scaling in used], dtype=np.int64),
        offset=np.array([offsets.get(symbol, 0.0) for symbol in elements], dtype=np.float64),
        scale=float(scale),
        nodes=_padded(max((max(network.sizes) for network in chosen if network is not None), default=1)),
        depth=max(*depths, 1),
    )


def _check(symbol: str, networks: Mapping[str, Network], scalings: Mapping[str, Scaling], n_features: int) -> None:
    if symbol not in networks or symbol not in scalings:
        raise InputError(f"element {symbol}: expected a network and a scaling, found some for {', '.join(networks)}")
    inputs, columns = networks[symbol].sizes[0], len(scalings[symbol])
    if inputs != columns or columns > n_features:
        raise InputError(
            f"element {symbol}: expected equal numbers of columns, found a network of {inputs} inputs, a scaling of "
            f"{columns} columns and {n_features} features"
        )


def _padded(nodes: int) -> int:
    return -(-nodes // TILE) * TILE


def _pack_layers(networks: Sequence[Network]) -> tuple[list[tuple[int, ...]], FloatArray]:
    layers: list[tuple[int, ...]] = []
    parts, start = [np.empty(0)], 0
    for network in networks:
        for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
            inputs, outputs = w.shape
            block = np.zeros((_padded(inputs) + 1, _padded(outputs)))  # the last row: biases
            block[:inputs, :outputs], block[-1, :outputs] = w, b
            if network.normalize_nodes:
                block /= inputs
            bias_start = start + block[:-1].size
            layers.append((inputs, outputs, block.shape[1], int(Activation[name.upper()]), start, bias_start))
            parts.append(block.ravel())
            start += block.size
    return layers, np.concatenate(parts)


def _pack_scalings(scalings: Sequence[Scaling | None], n_features: int) -> FloatArray:
    """Return center, factor, lowest, smallest and largest value inside; (5, elements, n_features padded to tiles)."""
    tables = np.zeros((5, len(scalings), _padded(n_features)))
    for element, scaling in enumerate(scalings):
        if scaling is not None:
            tables[:, element, : len(scaling)] = [*scaling.affine(), *scaling.bounds()]
    return tables
