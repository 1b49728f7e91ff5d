"""Energy, forces and stress of a structure as rows of numbers, and their derivatives by the parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.kernels.networks import tangents
from fastsf.potentials.network import Network
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.network_rows import NetworkPass, along, direction_rows, energy_row, forward_backward
from fastsf.training.objective.parts import SamplePart
from fastsf.training.objective.samples import Sample
from fastsf.types import FloatArray, IntArray

_Entries = Iterator[tuple[SamplePart, Network, NetworkPass, slice]]


@dataclass(frozen=True)
class Terms:
    """Rows of a structure: energy in eV, 3 n components of forces in eV/Å and, with stress, 6 in eV/Å^3.

    Parameters
    ----------
    n : int
        Number of atoms.
    volume : float
        Volume of the cell, Å^3.
    constant : float
        Part of the energy outside the networks, eV.
    stress : bool
        True if there are rows of stress.
    """

    n: int
    volume: float
    constant: float
    stress: bool

    @property
    def size(self) -> int:
        """Number of rows."""
        return 1 + 3 * self.n + 6 * self.stress

    def predict(self, model: TrainableModel, sample: Sample) -> tuple[FloatArray, list[NetworkPass | None]]:
        """Compute the rows (size,) and the passes through the networks that `jacobian` and `pull_back` need."""
        values = np.zeros(self.size)
        values[0] = self.constant
        passes = _passes(model, sample)
        for part, _, done, _ in _parts(model, sample, passes):
            values[0] += model.energy_scale * done.energies.sum()
            for first, factor, index, blocks in self._directions(model, part):
                change = factor * along(done.gradient, index, blocks).ravel()
                values[first : first + change.size] += change
        return values, passes

    def jacobian(
        self, model: TrainableModel, sample: Sample, passes: list[NetworkPass | None], dtype: np.dtype[Any]
    ) -> npt.NDArray[Any]:
        """Compute the derivatives of all rows, (size, P), in the precision dtype."""
        jacobian = np.zeros((self.size, model.slices[-1].stop), dtype)
        for part, network, done, place in _parts(model, sample, passes):
            energy_row(done, jacobian[0, place])
            jacobian[0, place] *= model.energy_scale
            for first, factor, index, blocks in self._directions(model, part):
                target = jacobian[first : first + index.shape[0] * blocks.shape[2], place]
                direction_rows(network, done, index, blocks.astype(dtype, copy=False), target)
                target *= factor
        return jacobian

    def chosen_rows(self, model: TrainableModel, sample: Sample, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """Compute some rows (m,) and their derivatives (m, P), and nothing else."""
        values, jacobian = np.zeros(len(chosen)), np.zeros((len(chosen), model.slices[-1].stop))
        energies = np.flatnonzero(chosen == 0)
        values[energies] = self.constant
        passes = _passes(model, sample)
        for part, network, done, place in _parts(model, sample, passes):
            for row in energies:
                values[row] += model.energy_scale * done.energies.sum()
                energy_row(done, jacobian[row, place])
                jacobian[row, place] *= model.energy_scale
            for first, factor, index, blocks in self._directions(model, part):
                axes = blocks.shape[2]
                mine = np.flatnonzero((first <= chosen) & (chosen < first + len(index) * axes))
                if len(mine):
                    at, axis = np.divmod(chosen[mine] - first, axes)
                    places, directions = index[at], blocks[at, :, axis, None].astype(np.float64, copy=False)
                    target = np.empty((len(mine), place.stop - place.start))
                    direction_rows(network, done, places, directions, target)
                    values[mine] += factor * along(done.gradient, places, directions)[:, 0]
                    jacobian[mine, place] = factor * target
        return values, jacobian

    def pull_back(
        self, model: TrainableModel, sample: Sample, passes: list[NetworkPass | None], cotangent: FloatArray
    ) -> FloatArray:
        """Compute the derivatives (P,) of the sum of rows times cotangent (size,), by a double backward pass."""
        gradient = np.zeros(model.slices[-1].stop)
        for part, network, _, place in _parts(model, sample, passes):
            direction = np.zeros((len(part.inputs), part.blocks.shape[-1]))
            for first, factor, index, blocks in self._directions(model, part):
                n, d = index.shape[0], blocks.shape[2]
                rows = factor * cotangent[first : first + n * d].reshape(n, d)
                tangents.pull_back(rows, index, blocks, direction)
            energies = np.full(len(part.inputs), model.energy_scale * cotangent[0])
            if part.weights is not None:
                energies = part.weights * energies + direction[:, -1]
                direction = part.weights[:, None] * direction[:, :-1]
            gradient[place], _ = network.double_backward(part.inputs, energies, direction)
        return gradient

    def _directions(self, model: TrainableModel, part: SamplePart) -> Iterator[tuple[int, float, IntArray, Any]]:
        """Yield first row, factor, index and blocks of the forces and of the stress."""
        yield 1, -model.energy_scale, part.index, part.blocks
        if part.strain is not None:
            yield 1 + 3 * self.n, model.energy_scale / self.volume, np.arange(len(part.inputs))[None], part.strain


def _passes(model: TrainableModel, sample: Sample) -> list[NetworkPass | None]:
    return [
        None if part is None else forward_backward(network, part.inputs, part.weights)
        for part, network in zip(sample, model.networks, strict=True)
    ]


def _parts(model: TrainableModel, sample: Sample, passes: list[NetworkPass | None]) -> _Entries:
    """Yield part, network, pass and slice of the parameters for each element and kind of pairs of a structure."""
    for part, network, done, place in zip(sample, model.networks, passes, model.slices, strict=True):
        if part is not None and done is not None:
            yield part, network, done, place
