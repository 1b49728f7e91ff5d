"""From a configuration to objectives: data, symmetry functions, scalings, samples; what all seeds of a run share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.datasets.labelled import LabelledSet, read_labelled
from fastsf.datasets.reference_energies import reference_energies
from fastsf.datasets.splits import Named, Split, split
from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.pcsf import PCSF
from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.potentials.network import Network
from fastsf.potentials.scaling import Scaling
from fastsf.storage.atomic import storage_errors
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.definition import ATOM_CENTERED, PAIR_CENTERED
from fastsf.threads import most_threads
from fastsf.training.config.config import Config, Data, Networks
from fastsf.training.config.pcsf import PairNetworks
from fastsf.training.objective.balance import starting_sigma
from fastsf.training.objective.initialization import initial_network
from fastsf.training.objective.measures import Sigma
from fastsf.training.objective.model import Model
from fastsf.training.objective.objective import Objective
from fastsf.training.objective.parts import with_functions
from fastsf.training.objective.pcsf_parts import PairInputs, estimated_pair_bytes, find_pair_scalings, kinds_present
from fastsf.training.objective.samples import Samples, estimated_bytes, find_scalings

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """The data of a run.

    Parameters
    ----------
    labelled : LabelledSet
        All structures.
    split : Split
        Which are for what.
    """

    labelled: LabelledSet
    split: Split

    def part(self, name: str) -> LabelledSet:
        """Structures of one of `PARTS`."""
        return self.labelled.select(getattr(self.split, name))

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of every file, found when first asked for.

        Raises
        ------
        StorageError
            If one cannot be read any more.
        """
        found = {}
        for path in dict.fromkeys(self.labelled.files):
            with storage_errors(f"cannot read {path}"), Path(path).open("rb") as file:
                digest = hashlib.sha256()
                while block := file.read(1 << 20):
                    digest.update(block)
                found[path] = digest.hexdigest()
        return found


def read_data(data: Data) -> Dataset:
    """Read and divide the structures.

    Raises
    ------
    StorageError, InputError
        As `read_labelled` and `split`; for an element that is not in the training set but elsewhere.
    """

    def read(paths: tuple[str, ...]) -> LabelledSet:
        return read_labelled(paths, data.reading, group_key=data.group_key, weight_key=data.weight_key)

    main = read(data.train)
    apart = [read(names) if isinstance(names, tuple) and names else None for names in (data.validation, data.test)]
    choices = [_choice(getattr(data, name), getattr(data, f"{name}_groups")) for name in ("validation", "test")]
    own = split(main, *choices, seed=data.seed, use_marks=True)
    sets = [main, *(each for each in apart if each is not None)]
    whole = LabelledSet.joined(sets).weighted(data.group_weights)
    dataset = Dataset(whole, _with_sets(own, len(main), apart))
    _check_elements(dataset)
    return dataset


def _choice(wanted: float | tuple[str, ...], groups: tuple[str, ...]) -> float | Named:
    if groups:
        return Named("group", groups)
    return 0.0 if isinstance(wanted, tuple) else wanted


def _with_sets(own: Split, first: int, apart: list[LabelledSet | None]) -> Split:
    """Add sets of their own, behind the structures that were divided."""
    parts = [own.validation, own.test]
    for k, each in enumerate(apart):
        if each is not None:
            parts[k] = np.concatenate([parts[k], np.arange(first, first + len(each))])
            first += len(each)
    warnings = () if len(parts[0]) else own.warnings
    return Split(own.train, parts[0], parts[1], warnings)


def _check_elements(dataset: Dataset) -> None:
    known = dataset.part("train").elements
    for name in PARTS[1:]:
        part = dataset.part(name)
        for symbol in sorted(set(part.elements) - set(known)):
            has_it = [atomic_number(symbol) in structure.numbers for structure in part.structures]
            raise InputError(
                f"{part.sources[has_it.index(True)]}: {symbol} is in the {name} set, but in no structure of the "
                f"training set, whose elements are {', '.join(known)}"
            )


@dataclass(frozen=True, eq=False)
class Preparation:
    """What all seeds of a run share.

    Parameters
    ----------
    config : Config
    dataset : Dataset
    descriptor : ACSF
        Without functions if there are only those of pairs.
    scalings : dict of str to Scaling
    pairs : PairInputs or None
    sigma : Sigma
        Where training begins.
    model : callable
        Makes the networks to start from with a seed.
    """

    config: Config
    dataset: Dataset
    descriptor: ACSF
    scalings: dict[str, Scaling]
    pairs: PairInputs | None
    sigma: Sigma
    model: Callable[[int], Model]

    @classmethod
    def of(cls, config: Config, dataset: Dataset) -> Preparation:
        """Compute what does not take long.

        Parameters
        ----------
        config : Config
        dataset : Dataset

        Raises
        ------
        InputError
            If functions and structures do not fit together.
        """
        train = dataset.part("train")
        make = _starts(config, train)
        model = make(config.run.seed)
        model.potential()  # so that what does not go together shows now
        known = starting_sigma(train)
        chosen = {name: getattr(config.loss, name) for name in ("energy", "forces", "stress")}
        sigma = Sigma(**{name: getattr(known, name) if v == "auto" else v for name, v in chosen.items()})
        return cls(config, dataset, model.descriptor, dict(model.scalings), model.pairs, sigma, make)

    @property
    def descriptors(self) -> list[ACSF | PCSF]:
        """Descriptors with functions."""
        atoms: list[ACSF | PCSF] = [self.descriptor] if self.descriptor.n_features else []
        return atoms if self.pairs is None else [*atoms, self.pairs.descriptor]

    def estimated_bytes(self) -> int:
        """Memory that the samples take at most."""
        itemsize = np.dtype(self.config.run.precision).itemsize
        structures = [s for name in PARTS[:2] for s in self.dataset.part(name).structures]
        total = estimated_bytes(self.descriptor, structures, itemsize)
        if self.pairs is not None:
            total += estimated_pair_bytes(self.pairs.descriptor, structures, itemsize)
        return total

    def samples(self, name: str, memory: float, on_progress: Callable[[int], object] = lambda n: None) -> Samples:
        """Samples of the structures of a part, computed as far as so many bytes go."""
        samples = Samples(
            self.descriptor,
            self.scalings,
            self.dataset.part(name).structures,
            pairs=self.pairs,
            stress=self.config.loss.use_stress,
            memory=memory,
            dtype=np.dtype(self.config.run.precision),
        )
        for done in samples.fill():
            on_progress(done)
        return samples

    def objective(self, name: str, model: Model, samples: Samples) -> Objective:
        """Objective over a part."""
        labelled, threads = self.dataset.part(name), self.config.run.threads or most_threads()
        return Objective(model, samples, labelled, self.sigma, self.config.loss.decay, threads)

    def identity(self) -> dict[str, Any]:
        """What determines the course of a training, in JSON's types, but for the seed.

        How long it runs, and what of the machine it uses, do not belong to it.
        """
        import fastsf

        table = self.config.table()
        run = table.pop("run")
        functions = [f for each in self.descriptor.columns.values() for f in each]
        digests = {"functions": _digest(ATOM_CENTERED.to_document(functions, self.descriptor.elements))}
        if self.pairs is not None:
            of_pairs = [f for each in self.pairs.descriptor.columns.values() for f in each]
            digests["pair functions"] = _digest(PAIR_CENTERED.to_document(of_pairs, self.pairs.descriptor.elements))
        return {
            **table,
            "precision": run["precision"],
            **digests,
            "files": self.dataset.digests,
            "fastsf": fastsf.__version__,
        }


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(repr(document["functions"]).encode()).hexdigest()


def _starts(config: Config, train: LabelledSet) -> Callable[[int], Model]:
    """What makes the model to start from."""
    if config.folder is not None:
        return partial(config.folder.model, train, threads=config.run.threads)
    pairs = None if config.pairs is None else _pairs(config, config.pairs, train)
    descriptor = _descriptor(config.functions_for(train), pairs, train, config.run.threads)
    scalings = find_scalings(descriptor, train.structures, config.networks.scaling)
    offsets = reference_energies(train)
    sizes = [(len(scalings[symbol]), *config.networks.hidden) for _, symbol in with_functions(descriptor.columns)]
    if config.pairs is not None and pairs is not None:
        hidden = config.networks.hidden if config.pairs.hidden is None else config.pairs.hidden
        sizes += [(len(pairs.scalings[kind]), *hidden) for kind in pairs.kinds]

    def make(seed: int) -> Model:
        rng = np.random.default_rng(seed)
        networks = tuple(_network(config.networks, each, rng) for each in sizes)
        return Model(descriptor, scalings, networks, offsets, pairs=pairs)

    return make


def _descriptor(
    functions: Sequence[SymmetryFunction], pairs: PairInputs | None, train: LabelledSet, threads: int | None
) -> ACSF:
    """Atom-centred functions, of all elements or of none."""
    if functions:
        centers = {function.center for function in functions}
    else:
        centers = set() if pairs is None else {symbol for f in pairs.descriptor.functions for symbol in f.elements}
    for symbol in train.elements:
        if symbol not in centers:
            raise InputError(f"there are no functions for {symbol}, which is in the training set")
    if not functions:
        return ACSF.without_functions(train.elements, threads=threads)
    return ACSF(functions, elements=train.elements, threads=threads)


def _pairs(config: Config, chosen: PairNetworks, train: LabelledSet) -> PairInputs:
    functions = chosen.functions_for(train)
    descriptor = PCSF(functions, elements=train.elements, threads=config.run.threads)
    if chosen.functions is None:  # a recipe has functions of all kinds, be there such pairs or not
        present = kinds_present(descriptor, train.structures)
        functions = [function for function in functions if function.kind in present]
        if not functions:
            raise InputError(f"no two atoms of the training set are closer than {descriptor.cutoff:g} Å")
        descriptor = PCSF(functions, elements=train.elements, threads=config.run.threads)
    scalings = find_pair_scalings(descriptor, train.structures, config.networks.scaling)
    return PairInputs(descriptor, scalings, chosen.envelope)


def _network(networks: Networks, sizes: tuple[int, ...], rng: np.random.Generator) -> Network:
    return initial_network(
        (*sizes, 1),
        (*[networks.activation] * (len(sizes) - 1), "linear"),
        networks.initialization,
        rng,
        bounds=(networks.bounds[0], networks.bounds[1]),
        bias_spread=networks.bias_spread,
    )
