"""Models to start from as a folder of n2p2 defines them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fastsf.datasets.labelled import LabelledSet
from fastsf.descriptors.acsf import ACSF
from fastsf.io.n2p2.weights import read_weights
from fastsf.potentials.evaluation import evaluate_batch
from fastsf.potentials.files.weight_files import find_weights
from fastsf.potentials.network import Network
from fastsf.training.config.n2p2_folder import TrainingFolder
from fastsf.training.objective.initialization import initial_network, preconditioned
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.parts import find_scalings


def model_of_folder(
    folder: TrainingFolder, labelled: LabelledSet, seed: int | None = None, *, threads: int | None = None
) -> TrainableModel:
    """Make the model that a training starts from.

    Parameters
    ----------
    folder : TrainingFolder
    labelled : LabelledSet
        Structures that set the scaling of the functions, and energies for the outputs of random networks if the
        folder wants that.
    seed : int, optional
        Seed of the random weights, the folder's if not given.
    threads : int, optional
        As for `ACSF`.

    Raises
    ------
    InputError
        If an element is in no structure.
    StorageError, FormatError
        If training continues from weights, which cannot be read.
    """
    start = folder.training
    descriptor = ACSF(folder.functions, elements=folder.elements, threads=threads)
    scalings = find_scalings(descriptor, labelled.structures, *folder.scaling)
    networks = _networks(folder, descriptor.elements, start.seed if seed is None else seed)
    model = TrainableModel(descriptor, scalings, networks, folder.offsets, folder.energy_scale, folder.length_scale)
    if start.precondition and not start.use_old_weights:
        return _preconditioned(model, labelled)
    return model


def _networks(folder: TrainingFolder, elements: Sequence[str], seed: int) -> tuple[Network, ...]:
    rng, start = np.random.default_rng(seed), folder.training
    networks = []
    weights = find_weights(folder.path, elements) if start.use_old_weights else {}
    for symbol in elements:
        layers = folder.topologies[symbol]
        if start.use_old_weights:
            networks.append(layers.network(read_weights(weights[symbol], layers.sizes)))
            continue
        kind, nodes = start.initialization, layers.normalize_nodes
        made = initial_network(layers.sizes, layers.activations, kind, rng, bounds=start.bounds)
        networks.append(Network(made.weights, made.biases, made.activations, nodes))
    return tuple(networks)


def _preconditioned(model: TrainableModel, labelled: LabelledSet) -> TrainableModel:
    potential = model.potential()
    known = labelled.select(np.isfinite(labelled.energies))
    results = evaluate_batch(potential.model, known.structures, forces=False)
    elements = model.descriptor.elements
    shifts = np.array([model.constant_energy(each.numbers) for each in known.structures])
    to_output = known.n_atoms * model.energy_scale
    predicted = (np.array([result.energy for result in results]) - shifts) / to_output
    networks = preconditioned(potential.networks, predicted, (known.energies - shifts) / to_output)
    return replace(model, networks=tuple(networks[symbol] for symbol in elements))
