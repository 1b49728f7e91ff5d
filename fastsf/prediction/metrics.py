"""Errors of predictions against reference labels, summed structure by structure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.datasets.frames import Frame
from fastsf.elements import chemical_symbol
from fastsf.potentials.metadata import ERROR_UNITS
from fastsf.types import FloatArray

WORST = 10
"""Number of structures with the largest errors that are kept for each kind of label."""
SHOWN = {"energy": (1e3, "meV/atom"), "forces": (1.0, "eV/Å"), "stress": (1e3, "meV/Å^3")}
"""Factors and units of errors in reports."""


@dataclass
class ErrorSums:
    """Sums over errors.

    Parameters
    ----------
    count : int
        Number of errors.
    total, absolute, square : float
        Sums of the errors, their absolute values and their squares.
    largest : float
        Largest absolute value.
    """

    count: int = 0
    total: float = 0.0
    absolute: float = 0.0
    square: float = 0.0
    largest: float = 0.0

    def add(self, errors: npt.ArrayLike) -> None:
        """Add errors."""
        array = np.asarray(errors, dtype=np.float64).ravel()
        if len(array):
            size = np.abs(array)
            self.count += len(array)
            self.total += float(array.sum())
            self.absolute += float(size.sum())
            self.square += float(array @ array)
            self.largest = max(self.largest, float(size.max()))

    @property
    def rmse(self) -> float:
        """Root of the mean square; NaN without errors."""
        return math.sqrt(self.square / self.count) if self.count else math.nan

    @property
    def mae(self) -> float:
        """Mean absolute value; NaN without errors."""
        return self.absolute / self.count if self.count else math.nan

    @property
    def mean(self) -> float:
        """Mean, with sign: prediction minus reference; NaN without errors."""
        return self.total / self.count if self.count else math.nan

    def table(self) -> dict[str, float]:
        """Return the results in plain types."""
        return {"count": self.count, "rmse": self.rmse, "mae": self.mae, "mean": self.mean, "max": self.largest}


class ParitySample:
    """References and predictions for a picture: all of them, or every k-th of too many.

    Parameters
    ----------
    most : int
        Largest number of points to keep.
    """

    def __init__(self, most: int = 200_000) -> None:
        self._most, self._stride, self._seen = most, 1, 0
        self._parts: list[FloatArray] = []

    def add(self, reference: npt.ArrayLike, prediction: npt.ArrayLike) -> None:
        """Add points."""
        points = np.stack([np.ravel(reference), np.ravel(prediction)], axis=1).astype(np.float64)
        self._parts.append(points[-self._seen % self._stride :: self._stride])
        self._seen += len(points)
        while sum(map(len, self._parts)) > self._most:
            self._parts = [np.concatenate(self._parts)[::2]]
            self._stride *= 2

    @property
    def points(self) -> FloatArray:
        """References and predictions, (m, 2) float64."""
        return np.concatenate([np.empty((0, 2)), *self._parts])

    @property
    def is_whole(self) -> bool:
        """True if no point was left out."""
        return self._stride == 1


@dataclass(frozen=True, order=True)
class Worst:
    """Structure with a large error.

    Parameters
    ----------
    error : float
        Absolute error of the energy per atom, or root mean square of the components of forces or stress.
    file : int
        Index of the input file.
    frame : int
        Index in that file, from 0.
    """

    error: float
    file: int
    frame: int


@dataclass
class ErrorMetrics:
    """Errors of energies per atom, forces and stresses of structures with labels.

    Parameters
    ----------
    energy : ErrorSums
        Errors of structures, eV/atom.
    forces : mapping of str to ErrorSums
        Errors of the components of the forces on the atoms of each element, eV/Å.
    stress : ErrorSums
        Errors of the six components, eV/Å^3.
    worst : mapping of str to list of Worst
        Structures with the largest errors for each kind of label, unsorted; see `worst_frames`.
    energies : ParitySample
        Energies per atom for pictures, eV/atom.
    components : mapping of str to ParitySample
        Components of forces of each element for pictures, eV/Å.
    groups : mapping of str to mapping of str to ErrorSums
        Errors of each kind of label in each group of structures.
    """

    energy: ErrorSums = field(default_factory=ErrorSums)
    forces: dict[str, ErrorSums] = field(default_factory=dict)
    stress: ErrorSums = field(default_factory=ErrorSums)
    worst: dict[str, list[Worst]] = field(default_factory=lambda: {name: [] for name in ERROR_UNITS})
    energies: ParitySample = field(default_factory=ParitySample)
    components: dict[str, ParitySample] = field(default_factory=dict)
    groups: dict[str, dict[str, ErrorSums]] = field(default_factory=dict)

    def add(self, frame: Frame, energy: float, forces: FloatArray, stress: FloatArray | None, group: str = "") -> None:
        """Compare one structure with its labels.

        Parameters
        ----------
        frame : Frame
            The structure.
        energy : float
            Prediction, eV.
        forces : (n, 3) float64
            Prediction, eV/Å.
        stress : (6,) float64 or None
            Prediction, eV/Å^3.
        group : str
            Group of the structure; none if empty.
        """
        labels, n = frame.labels, len(frame.structure)
        errors: dict[str, FloatArray] = {}
        if "energy" in labels:
            errors["energy"] = np.atleast_1d((energy - labels["energy"]) / n)
            self.energy.add(errors["energy"])
            self.energies.add(labels["energy"] / n, energy / n)
        if "forces" in labels:
            errors["forces"] = forces - labels["forces"]
            self._add_forces(frame, forces)
        if "stress" in labels and stress is not None:
            errors["stress"] = stress - labels["stress"]
            self.stress.add(errors["stress"])
        for name, each in errors.items():
            self._note(name, frame, _root_mean_square(each))
            if group:
                self.groups.setdefault(group, {}).setdefault(name, ErrorSums()).add(each)

    def _add_forces(self, frame: Frame, forces: FloatArray) -> None:
        reference = frame.labels["forces"]
        errors = forces - reference
        for number in np.unique(frame.structure.numbers).tolist():
            mine, symbol = frame.structure.numbers == number, chemical_symbol(number)
            self.forces.setdefault(symbol, ErrorSums()).add(errors[mine])
            self.components.setdefault(symbol, ParitySample()).add(reference[mine], forces[mine])

    def _note(self, name: str, frame: Frame, error: float) -> None:
        entry = Worst(error, frame.index.file, frame.index.frame)
        if len(self.worst[name]) < WORST:
            heapq.heappush(self.worst[name], entry)
        else:
            heapq.heappushpop(self.worst[name], entry)

    def all_forces(self) -> ErrorSums:
        """Return the errors of the forces on atoms of all elements."""
        total = ErrorSums()
        for each in self.forces.values():
            total.count += each.count
            total.total += each.total
            total.absolute += each.absolute
            total.square += each.square
            total.largest = max(total.largest, each.largest)
        return total

    def worst_frames(self, name: str) -> list[Worst]:
        """Return the structures with the largest errors of "energy", "forces" or "stress", worst first."""
        return sorted(self.worst[name], reverse=True)

    def by_name(self) -> Mapping[str, ErrorSums]:
        """Return the errors of each kind of label that occurred."""
        found = {"energy": self.energy, "forces": self.all_forces(), "stress": self.stress}
        return {name: moments for name, moments in found.items() if moments.count}

    def errors(self) -> dict[str, float]:
        """Return the RMSE of each kind of label that occurred, in the units of `ERROR_UNITS`."""
        return {name: moments.rmse for name, moments in self.by_name().items()}

    def table(self, paths: list[str]) -> dict[str, Any]:
        """Return everything in plain types, for JSON; `paths` are the inputs."""
        document: dict[str, Any] = {}
        for name, moments in self.by_name().items():
            worst = [
                {"file": paths[each.file], "frame": each.frame, "error": each.error} for each in self.worst_frames(name)
            ]
            document[name] = {"unit": ERROR_UNITS[name], **moments.table(), "worst": worst}
        if "forces" in document:
            document["forces"]["elements"] = {symbol: each.table() for symbol, each in sorted(self.forces.items())}
        if self.groups:
            document["groups"] = {
                group: {name: each.table() for name, each in found.items()}
                for group, found in sorted(self.groups.items())
            }
        return document


def _root_mean_square(errors: FloatArray) -> float:
    return float(np.sqrt(np.mean(errors**2)))
