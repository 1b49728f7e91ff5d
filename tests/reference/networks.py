"""Feed-forward networks, as the papers write them: one atom, one node at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "tanh": math.tanh,
    "logistic": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)) if x < 30 else x + math.exp(-x),
    "relu": lambda x: max(0.0, x),
    "gaussian": lambda x: math.exp(-x * x / 2),
    "cosine": math.cos,
    "revlogistic": lambda x: 1 / (1 + math.exp(x)),
    "exp": lambda x: math.exp(-x),
    "harmonic": lambda x: x * x,
}
"""Activation functions f."""

SLOPES: dict[str, Callable[[float], float]] = {
    "linear": lambda x: 1.0,
    "tanh": lambda x: 1 / math.cosh(x) ** 2,
    "logistic": lambda x: 1 / (2 * math.cosh(x / 2)) ** 2,
    "softplus": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: 1.0 if x > 0 else 0.0,
    "gaussian": lambda x: -x * math.exp(-x * x / 2),
    "cosine": lambda x: -math.sin(x),
    "revlogistic": lambda x: -1 / (2 * math.cosh(x / 2)) ** 2,
    "exp": lambda x: -math.exp(-x),
    "harmonic": lambda x: 2 * x,
}
"""Derivatives f'."""

CURVATURES: dict[str, Callable[[float], float]] = {
    "linear": lambda x: 0.0,
    "tanh": lambda x: -2 * math.tanh(x) / math.cosh(x) ** 2,
    "logistic": lambda x: -math.tanh(x / 2) / (2 * math.cosh(x / 2)) ** 2,
    "softplus": lambda x: 1 / (2 * math.cosh(x / 2)) ** 2,
    "relu": lambda x: 0.0,
    "gaussian": lambda x: (x * x - 1) * math.exp(-x * x / 2),
    "cosine": lambda x: -math.cos(x),
    "revlogistic": lambda x: math.tanh(x / 2) / (2 * math.cosh(x / 2)) ** 2,
    "exp": lambda x: math.exp(-x),
    "harmonic": lambda x: 2.0,
}
"""Second derivatives f''."""


def energy_and_gradient(
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    activations: Sequence[str],
    normalize_nodes: bool,
    x: np.ndarray,
) -> tuple[float, np.ndarray]:
    """Return the output of a network and its derivatives with respect to the inputs x (s,).

    y_k = f(b_k + sum_j w_jk y_j), or f of that over the number of nodes j; and dy_k/dx_m = f' sum_j w_jk dy_j/dx_m.
    """
    values = [float(number) for number in x]
    derivatives = [[float(j == m) for m in range(len(x))] for j in range(len(x))]
    for w, b, name in zip(weights, biases, activations, strict=True):
        divisor = len(values) if normalize_nodes else 1
        new_values, new_derivatives = [], []
        for k in range(len(b)):
            z = (b[k] + math.fsum(w[j, k] * values[j] for j in range(len(values)))) / divisor
            slope = SLOPES[name](z) / divisor
            new_values.append(FUNCTIONS[name](z))
            new_derivatives.append(
                [slope * math.fsum(w[j, k] * derivatives[j][m] for j in range(len(values))) for m in range(len(x))]
            )
        values, derivatives = new_values, new_derivatives
    return values[0], np.array(derivatives[0])
