"""Base of all optimisers.

An optimiser takes parameters and returns better ones, one epoch or iteration at a time. It can be stopped after any of
them and continue elsewhere, with the same results to the last bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from fastsf.storage.states import State
from fastsf.training.objective.objective import Objective
from fastsf.types import FloatArray

S = TypeVar("S")


@dataclass(frozen=True)
class OptimizerStep:
    """Result of one step.

    Parameters
    ----------
    parameters : (P,) float64
        New parameters.
    loss : float
        Loss of the new parameters. Where that would cost a pass of its own, the loss found on the way to them.
    info : dict of str to float
        Further numbers about the step, for the history.
    """

    parameters: FloatArray
    loss: float
    info: dict[str, float] = field(default_factory=dict)


class Optimizer(ABC, Generic[S]):
    """Base of optimisers.

    Parameters
    ----------
    objective : Objective
        Sum of squares to minimise.
    settings : optional
        Settings of the class `settings_type`; its defaults if not given.
    seed : int
        Seed of random numbers, for optimisers that draw any.

    Attributes
    ----------
    name : str
        Name in configurations.
    settings_type : type
        Dataclass of the settings.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[Any]]

    def __init__(self, objective: Objective, settings: S | None = None, seed: int = 0) -> None:
        self.objective = objective
        self.settings: S = settings or self.settings_type()

    @classmethod
    def matrix_bytes(cls, sizes: Sequence[int], settings: S, threads: int) -> int:
        """Return an upper bound of the memory for matrices, bytes; 0 for optimisers without any.

        Parameters
        ----------
        sizes : sequence of int
            Number of parameters of each network.
        settings
            Settings of the optimiser.
        threads : int
            Number of threads of the objective.
        """
        return 0

    @abstractmethod
    def step(self, parameters: FloatArray) -> OptimizerStep:
        """Improve the parameters (P,) by one epoch or iteration; the array itself is not changed."""

    @abstractmethod
    def state(self) -> State:
        """Return everything that `restore` needs; the arrays are not changed by later steps."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Continue where the optimiser that returned `state` was, with the same objective, settings and seed."""
