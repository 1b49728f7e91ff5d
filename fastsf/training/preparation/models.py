"""Models to start from as the sections of a configuration define them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.reference_energies import reference_energies
from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.pcsf import PCSF
from fastsf.errors import InputError
from fastsf.potentials.network import Network
from fastsf.symmetry import recipes
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.pcsf import PCSFunction
from fastsf.symmetry.pcsf_recipes import make_pcsf
from fastsf.training.config.config import Config
from fastsf.training.config.sections import NO_RECIPE, NetworksSection, PCSFSection
from fastsf.training.config.suggest import suggest
from fastsf.training.objective.initialization import initial_network
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.parts import find_scalings, with_functions
from fastsf.training.objective.pcsf_parts import PCSFInputs, kinds_present
from fastsf.training.preparation.n2p2_models import model_of_folder

F = TypeVar("F")


def model_maker(config: Config, train: LabelledSet) -> Callable[[int], TrainableModel]:
    """Return a function that makes the model to start from with a seed.

    Raises
    ------
    InputError
        If functions do not suit the structures.
    """
    if config.folder is not None:
        return partial(model_of_folder, config.folder, train, threads=config.run.threads)
    pcsf = None if config.pcsf is None else _pcsf_inputs(config, config.pcsf, train)
    descriptor = _descriptor(atom_functions(config, train), pcsf, train, config.run.threads)
    scalings = find_scalings(descriptor, train.structures, config.networks.scaling)
    offsets = reference_energies(train)
    sizes = [(len(scalings[symbol]), *config.networks.hidden) for _, symbol in with_functions(descriptor.columns)]
    if config.pcsf is not None and pcsf is not None:
        hidden = config.networks.hidden if config.pcsf.hidden is None else config.pcsf.hidden
        sizes += [(len(pcsf.scalings[kind]), *hidden) for kind in pcsf.kinds]

    def make(seed: int) -> TrainableModel:
        rng = np.random.default_rng(seed)
        networks = tuple(_network(config.networks, each, rng) for each in sizes)
        return TrainableModel(descriptor, scalings, networks, offsets, pcsf=pcsf)

    return make


def atom_functions(config: Config, train: LabelledSet) -> list[SymmetryFunction]:
    """Return the atom-centred functions of a configuration, none if it has only pair-centred ones.

    Raises
    ------
    InputError
        If the recipe has none for the elements.
    """
    if config.functions is not None:
        return config.functions
    recipe = suggest(train).recipe if config.recipe is None else config.recipe
    return [] if recipe["name"] == NO_RECIPE else _of_recipe(recipes.make, recipe, train)


def pcsf_functions(section: PCSFSection, train: LabelledSet) -> list[PCSFunction]:
    """Return the pair-centred functions of a configuration; raises as `atom_functions`."""
    if section.functions is not None:
        return section.functions
    return _of_recipe(make_pcsf, suggest(train).pcsf_recipe if section.recipe is None else section.recipe, train)


def _of_recipe(make: Callable[..., list[F]], recipe: Mapping[str, Any], train: LabelledSet) -> list[F]:
    options = {key: value for key, value in recipe.items() if key != "name"}
    return make(recipe["name"], train.elements, **options)


def _descriptor(
    functions: Sequence[SymmetryFunction], pcsf: PCSFInputs | None, train: LabelledSet, threads: int | None
) -> ACSF:
    """Make the descriptor of atom-centred functions, which has functions for all elements or for none."""
    if functions:
        centers = {function.center for function in functions}
    else:
        centers = set() if pcsf is None else {symbol for f in pcsf.descriptor.functions for symbol in f.elements}
    for symbol in train.elements:
        if symbol not in centers:
            raise InputError(f"no functions have the centre {symbol}, which is in the training set")
    if not functions:
        return ACSF.without_functions(train.elements, threads=threads)
    return ACSF(functions, elements=train.elements, threads=threads)


def _pcsf_inputs(config: Config, chosen: PCSFSection, train: LabelledSet) -> PCSFInputs:
    functions = pcsf_functions(chosen, train)
    descriptor = PCSF(functions, elements=train.elements, threads=config.run.threads)
    if chosen.functions is None:  # a recipe has functions of all kinds of pairs, also of those that do not occur
        present = kinds_present(descriptor, train.structures)
        functions = [function for function in functions if function.kind in present]
        if not functions:
            raise InputError(f"no two atoms of the training set are closer than {descriptor.cutoff:g} Å")
        descriptor = PCSF(functions, elements=train.elements, threads=config.run.threads)
    scalings = find_scalings(descriptor, train.structures, config.networks.scaling)
    return PCSFInputs(descriptor, scalings, chosen.envelope)


def _network(networks: NetworksSection, sizes: tuple[int, ...], rng: np.random.Generator) -> Network:
    return initial_network(
        (*sizes, 1),
        (*[networks.activation] * (len(sizes) - 1), "linear"),
        networks.initialization,
        rng,
        bounds=(networks.bounds[0], networks.bounds[1]),
        bias_spread=networks.bias_spread,
    )
