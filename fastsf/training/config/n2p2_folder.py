"""Training as the input.nn of a folder of n2p2 says: functions, networks, normalisation, optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.datasets.labelled import LabelledSet
from fastsf.descriptors.acsf import ACSF
from fastsf.errors import FormatError, InputError
from fastsf.io.n2p2 import functions as runner
from fastsf.io.n2p2.keywords import read_keywords
from fastsf.io.n2p2.training_keywords import TrainingKeywords, read_training_keywords
from fastsf.io.n2p2.weights import read_weights, weights_name
from fastsf.potentials.evaluation import evaluate_batch
from fastsf.potentials.files.folder import (
    SETTINGS,
    check_kind,
    choose_units,
    count_functions,
    read_atom_energies,
    read_mode,
    read_normalization,
)
from fastsf.potentials.files.topology import Topology, read_topologies
from fastsf.potentials.network import Network
from fastsf.potentials.scaling import Mode
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.sets import scale_lengths
from fastsf.training.objective.initialization import initial_network, preconditioned
from fastsf.training.objective.model import Model
from fastsf.training.objective.samples import find_scalings
from fastsf.training.optimizers import adam, kalman
from fastsf.units import energy_factor, length_factor

_SETTINGS: dict[str, Any] = {"kalman": kalman.Settings, "adam": adam.Settings}


@dataclass(frozen=True)
class TrainingFolder:
    """What an input.nn says, in Å and eV.

    Parameters
    ----------
    path : Path
        The folder.
    elements : sequence of str
    functions : sequence of Radial or Angular
    topologies : mapping of symbol to Topology
        Layers of the networks.
    scaling : (mode, lowest, highest)
        How functions are scaled.
    energy_scale : float
        eV per unit of the networks' outputs.
    length_scale : float
        Units of length of the training per Å.
    offsets : mapping of symbol to float
        eV per atom.
    length_unit, energy_unit : str
        Units of the folder.
    training : TrainingKeywords
        How to begin, how long, and with which optimiser.
    settings : Settings
        Of the optimiser.
    """

    path: Path
    elements: Sequence[str]
    functions: Sequence[SymmetryFunction]
    topologies: Mapping[str, Topology]
    scaling: tuple[Mode, float, float]
    energy_scale: float
    length_scale: float
    offsets: Mapping[str, float]
    length_unit: str
    energy_unit: str
    training: TrainingKeywords
    settings: kalman.Settings | adam.Settings

    @classmethod
    def read(cls, path: str | Path, length_unit: str | None = None, energy_unit: str | None = None) -> TrainingFolder:
        """Read a folder.

        Parameters
        ----------
        path : path-like
            With input.nn; nothing else is read here.
        length_unit, energy_unit : str, optional
            Units of the folder, as for `fastsf.potentials.potential.Potential.load`.

        Raises
        ------
        StorageError, FormatError, InputError
            As `read_potential_folder` and `read_training_keywords`.
        """
        folder = Path(path)
        length_unit, energy_unit = choose_units(folder, length_unit, energy_unit)
        length, energy = length_factor(length_unit), energy_factor(energy_unit)
        keywords = read_keywords(folder / SETTINGS)
        check_kind(keywords)
        elements, functions = runner.elements(keywords), runner.functions(keywords, 1.0)
        counts = count_functions(keywords, elements, functions)
        mean, conv_energy, conv_length = read_normalization(keywords)
        alone = read_atom_energies(keywords, elements)
        training = read_training_keywords(keywords)
        try:
            settings = _SETTINGS[training.optimizer](**training.settings)
        except InputError as error:
            raise FormatError(str(error), keywords.path) from error
        return cls(
            folder,
            elements,
            [scale_lengths(function, length) for function in functions],
            read_topologies(keywords, counts),
            read_mode(keywords),
            energy / conv_energy,
            conv_length / length,
            {symbol: (mean + alone[symbol]) * energy for symbol in elements},
            length_unit,
            energy_unit,
            training,
            settings,
        )

    def model(self, labelled: LabelledSet, seed: int | None = None, *, threads: int | None = None) -> Model:
        """Model to start from.

        Parameters
        ----------
        labelled : LabelledSet
            Its structures set the scaling of the functions, and its energies the outputs of random networks if the
            folder says so.
        seed : int, optional
            Of the random weights; the folder's by default.
        threads : int, optional
            As for `ACSF`.

        Raises
        ------
        InputError
            If an element is in no structure.
        StorageError, FormatError
            If training shall go on from weights, which cannot be read.
        """
        descriptor = ACSF(self.functions, elements=self.elements, threads=threads)
        scalings = find_scalings(descriptor, labelled.structures, *self.scaling)
        networks = self._networks(descriptor.elements, self.training.seed if seed is None else seed)
        model = Model(descriptor, scalings, networks, self.offsets, self.energy_scale, self.length_scale)
        if self.training.precondition and not self.training.use_old_weights:
            return _preconditioned(model, labelled)
        return model

    def _networks(self, elements: Sequence[str], seed: int) -> tuple[Network, ...]:
        rng, start = np.random.default_rng(seed), self.training
        networks = []
        for symbol in elements:
            layers = self.topologies[symbol]
            if start.use_old_weights:
                networks.append(layers.network(read_weights(self.path / weights_name(symbol), layers.sizes)))
                continue
            kind, nodes = start.initialization, layers.normalize_nodes
            made = initial_network(layers.sizes, layers.activations, kind, rng, bounds=start.bounds)
            networks.append(Network(made.weights, made.biases, made.activations, nodes))
        return tuple(networks)


def _preconditioned(model: Model, labelled: LabelledSet) -> Model:
    potential = model.potential()
    known = labelled.select(np.isfinite(labelled.energies))
    results = evaluate_batch(potential.model, known.structures, forces=False)
    elements = model.descriptor.elements
    shifts = np.array([model.constant_energy(each.numbers) for each in known.structures])
    to_output = known.n_atoms * model.energy_scale
    predicted = (np.array([result.energy for result in results]) - shifts) / to_output
    networks = preconditioned(potential.networks, predicted, (known.energies - shifts) / to_output)
    return replace(model, networks=tuple(networks[symbol] for symbol in elements))
