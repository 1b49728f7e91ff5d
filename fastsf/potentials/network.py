"""The network of one element: a multilayer perceptron from symmetry functions to an energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.kernels.networks import activations
from fastsf.kernels.networks.activations import Activation
from fastsf.kernels.vector.simd import LANES
from fastsf.types import FloatArray

ACTIVATIONS = tuple(kind.name.lower() for kind in Activation)
"""Names of the activation functions."""


@dataclass(frozen=True, eq=False)
class Layer:
    """What a forward pass leaves of a layer: its inputs (n, in); f, f' and f'' at its nodes (n, out)."""

    inputs: FloatArray
    value: FloatArray
    slope: FloatArray
    bend: FloatArray


class Network:
    """Multilayer perceptron with one output.

    Every layer does y = f(x W + b), or f((x W + b) / n_in) with `normalize_nodes`.

    Parameters
    ----------
    weights : sequence of (n_in, n_out) arrays
        One per layer, hidden layers first; n_out of the last one is 1.
    biases : sequence of (n_out,) arrays
        One per layer.
    activations : sequence of str
        One of `ACTIVATIONS` per layer.
    normalize_nodes : bool
        Divide the sum at each node, bias included, by the number of nodes of the layer before.

    Raises
    ------
    InputError
        If shapes do not fit together, numbers are not finite or an activation function is unknown.
    """

    def __init__(
        self,
        weights: Sequence[npt.ArrayLike],
        biases: Sequence[npt.ArrayLike],
        activations: Sequence[str],
        normalize_nodes: bool = False,
    ) -> None:
        self.weights = tuple(_frozen(w) for w in weights)
        self.biases = tuple(_frozen(b) for b in biases)
        self.activations = tuple(activations)
        self.normalize_nodes = bool(normalize_nodes)
        self._check()

    def _check(self) -> None:
        layers = len(self.weights)
        if not layers or not layers == len(self.biases) == len(self.activations):
            raise InputError(
                f"expected as many weights as biases and activation functions, at least one, "
                f"found {layers}, {len(self.biases)} and {len(self.activations)}"
            )
        for name in self.activations:
            if name not in ACTIVATIONS:
                raise InputError(f"unknown activation function {name!r}, expected one of {', '.join(ACTIVATIONS)}")
        inputs = self.weights[0].shape[0] if self.weights[0].ndim else 0
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            outputs = 1 if k == layers else b.size
            if inputs < 1 or outputs < 1 or w.shape != (inputs, outputs) or b.shape != (outputs,):
                raise InputError(
                    f"layer {k} of {layers}: expected weights ({inputs}, {outputs}) and biases ({outputs},), "
                    f"found {w.shape} and {b.shape}"
                )
            if not (np.isfinite(w).all() and np.isfinite(b).all()):
                raise InputError(f"layer {k} of {layers} has weights or biases that are not finite")
            inputs = outputs

    # --- what it is ---

    @property
    def sizes(self) -> tuple[int, ...]:
        """Nodes of the layers, inputs first."""
        return (*(len(w) for w in self.weights), 1)

    @property
    def parameters(self) -> FloatArray:
        """All weights and biases (P,) in the order of RuNNer's and n2p2's files.

        Layer by layer: the weights to all nodes of the first input, of the second, ..., then the biases.
        """
        parts = [part.ravel() for pair in zip(self.weights, self.biases, strict=True) for part in pair]
        return np.concatenate(parts)

    def with_parameters(self, parameters: npt.ArrayLike) -> Network:
        """Return a network of the same layers with other parameters.

        Parameters
        ----------
        parameters : (P,) array_like
            In the order of `parameters`.

        Raises
        ------
        InputError
            If there are not P of them, or they are not finite.
        """
        vector = np.array(parameters, dtype=np.float64)
        expected = sum(w.size + b.size for w, b in zip(self.weights, self.biases, strict=True))
        if vector.shape != (expected,):
            raise InputError(f"expected {expected} parameters, found an array of shape {vector.shape}")
        weights, biases, at = [], [], 0
        for w, b in zip(self.weights, self.biases, strict=True):
            weights.append(vector[at : at + w.size].reshape(w.shape))
            biases.append(vector[at + w.size : at + w.size + b.size])
            at += w.size + b.size
        return Network(weights, biases, self.activations, self.normalize_nodes)

    def __repr__(self) -> str:
        layers = "-".join(str(size) for size in self.sizes)
        return f"<Network: {layers}, {' '.join(self.activations)}>"

    # --- evaluation ---

    def forward(self, inputs: npt.ArrayLike) -> FloatArray:
        """Energies (n,) of scaled symmetry functions (n, s)."""
        energies: FloatArray = self.layers(self._checked(inputs, "inputs"))[-1].value[:, 0].copy()
        return energies

    def gradient(self, inputs: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Energies and their derivatives with respect to the inputs.

        Parameters
        ----------
        inputs : (n, s) array_like
            Scaled symmetry functions.

        Returns
        -------
        energies : (n,) float64
        gradient : (n, s) float64
            dE_i/dX_i.

        Raises
        ------
        InputError
            If the number of columns is not that of the network's inputs.
        """
        layers = self.layers(self._checked(inputs, "inputs"))
        return layers[-1].value[:, 0].copy(), self.cotangents(layers)[0][0]

    def double_backward(
        self, inputs: npt.ArrayLike, energy_cotangent: npt.ArrayLike, direction: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """Gradient of sum_i c_i E_i + sum_i d_i . dE_i/dX_i, as a loss on energies and forces needs it.

        Parameters
        ----------
        inputs : (n, s) array_like
            Scaled symmetry functions X.
        energy_cotangent : (n,) array_like
            c.
        direction : (n, s) array_like
            d.

        Returns
        -------
        parameters : (P,) float64
            Derivatives with respect to `parameters`.
        inputs : (n, s) float64
            Derivatives with respect to X.

        Raises
        ------
        InputError
            If shapes do not fit.
        """
        x, tangent = self._checked(inputs, "inputs"), self._checked(direction, "direction")
        back = np.array(energy_cotangent, dtype=np.float64)
        if len(tangent) != len(x) or back.shape != (len(x),):
            raise InputError(
                f"expected {len(x)} directions and energy cotangents, found {tangent.shape} and {back.shape}"
            )
        layers = self.layers(x)
        tangents = []  # per layer: derivative along d of the inputs, and of the sums at the nodes
        for layer, w in zip(layers, self.weights, strict=True):
            sums = (tangent @ w) * self.norm(w)
            tangents.append((tangent, sums))
            tangent = layer.slope * sums
        back, back_tangent = back[:, None], np.ones((len(x), 1))
        parts = []
        for layer, w, (tangent, sums) in zip(layers[::-1], self.weights[::-1], tangents[::-1], strict=True):
            node = (layer.slope * back + layer.bend * sums * back_tangent) * self.norm(w)
            node_tangent = layer.slope * back_tangent * self.norm(w)
            parts += [node.sum(axis=0), (layer.inputs.T @ node + tangent.T @ node_tangent).ravel()]
            back, back_tangent = node @ w.T, node_tangent @ w.T
        return np.concatenate(parts[::-1]), back

    def norm(self, w: FloatArray) -> float:
        """Factor of the sums at the nodes of the layer with weights w."""
        return 1 / len(w) if self.normalize_nodes else 1.0

    def cotangents(
        self, layers: list[Layer], weights: FloatArray | None = None
    ) -> tuple[list[FloatArray], list[FloatArray]]:
        """Backward pass after a forward pass of n inputs, for E = sum_i w_i N(X_i).

        Parameters
        ----------
        layers : list of Layer
            Of the forward pass.
        weights : (n,) float64, optional
            w; 1 by default.

        Returns
        -------
        values : list of arrays
            dE/d(inputs), (n, s), then dE/d(output) of each layer, (n, out).
        nodes : list of (n, out) float64
            dE/d(sum at the node), per layer.
        """
        values, nodes = [np.ones_like(layers[-1].value) if weights is None else weights[:, None]], []
        for layer, w in zip(reversed(layers), reversed(self.weights), strict=True):
            nodes.append(values[-1] * layer.slope * self.norm(w))
            values.append(nodes[-1] @ w.T)
        return values[::-1], nodes[::-1]

    def layers(self, x: FloatArray) -> list[Layer]:
        """Forward pass of inputs (n, s), layer by layer."""
        layers = []
        for w, b, name in zip(self.weights, self.biases, self.activations, strict=True):
            layers.append(Layer(x, *activate(name, (x @ w + b) * self.norm(w))))
            x = layers[-1].value
        return layers

    def _checked(self, values: npt.ArrayLike, name: str) -> FloatArray:
        array = np.asarray(values, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != len(self.weights[0]):
            raise InputError(f"{name}: expected an array of shape (n, {len(self.weights[0])}), found {array.shape}")
        return array


def _frozen(values: npt.ArrayLike) -> FloatArray:
    array = np.array(values, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array


def activate(name: str, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Activation function, its first and its second derivative.

    Parameters
    ----------
    name : str
        One of `ACTIVATIONS`.
    x : array of any shape, float64

    Returns
    -------
    value, slope, curvature : float64 arrays of the shape of x
    """
    size = -(-x.size // LANES) * LANES
    padded = np.zeros(size)
    padded[: x.size] = x.ravel()
    results: Any = np.empty((3, size))
    activations.activate(int(Activation[name.upper()]), padded, *results)
    value, slope, bend = (result[: x.size].reshape(x.shape) for result in results)
    return value, slope, bend
