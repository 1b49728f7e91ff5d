"""What all optimisers have in common.

An optimiser is made from an objective, its settings and a seed. It takes parameters and returns better ones, one epoch
or iteration at a time; it can be stopped after any of them and go on elsewhere, with the same results to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from fastsf.types import FloatArray

State: TypeAlias = dict[str, npt.NDArray[np.generic] | float | int | str]
"""What an optimiser remembers from step to step, in types that every file format has."""


@dataclass(frozen=True)
class Step:
    """Result of one step.

    Parameters
    ----------
    parameters : (P,) float64
        The new parameters.
    loss : float
        Of the new parameters, or where that would cost a pass of its own, as met on the way to them.
    info : dict of str to float
        What the optimiser wants to tell about the step, for the history.
    """

    parameters: FloatArray
    loss: float
    info: dict[str, float] = field(default_factory=dict)


class Optimizer(Protocol):
    """An optimiser at work."""

    name: str

    def step(self, parameters: FloatArray) -> Step:
        """Improve the parameters (P,) by one epoch or iteration; they are not changed in place."""

    def state(self) -> State:
        """Everything that `restore` needs; the arrays are not changed by later steps."""

    def restore(self, state: Mapping[str, npt.NDArray[np.generic] | float | int | str]) -> None:
        """Go on where the optimiser that gave `state` was, with the same objective, settings and seed."""
