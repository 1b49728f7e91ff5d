"""Packs networks and scalings of all elements into the arrays that drive the kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fastsf.errors import InputError
from fastsf.kernels.activations import Activation
from fastsf.kernels.networks import LAYER, TILE, Networks
from fastsf.network import Network
from fastsf.scaling import Scaling
from fastsf.structure import FloatArray


def pack_networks(
    elements: Sequence[str],
    networks: Mapping[str, Network],
    scalings: Mapping[str, Scaling],
    scale: float,
    offsets: Mapping[str, float],
    n_features: int,
) -> Networks:
    """Pack the networks of a potential.

    Parameters
    ----------
    elements : sequence of str
        Their order is the element index of the kernels.
    networks : mapping of str to Network
        One for every element.
    scalings : mapping of str to Scaling
        One for every element, with as many columns as its network has inputs.
    scale : float
        eV per unit of the networks' outputs.
    offsets : mapping of str to float
        What is added to the energy of every atom of an element, eV; none for elements that are missing.
    n_features : int
        Columns of the descriptor, at least those of any element.

    Returns
    -------
    Networks
        What `fastsf.kernels.networks` takes.

    Raises
    ------
    InputError
        If an element has no network or scaling, or their numbers of columns differ.
    """
    for symbol in elements:
        _check(symbol, networks, scalings, n_features)
    chosen = [networks[symbol] for symbol in elements]
    layers, parameters = _pack_layers(chosen)
    center, factor, lowest, minimum, maximum = _pack_scalings([scalings[symbol] for symbol in elements], n_features)
    return Networks(
        layer_first=np.cumsum([0] + [len(network.weights) for network in chosen], dtype=np.int64),
        layers=np.array(layers, dtype=LAYER).view(np.recarray),
        parameters=parameters,
        center=center,
        factor=factor,
        lowest=lowest,
        minimum=minimum,
        maximum=maximum,
        columns=np.array([len(scalings[symbol]) for symbol in elements], dtype=np.int64),
        offset=np.array([offsets.get(symbol, 0.0) for symbol in elements], dtype=np.float64),
        scale=float(scale),
        nodes=_padded(max(max(network.sizes) for network in chosen)),
        depth=max(len(network.weights) for network in chosen),
    )


def _check(symbol: str, networks: Mapping[str, Network], scalings: Mapping[str, Scaling], n_features: int) -> None:
    if symbol not in networks or symbol not in scalings:
        raise InputError(f"no network and scaling for element {symbol}, found some for {', '.join(networks)}")
    inputs, columns = networks[symbol].sizes[0], len(scalings[symbol])
    if inputs != columns or columns > n_features:
        raise InputError(
            f"element {symbol}: a network of {inputs} inputs, a scaling of {columns} columns and {n_features} features"
        )


def _padded(nodes: int) -> int:
    return -(-nodes // TILE) * TILE


def _pack_layers(networks: Sequence[Network]) -> tuple[list[tuple[int, ...]], FloatArray]:
    layers: list[tuple[int, ...]] = []
    parts, at = [], 0
    for network in networks:
        for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
            inputs, outputs = w.shape
            block = np.zeros((_padded(inputs) + 1, _padded(outputs)))  # the last row: biases
            block[:inputs, :outputs], block[-1, :outputs] = w, b
            if network.normalize_nodes:
                block /= inputs
            biases_at = at + block[:-1].size
            layers.append((inputs, outputs, block.shape[1], int(Activation[name.upper()]), at, biases_at))
            parts.append(block.ravel())
            at += block.size
    return layers, np.concatenate(parts)


def _pack_scalings(scalings: Sequence[Scaling], n_features: int) -> FloatArray:
    """Center, factor, lowest, smallest and largest value inside; (5, elements, n_features padded to whole tiles)."""
    tables = np.zeros((5, len(scalings), _padded(n_features)))
    for element, scaling in enumerate(scalings):
        tables[:, element, : len(scaling)] = [*scaling.affine(), *scaling.bounds()]
    return tables
