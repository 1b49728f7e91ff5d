"""Network of one element: a multilayer perceptron from symmetry functions to an energy."""

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
    """Results of a forward pass for one layer: inputs (n, in); f, f' and f'' at the nodes (n, out)."""

    inputs: FloatArray
    value: FloatArray
    slope: FloatArray
    bend: FloatArray


class Network:
    """Multilayer perceptron with one output.

    Every layer computes y = f(x W + b), or f((x W + b) / n_in) with `normalize_nodes`.

    Parameters
    ----------
    weights : sequence of (n_in, n_out) arrays
        One per layer, hidden layers first; the last one has n_out = 1.
    biases : sequence of (n_out,) arrays
        One per layer.
    activations : sequence of str
        One of `ACTIVATIONS` per layer.
    normalize_nodes : bool
        Divide the sum at each node, including the bias, by the number of nodes of the previous layer.

    Raises
    ------
    InputError
        If shapes do not match, numbers are not finite or an activation function is unknown.
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
                raise InputError(f"activation function: expected one of {', '.join(ACTIVATIONS)}, found {name!r}")
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
        """Numbers of nodes of the layers, inputs first."""
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
            Weights and biases in the order of `parameters`.

        Raises
        ------
        InputError
            If their number is not P, or they are not finite.
        """
        vector = np.array(parameters, dtype=np.float64)
        expected = sum(w.size + b.size for w, b in zip(self.weights, self.biases, strict=True))
        if vector.shape != (expected,):
            raise InputError(f"expected {expected} parameters, found an array of shape {vector.shape}")
        weights, biases, start = [], [], 0
        for w, b in zip(self.weights, self.biases, strict=True):
            weights.append(vector[start : start + w.size].reshape(w.shape))
            biases.append(vector[start + w.size : start + w.size + b.size])
            start += w.size + b.size
        return Network(weights, biases, self.activations, self.normalize_nodes)

    def __repr__(self) -> str:
        layers = "-".join(str(size) for size in self.sizes)
        return f"<Network: {layers}, {' '.join(self.activations)}>"

    # --- evaluation ---

    def forward(self, inputs: npt.ArrayLike) -> FloatArray:
        """Return the energies (n,) of scaled symmetry functions (n, s)."""
        energies: FloatArray = self.layers(self._checked(inputs, "inputs"))[-1].value[:, 0].copy()
        return energies

    def gradient(self, inputs: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return energies and their derivatives with respect to the inputs.

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
            If the number of columns is not the number of inputs of the network.
        """
        layers = self.layers(self._checked(inputs, "inputs"))
        return layers[-1].value[:, 0].copy(), self.cotangents(layers)[0][0]

    def double_backward(
        self, inputs: npt.ArrayLike, energy_cotangent: npt.ArrayLike, direction: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """Return the gradient of sum_i c_i E_i + sum_i d_i . dE_i/dX_i, for a loss on energies and forces.

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
            If shapes do not match.
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
        """Return the factor of the sums at the nodes of the layer with weights w."""
        return 1 / len(w) if self.normalize_nodes else 1.0

    def cotangents(
        self, layers: list[Layer], weights: FloatArray | None = None
    ) -> tuple[list[FloatArray], list[FloatArray]]:
        """Run the backward pass of E = sum_i w_i N(X_i) after a forward pass of n inputs.

        Parameters
        ----------
        layers : list of Layer
            Results of the forward pass.
        weights : (n,) float64, optional
            w; default: 1.

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
        """Run the forward pass of inputs (n, s); return the results of each layer."""
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
    """Return an activation function, its first and its second derivative.

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
