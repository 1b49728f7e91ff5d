"""Functions, networks, normalisation and optimiser of an input.nn of n2p2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastsf.errors import FormatError, InputError
from fastsf.io.n2p2 import functions as runner
from fastsf.io.n2p2.keywords import read_keywords
from fastsf.io.n2p2.training_keywords import TrainingKeywords, read_training_keywords
from fastsf.potentials.files.cutoff_units import warn_of_unit
from fastsf.potentials.files.folder import (
    SETTINGS,
    check_kind,
    choose_units,
    count_functions,
    read_atom_energies,
    read_mode,
    read_normalization,
    written_units,
)
from fastsf.potentials.files.topology import Topology, read_topologies
from fastsf.potentials.scaling import Mode
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.sets import scale_lengths
from fastsf.training.optimizers.registry import OPTIMIZERS
from fastsf.units import energy_factor, length_factor


@dataclass(frozen=True)
class TrainingFolder:
    """Contents of an input.nn, in Å and eV.

    Parameters
    ----------
    path : Path
        The folder.
    elements : sequence of str
    functions : sequence of Radial or Angular
    topologies : mapping of symbol to Topology
        Layers of the networks.
    scaling : (mode, lowest, highest)
        Scaling of the functions.
    energy_scale : float
        Unit of the networks' outputs, eV.
    length_scale : float
        Units of length of the training per Å.
    offsets : mapping of symbol to float
        Energies of single atoms, eV.
    length_unit, energy_unit : str
        Units of the folder.
    training : TrainingKeywords
        Initialisation, number of epochs and optimiser.
    settings : object
        Settings of the optimiser.
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
    settings: Any

    @classmethod
    def read(cls, path: str | Path, length_unit: str | None = None, energy_unit: str | None = None) -> TrainingFolder:
        """Read a folder.

        Parameters
        ----------
        path : path-like
            Folder with input.nn; nothing else is read here.
        length_unit, energy_unit : str, optional
            Units of the folder, as for `fastsf.potentials.potential.Potential.load`.

        Raises
        ------
        StorageError, FormatError, InputError
            As `read_potential_folder` and `read_training_keywords`.
        """
        folder = Path(path)
        given = length_unit
        length_unit, energy_unit = choose_units(folder, length_unit, energy_unit)
        length, energy = length_factor(length_unit), energy_factor(energy_unit)
        keywords = read_keywords(folder / SETTINGS)
        check_kind(keywords)
        elements, functions = runner.elements(keywords), runner.functions(keywords, 1.0)
        if given is None:
            warn_of_unit(keywords.path, functions, length_unit, written_units(folder)[0])
        counts = count_functions(keywords, elements, functions)
        mean, conv_energy, conv_length = read_normalization(keywords)
        alone = read_atom_energies(keywords, elements)
        training = read_training_keywords(keywords)
        try:
            settings = OPTIMIZERS[training.optimizer].settings_type(**training.settings)
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

    def text(self) -> str:
        """Return everything as one text, as checkpoints have it: there all settings are named `Settings`."""
        return repr(self).replace(f"settings={type(self.settings).__name__}(", "settings=Settings(")
