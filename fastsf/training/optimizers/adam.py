"""Adam: gradient descent on mini-batches, with steps scaled by the recent size of each parameter's gradient.

Kingma and Ba, ICLR 2015; decay of the parameters apart from the gradient as in AdamW (Loshchilov and Hutter, ICLR
2019). The result can be a moving average of the parameters, around which a noisy descent circles (Polyak and
Juditsky, SIAM J. Control Optim. 30, 838 (1992)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.storage.states import State, generator_state, restored_generator
from fastsf.training.objective.objective import Objective
from fastsf.training.optimizers.base import Optimizer, OptimizerStep
from fastsf.types import FloatArray

SCHEDULES = ("constant", "exponential", "cosine")
"""Ways in which the learning rate decreases."""


@dataclass(frozen=True)
class AdamSettings:
    """Settings of Adam.

    Parameters
    ----------
    learning_rate : float
        Approximate largest change of a parameter in one update.
    batch : int
        Structures per update.
    beta1, beta2 : float
        Weights of the past in the averages of the gradient and of its square, in [0, 1).
    epsilon : float
        Smallest denominator, in the unit of the gradient.
    weight_decay : float
        Fraction of itself that a parameter loses in each update, per unit of learning rate.
    schedule : {"constant", "exponential", "cosine"}
        Decrease of the learning rate from its full to its final value.
    warmup : float
        Epochs in which the learning rate rises from zero, before it decreases.
    epochs : float
        Epochs after which the learning rate is final.
    final : float
        Final learning rate relative to the full one; a constant learning rate does not use it.
    averaging : float
        Memory of the moving average, epochs; 0 returns the parameters themselves.
    """

    learning_rate: float = 3e-3
    batch: int = 8
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 1.0
    epochs: float = 300.0
    final: float = 0.01
    averaging: float = 0.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("learning_rate", 0.0, math.inf),
            ("epsilon", 0.0, math.inf),
            ("epochs", 0.0, math.inf),
            ("final", 0.0, 1.0 + 1e-12),
        ):
            if not low < getattr(self, name) < high:
                raise InputError(f"{name}: expected a number between {low:g} and {high:g}, found {getattr(self, name)}")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name}: expected 0 or more, less than 1; found {getattr(self, name)}")
        for name in ("weight_decay", "warmup", "averaging"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name}: expected 0 or more, found {getattr(self, name)}")
        if self.batch < 1:
            raise InputError(f"batch: expected one structure or more, found {self.batch}")
        if self.schedule not in SCHEDULES:
            raise InputError(f"schedule: expected one of {', '.join(SCHEDULES)}, found {self.schedule!r}")

    def rate(self, epoch: float) -> float:
        """Return the learning rate at a time in epochs, which need not be whole."""
        if epoch < self.warmup:
            return self.learning_rate * epoch / self.warmup
        part = min(1.0, (epoch - self.warmup) / max(self.epochs - self.warmup, 1e-300))
        if self.schedule == "constant":
            return self.learning_rate
        if self.schedule == "exponential":
            return self.learning_rate * math.pow(self.final, part)
        return self.learning_rate * (self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * part)))


class Adam(Optimizer[AdamSettings]):
    """Optimiser whose step is one pass over all structures, in batches of random composition."""

    name = "adam"
    settings_type = AdamSettings

    def __init__(self, objective: Objective, settings: AdamSettings | None = None, seed: int = 0) -> None:
        super().__init__(objective, settings, seed)
        self._rng = np.random.default_rng(seed)
        self._updates = 0
        self._mean, self._square = np.zeros(objective.size), np.zeros(objective.size)
        self._own, self._average = np.zeros(objective.size), np.zeros(objective.size)

    def step(self, parameters: FloatArray) -> OptimizerStep:
        """Do one epoch. The loss is summed over the batches, each before its own update."""
        if not self._updates or not np.array_equal(parameters, self._average):
            self._own, self._average = parameters.copy(), parameters.copy()
        batches = self._batches()
        loss = 0.0
        for batch in batches:
            part, gradient = self.objective.gradient(self._own, batch)
            loss += part
            self._update(gradient / len(batch), len(batches))
        rate = self.settings.rate(self._updates / len(batches))
        return OptimizerStep(self._average.copy(), loss, {"learning rate": rate})

    def _batches(self) -> list[npt.NDArray[np.int64]]:
        structures = self.objective.n_structures
        return np.array_split(self._rng.permutation(structures), max(1, round(structures / self.settings.batch)))

    def _update(self, gradient: FloatArray, per_epoch: int) -> None:
        s = self.settings
        self._updates += 1
        rate = s.rate(self._updates / per_epoch)
        self._mean += (1 - s.beta1) * (gradient - self._mean)
        self._square += (1 - s.beta2) * (gradient**2 - self._square)
        mean = self._mean / (1 - s.beta1**self._updates)  # unbiased: the averages began at zero
        size = np.sqrt(self._square / (1 - s.beta2**self._updates))
        self._own -= rate * (mean / (size + s.epsilon) + s.weight_decay * self._own)
        keep = math.exp(-1 / (s.averaging * per_epoch)) if s.averaging else 0.0
        self._average += (1 - keep) / (1 - keep**self._updates) * (self._own - self._average)

    def state(self) -> State:
        """Return moments of the gradient, both sets of parameters, the number of updates and the random generator."""
        return {
            "updates": self._updates,
            "mean": self._mean.copy(),
            "square": self._square.copy(),
            "own": self._own.copy(),
            "average": self._average.copy(),
            "generator": generator_state(self._rng),
        }

    def restore(self, state: State) -> None:
        """Continue with a state."""
        self._updates = int(state["updates"])
        self._mean, self._square, self._own, self._average = (
            np.array(state[name], dtype=np.float64) for name in ("mean", "square", "own", "average")
        )
        self._rng = restored_generator(str(state["generator"]))
