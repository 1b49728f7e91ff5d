"""Derivatives of a network's energies and of its forces with respect to its parameters, row by row.

A force component is a sum over centres of t_i . dE_i/dX_i, where t_i = -dX_i/dR. Its derivative with respect to the
weights of a layer is a sum of outer products: the tangent of the layer's inputs along t with the cotangents of
its nodes, and the inputs with the tangents of those cotangents. These sums are products of matrices over the
centres that an atom moves.

Where the energy is a sum of w_i N(X_i) with weights that depend on positions too, as those of pairs do, the cotangent
of the output is w_i instead of 1, and its tangent dw_i instead of 0; dw_i follows dX_i as one more column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.kernels.networks import tangents
from fastsf.potentials.network import Layer, Network
from fastsf.types import FloatArray, IntArray

AnyFloat = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class NetworkPass:
    """Forward and backward pass of a network over atoms or pairs.

    Parameters
    ----------
    layers : list of Layer
        Results of the forward pass.
    values, nodes : list of arrays
        Results of the backward pass; see `Network.cotangents`.
    weighted : bool
        True if energies have weights, and blocks a column for their changes.
    """

    layers: list[Layer]
    values: list[FloatArray]
    nodes: list[FloatArray]
    weighted: bool = False

    @property
    def gradient(self) -> FloatArray:
        """Derivatives dE/dX, (m, s); with weights dE/dX and dE/dw, (m, s + 1)."""
        return np.hstack([self.values[0], self.layers[-1].value]) if self.weighted else self.values[0]

    @property
    def energies(self) -> FloatArray:
        """Energies w N(X), (m,) float64."""
        energies: FloatArray = (self.layers[-1].value * self.values[-1])[:, 0]
        return energies


def forward_backward(network: Network, inputs: FloatArray, weights: FloatArray | None = None) -> NetworkPass:
    """Compute the energies of atoms, or of pairs with weights (m,), and everything that their derivatives need."""
    layers = network.layers(inputs)
    return NetworkPass(layers, *network.cotangents(layers, weights), weights is not None)


def along(gradient: FloatArray, index: IntArray, blocks: AnyFloat) -> FloatArray:
    """Return the derivative of the energy along each direction: sums over centres of blocks . gradient.

    Parameters
    ----------
    gradient : (m, s) float64
        Derivatives dE/dX of the centres.
    index : (n, K) int64
        Centres of the blocks.
    blocks : (n, K, d, s) array
        Changes of X along d directions.

    Returns
    -------
    (n, d) float64
    """
    n, _, d, s = blocks.shape
    out = np.empty((n, d))
    tangents.push_forward(gradient, index, blocks, np.empty((d, s)), out)
    return out


def energy_row(done: NetworkPass, row: AnyFloat) -> None:
    """Add the derivative of the sum of the energies with respect to all parameters to row (P,)."""
    at = 0
    for layer, node in zip(done.layers, done.nodes, strict=True):
        size = layer.inputs.shape[1] * node.shape[1]
        row[at : at + size] += (layer.inputs.T @ node).ravel()
        row[at + size : at + size + node.shape[1]] += node.sum(axis=0)
        at += size + node.shape[1]


def direction_rows(network: Network, done: NetworkPass, index: IntArray, blocks: AnyFloat, rows: AnyFloat) -> None:
    """Write the derivatives of `along` with respect to all parameters into rows (n * d, P).

    Parameters
    ----------
    network : Network
    done : NetworkPass
        Passes of the centres.
    index, blocks
        As for `along`; the precision of the blocks is that of the arithmetic.
    """
    n, places, d, _ = blocks.shape
    inputs_only = blocks[..., : len(network.weights[0])]
    back_tangent: AnyFloat | None = blocks[..., -1:] if done.weighted else None
    end = rows.shape[1]
    for k, (tangent, sums) in reversed(list(enumerate(_tangents(network, done, index, inputs_only)))):
        layer, w, norm = done.layers[k], network.weights[k], network.norm(network.weights[k])
        node_tangent = sums * _pick(layer.bend * done.values[k + 1] * norm, index, blocks)
        if back_tangent is not None:
            node_tangent += back_tangent * _pick(layer.slope * norm, index, blocks)
        fan_in, fan_out = w.shape
        rows[:, end - fan_out : end] = node_tangent.sum(axis=1).reshape(n * d, fan_out)
        end -= fan_out
        target = rows[:, end - w.size : end].reshape(n, d, fan_in, fan_out)
        np.matmul(tangent.transpose(0, 2, 3, 1), _pick(done.nodes[k], index, blocks).transpose(0, 2, 1, 3), out=target)
        inputs = _pick(layer.inputs, index, blocks).transpose(0, 2, 3, 1)
        target += np.matmul(inputs, node_tangent.transpose(0, 2, 1, 3))
        end -= w.size
        if k:
            back_tangent = (node_tangent.reshape(-1, fan_out) @ w.T.astype(blocks.dtype)).reshape(n, places, d, fan_in)


def _tangents(
    network: Network, done: NetworkPass, index: IntArray, blocks: AnyFloat
) -> list[tuple[AnyFloat, AnyFloat]]:
    """Return for each layer the changes of its inputs and of the sums at its nodes, (n, K, d, ...)."""
    tangents, tangent = [], blocks
    for layer, w in zip(done.layers, network.weights, strict=True):
        flat = tangent.reshape(-1, len(w)) @ (w * network.norm(w)).astype(blocks.dtype)
        sums = flat.reshape(*blocks.shape[:3], w.shape[1])
        tangents.append((tangent, sums))
        tangent = sums * _pick(layer.slope, index, blocks)
    return tangents


def _pick(values: FloatArray, index: IntArray, blocks: AnyFloat) -> AnyFloat:
    """Return the values of the centres of the blocks, (n, K, 1, ...), in the blocks' precision."""
    return values.astype(blocks.dtype, copy=False)[index][:, :, None, :]
