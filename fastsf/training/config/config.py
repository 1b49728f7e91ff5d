"""The configuration of a training: one TOML file, every value of which has a default but the data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fastsf.datasets.frames import OnError, Reading
from fastsf.datasets.labelled import LabelledSet
from fastsf.errors import InputError
from fastsf.potentials.network import ACTIVATIONS
from fastsf.potentials.scaling import Mode
from fastsf.symmetry import recipes
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.definition import ATOM_CENTERED
from fastsf.training.config.n2p2_folder import TrainingFolder
from fastsf.training.config.pcsf import PairNetworks, check_hidden
from fastsf.training.config.suggest import suggest
from fastsf.training.objective.initialization import METHODS
from fastsf.training.run.loop import Limits

NO_RECIPE = "none"
"""In place of a recipe's name: no atom-centred functions."""

READING_KEYS = ("length_unit", "energy_unit", "energy_key", "forces_key", "stress_key", "on_error")
"""Keys of [data] that tell how files are read."""


@dataclass(frozen=True)
class Data:
    """Section [data]: structures with labels, and what they are for.

    Parameters
    ----------
    train : tuple of str
        Files and patterns; relative to the folder of the configuration.
    validation, test : float or tuple of str
        A fraction of `train`, from each group its share, or files.
    validation_groups, test_groups : tuple of str
        Groups of `train` that are for these in place of a fraction.
    seed : int
        Of the draw.
    length_unit, energy_unit, energy_key, forces_key, stress_key, on_error
        As for `fastsf.datasets.frames.Reading`.
    group_key, weight_key : str, optional
        Names under which the group and the weight of a structure stand.
    on_serious : "stop" or "warn"
        What to do about data with which training makes no sense.
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
    on_error: OnError = "stop"
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
        """How files are read."""
        return Reading(**{name: getattr(self, name) for name in READING_KEYS})


@dataclass(frozen=True)
class Networks:
    """Section [networks]: one network per element, all of the same shape.

    Parameters
    ----------
    hidden : tuple of int
        Nodes of the hidden layers.
    activation : str
        Of the hidden layers; the output is linear.
    initialization, bounds, bias_spread
        As for `initial_network`.
    scaling : str
        Of the symmetry functions, as for `Scaling`.
    """

    hidden: tuple[int, ...] = (20, 20)
    activation: str = "tanh"
    initialization: str = "lecun_normal"
    bounds: tuple[float, ...] = (-1.0, 1.0)
    bias_spread: float = 0.5
    scaling: Mode = "scale_sigma"

    def __post_init__(self) -> None:
        check_hidden(self.hidden)
        if self.initialization not in METHODS:
            raise InputError(f"initialization: expected one of {', '.join(METHODS)}, found {self.initialization!r}")
        if self.activation not in ACTIVATIONS:
            raise InputError(f"activation: expected one of {', '.join(ACTIVATIONS)}, found {self.activation!r}")
        if len(self.bounds) != 2:
            raise InputError(f"bounds: expected two numbers, found {list(self.bounds)}")


@dataclass(frozen=True)
class Loss:
    """Section [loss]: errors that count as one, and the decay of weights.

    Parameters
    ----------
    energy, forces, stress : float or "auto"
        Sigmas, in eV per atom, eV/Å and eV/Å^3.
    use_stress : bool
        Whether stresses are trained on.
    balance : bool
        Let the sigmas follow the errors that are left.
    decay : float
        Factor of the squares of the weights. As errors are counted in sigmas, weights are expected to be about
        decay^(-1/2) large.
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
class RunOptions:
    """Section [run]: how long, how often, and with what.

    Parameters
    ----------
    epochs, minutes, patience
        As for `Limits`.
    seed : int
        Of the first training.
    seeds : int
        How many trainings, each with a seed of its own: a committee.
    checkpoint_minutes : float
        From one checkpoint to the next.
    threads : int, optional
        All by default.
    memory : float
        GiB for what is computed once and kept.
    precision : "float32" or "float64"
        Of the derivatives of the symmetry functions that are kept.
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
        for name, least in (("seed", 0), ("seeds", 1), ("checkpoint_minutes", 0.0), ("memory", 0.0)):
            if not getattr(self, name) >= least:
                raise InputError(f"{name}: expected at least {least}, found {getattr(self, name)}")
        if self.threads is not None and self.threads < 1:
            raise InputError(f"threads: expected at least 1, found {self.threads}")

    @property
    def limits(self) -> Limits:
        """When a training ends."""
        return Limits(self.epochs, self.minutes, self.patience)


@dataclass(frozen=True)
class Config:
    """Everything that a training needs to be told.

    Parameters
    ----------
    data : Data
    networks : Networks
    loss : Loss
    run : RunOptions
    optimizer : str
        Key of `OPTIMIZERS`.
    settings : object
        Its settings.
    folder : TrainingFolder, optional
        Folder of n2p2 that tells functions and networks, in place of all that follows and of `networks`.
    functions : list of Radial or Angular, optional
        Symmetry functions.
    recipe : dict, optional
        A recipe ("name") and its options, in place of functions; "none" for none at all. Without either, what suits
        the data.
    pairs : PairNetworks, optional
        Pair-centred functions; none by default.
    """

    data: Data
    networks: Networks
    loss: Loss
    run: RunOptions
    optimizer: str
    settings: Any
    folder: TrainingFolder | None = None
    functions: list[SymmetryFunction] | None = None
    recipe: dict[str, Any] | None = None
    pairs: PairNetworks | None = None

    def functions_for(self, labelled: LabelledSet) -> list[SymmetryFunction]:
        """Atom-centred functions for a training set, none if pairs shall do without.

        Raises
        ------
        InputError
            If the recipe does not have them.
        """
        if self.functions is not None:
            return self.functions
        options = dict(suggest(labelled).recipe if self.recipe is None else self.recipe)
        if options["name"] == NO_RECIPE:
            return []
        return recipes.make(options.pop("name"), labelled.elements, **options)

    def table(self) -> dict[str, Any]:
        """Everything in JSON's types."""
        document: dict[str, Any] = {name: asdict(getattr(self, name)) for name in ("data", "networks", "loss", "run")}
        document["optimizer"] = {"name": self.optimizer, **asdict(self.settings)}
        document["recipe"] = self.recipe
        document["input.nn"] = None if self.folder is None else repr(self.folder)
        document["functions"] = (
            None if self.functions is None else ATOM_CENTERED.to_document(self.functions, [])["functions"]
        )
        if self.pairs is not None:
            document["pairs"] = self.pairs.table()
        return dict(json.loads(json.dumps(document)))
