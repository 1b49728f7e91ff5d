"""The sections of a configuration, one class each; every value has a default except the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fastsf.datasets.frames import OnError, Reading
from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.potentials.network import ACTIVATIONS
from fastsf.potentials.scaling import Mode
from fastsf.symmetry.definition import PAIR_CENTERED
from fastsf.symmetry.pcsf import PCSFunction
from fastsf.training.objective.initialization import METHODS

NO_RECIPE = "none"
"""Name in place of a recipe's: no atom-centred functions."""

READING_KEYS = (
    "length_unit",
    "energy_unit",
    "energy_key",
    "forces_key",
    "stress_key",
    "on_error",
    "file_format",
    "types",
)
"""Keys of [data] for reading files."""


@dataclass(frozen=True)
class DataSection:
    """Section [data]: structures with labels, and their parts.

    Parameters
    ----------
    train : tuple of str
        Files and patterns; relative to the folder of the configuration.
    validation, test : float or tuple of str
        Fraction of `train`, in each group, or files.
    validation_groups, test_groups : tuple of str
        Groups of `train` for these parts, in place of a fraction.
    seed : int
        Seed of the random split.
    length_unit, energy_unit, energy_key, forces_key, stress_key, on_error, file_format, types
        As for `fastsf.datasets.frames.Reading`.
    group_key, weight_key, set_key : str, optional
        Keys of the group, the weight and the subset of a structure.
    on_serious : "stop" or "warn"
        Reaction to serious findings in the data.
    group_weights : dict of str to float
        Factors of the weights of structures.
    """

    train: tuple[str, ...]
    validation: float | tuple[str, ...] = 0.1
    test: float | tuple[str, ...] = ()
    validation_groups: tuple[str, ...] = ()
    test_groups: tuple[str, ...] = ()
    seed: int = 0
    length_unit: str = "Angstrom"
    energy_unit: str = "eV"
    energy_key: str | None = None
    forces_key: str | None = None
    stress_key: str | None = None
    group_key: str | None = None
    weight_key: str | None = None
    set_key: str | None = None
    on_error: OnError = "stop"
    file_format: str | None = None
    types: tuple[str, ...] = ()
    on_serious: Literal["stop", "warn"] = "stop"
    group_weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.train:
            raise InputError("train: expected at least one file")
        for name in ("validation", "test"):
            if getattr(self, f"{name}_groups") and isinstance(getattr(self, name), tuple) and getattr(self, name):
                raise InputError(f"{name} and {name}_groups exclude each other")

    @property
    def reading(self) -> Reading:
        """Options for reading files."""
        return Reading(**{name: getattr(self, name) for name in READING_KEYS})


@dataclass(frozen=True)
class NetworksSection:
    """Section [networks]: one network per element, all of the same shape.

    Parameters
    ----------
    hidden : tuple of int
        Nodes of the hidden layers.
    activation : str
        Activation function of the hidden layers; the output is linear.
    initialization, bounds, bias_spread
        As for `initial_network`.
    scaling : str
        Scaling of the symmetry functions, as for `Scaling`.
    atom_energies : dict of str to float
        Energies of free atoms by elements, eV, in place of those of the data.
    """

    hidden: tuple[int, ...] = (20, 20)
    activation: str = "tanh"
    initialization: str = "lecun_normal"
    bounds: tuple[float, ...] = (-1.0, 1.0)
    bias_spread: float = 0.5
    scaling: Mode = "scale_sigma"
    atom_energies: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_hidden(self.hidden)
        if self.initialization not in METHODS:
            raise InputError(f"initialization: expected one of {', '.join(METHODS)}, found {self.initialization!r}")
        if self.activation not in ACTIVATIONS:
            raise InputError(f"activation: expected one of {', '.join(ACTIVATIONS)}, found {self.activation!r}")
        if len(self.bounds) != 2:
            raise InputError(f"bounds: expected two numbers, found {list(self.bounds)}")
        for symbol, energy in self.atom_energies.items():
            try:
                atomic_number(symbol)
            except InputError as error:
                raise InputError(f"atom_energies: {error}") from error
            if not math.isfinite(energy):
                raise InputError(f"atom_energies: expected a finite energy of {symbol} in eV, found {energy}")


@dataclass(frozen=True)
class LossSection:
    """Section [loss]: errors that count as one, and the decay of weights.

    Parameters
    ----------
    energy, forces, stress : float or "auto"
        Sigmas, in eV per atom, eV/Å and eV/Å^3.
    use_stress : bool
        Also train on stresses.
    balance : bool
        Let the sigmas follow the remaining errors.
    decay : float
        Factor of the squares of the weights. As errors are counted in sigmas, the expected size of weights is
        about decay^(-1/2).
    """

    energy: float | Literal["auto"] = "auto"
    forces: float | Literal["auto"] = "auto"
    stress: float | Literal["auto"] = "auto"
    use_stress: bool = False
    balance: bool = False
    decay: float = 10.0

    def __post_init__(self) -> None:
        for name in ("energy", "forces", "stress"):
            if getattr(self, name) != "auto" and not 0 < getattr(self, name) < float("inf"):
                raise InputError(f'{name}: expected a positive number or "auto", found {getattr(self, name)}')
        if not 0 <= self.decay < float("inf"):
            raise InputError(f"decay: expected 0 or more, found {self.decay}")


@dataclass(frozen=True)
class TrainingLimits:
    """Limits of a training.

    Parameters
    ----------
    epochs : int
        Largest number of epochs.
    minutes : float
        Time after which no further epoch begins.
    patience : int
        Largest number of epochs without a better score; only with a validation set.
    """

    epochs: int = 100
    minutes: float = math.inf
    patience: int = 30

    def __post_init__(self) -> None:
        _check_least(self, {"epochs": 0, "minutes": 0, "patience": 1})


@dataclass(frozen=True)
class RunSection:
    """Section [run]: limits, seeds and resources.

    Parameters
    ----------
    epochs, minutes, patience
        As for `TrainingLimits`.
    seed : int
        Seed of the first training.
    seeds : int
        Number of trainings, each with its own seed: a committee.
    checkpoint_minutes : float
        Time between checkpoints.
    threads : int, optional
        Number of threads, all if not given.
    memory : float
        Memory for matrices of the optimiser and for derivatives that are computed once and kept, GiB.
    precision : "float32" or "float64"
        Precision of the kept derivatives of the symmetry functions.
    """

    epochs: int = 100
    minutes: float = 15.0
    patience: int = 30
    seed: int = 0
    seeds: int = 1
    checkpoint_minutes: float = 1.0
    threads: int | None = None
    memory: float = 4.0
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        self.limits  # noqa: B018  checks them
        _check_least(self, {"seed": 0, "seeds": 1, "checkpoint_minutes": 0.0, "memory": 0.0})
        if self.threads is not None and self.threads < 1:
            raise InputError(f"threads: expected at least 1, found {self.threads}")

    @property
    def limits(self) -> TrainingLimits:
        """Limits of a training."""
        return TrainingLimits(self.epochs, self.minutes, self.patience)


@dataclass(frozen=True)
class PCSFSection:
    """Section [pairs]: pair-centred functions, and one network per kind of pairs, all of the same shape.

    Parameters
    ----------
    envelope : {"fc", "shift", "none"}
        Envelope of the energy of a pair at the cutoff, as for `PairTerm`.
    hidden : tuple of int, optional
        Nodes of the hidden layers, as in `NetworksSection` if not given.
    functions : list of PCSFunction, optional
        The functions.
    recipe : dict, optional
        Recipe ("name") and its options, in place of functions. Without either, functions that suit the data.
    """

    envelope: Literal["fc", "shift", "none"] = "fc"
    hidden: tuple[int, ...] | None = None
    functions: list[PCSFunction] | None = None
    recipe: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        _check_hidden(self.hidden or ())

    def table(self) -> dict[str, Any]:
        """Return everything in plain types."""
        functions = None if self.functions is None else [PAIR_CENTERED.to_dict(each) for each in self.functions]
        return {"envelope": self.envelope, "hidden": self.hidden, "recipe": self.recipe, "functions": functions}


def _check_hidden(hidden: tuple[int, ...]) -> None:
    """Raise InputError for layers without nodes."""
    if any(size < 1 for size in hidden):
        raise InputError(f"hidden: expected positive numbers, found {list(hidden)}")


def _check_least(section: object, least: Mapping[str, float]) -> None:
    """Raise InputError for a value below its minimum, or not a number."""
    for name, minimum in least.items():
        if not getattr(section, name) >= minimum:
            raise InputError(f"{name}: expected at least {minimum}, found {getattr(section, name)}")
