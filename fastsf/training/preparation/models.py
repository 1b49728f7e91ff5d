"""Models to start from as the sections of a configuration define them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from fastsf.datasets.isolated import isolated_atoms
from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.reference_energies import References, above_references, find_references
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
    references = find_known_references(config, train, _largest(descriptor, pcsf))
    shift = _shift(train, references)
    sizes = [(len(scalings[symbol]), *config.networks.hidden) for _, symbol in with_functions(descriptor.columns)]
    n_atomic = len(sizes)
    if config.pcsf is not None and pcsf is not None:
        hidden = config.networks.hidden if config.pcsf.hidden is None else config.pcsf.hidden
        sizes += [(len(pcsf.scalings[kind]), *hidden) for kind in pcsf.kinds]

    def make(seed: int) -> TrainableModel:
        rng = np.random.default_rng(seed)
        networks = [_network(config.networks, each, rng) for each in sizes]
        if shift:
            networks[:n_atomic] = [_shifted(each, shift) for each in networks[:n_atomic]]
        return TrainableModel(descriptor, scalings, tuple(networks), references.energies, pcsf=pcsf)

    return make


def find_known_references(config: Config, train: LabelledSet, cutoff: float) -> References:
    """Return the reference energies of the elements, with those of the configuration.

    Raises
    ------
    InputError
        If the configuration has an energy of an element that is not in the training set.
    """
    for symbol in config.networks.atom_energies:
        if symbol not in train.elements:
            raise InputError(
                f"[networks] atom_energies: expected elements of the training set ({', '.join(train.elements)}), "
                f"found {symbol}; remove it"
            )
    return find_references(train, config.networks.atom_energies, cutoff)


def largest_cutoff(config: Config, labelled: LabelledSet) -> float:
    """Return the largest cutoff of the functions of a configuration, Å; raises as `atom_functions`."""
    if config.folder is not None:
        return max(function.envelope.radius for function in config.folder.functions)
    radii = [function.envelope.radius for function in atom_functions(config, labelled)]
    if config.pcsf is not None:
        radii += [function.radius for function in pcsf_functions(config.pcsf, labelled)]
    return max(radii)


def _largest(descriptor: ACSF, pcsf: PCSFInputs | None) -> float:
    cutoffs = [descriptor.cutoff] if descriptor.n_features else []
    return max(cutoffs if pcsf is None else [*cutoffs, pcsf.descriptor.cutoff])


def _shift(train: LabelledSet, references: References) -> float:
    """Return the mean energy per atom above reference energies of free atoms, eV; 0 for other reference energies."""
    if not references.known:
        return 0.0
    energies = above_references(train, references)
    usable = np.isfinite(energies) & (train.weights > 0) & ~isolated_atoms(train)
    return float(np.average(energies[usable], weights=train.weights[usable])) if usable.any() else 0.0


def _shifted(network: Network, shift: float) -> Network:
    """Return a network with a larger output."""
    biases = (*network.biases[:-1], network.biases[-1] + shift)
    return Network(network.weights, biases, network.activations, network.normalize_nodes)


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
