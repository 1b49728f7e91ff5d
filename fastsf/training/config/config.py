"""The configuration of a training: one TOML file, or a folder of n2p2."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.definition import ATOM_CENTERED
from fastsf.training.config.n2p2_folder import TrainingFolder
from fastsf.training.config.sections import DataSection, LossSection, NetworksSection, PCSFSection, RunSection


@dataclass(frozen=True)
class Config:
    """Configuration of a training.

    Parameters
    ----------
    data : DataSection
    networks : NetworksSection
    loss : LossSection
    run : RunSection
    optimizer : str
        Key of `OPTIMIZERS`.
    settings : object
        Settings of the optimiser.
    folder : TrainingFolder, optional
        Folder of n2p2 that defines functions and networks, in place of all that follows and of `networks`.
    functions : list of Radial or Angular, optional
        Symmetry functions.
    recipe : dict, optional
        Recipe ("name") and its options, in place of functions; "none" for no functions. Without either, functions
        that suit the data.
    pcsf : PCSFSection, optional
        Pair-centred functions, none if not given.
    remarks : tuple of str
        Remarks about values that options of the command line made void.
    """

    data: DataSection
    networks: NetworksSection
    loss: LossSection
    run: RunSection
    optimizer: str
    settings: Any
    folder: TrainingFolder | None = None
    functions: list[SymmetryFunction] | None = None
    recipe: dict[str, Any] | None = None
    pcsf: PCSFSection | None = None
    remarks: tuple[str, ...] = ()

    def table(self) -> dict[str, Any]:
        """Return everything in JSON's types."""
        document: dict[str, Any] = {name: asdict(getattr(self, name)) for name in ("data", "networks", "loss", "run")}
        if not self.networks.atom_energies:
            del document["networks"]["atom_energies"]  # as in checkpoints of earlier versions
        document["optimizer"] = {"name": self.optimizer, **asdict(self.settings)}
        document["recipe"] = self.recipe
        document["input.nn"] = None if self.folder is None else self.folder.text()
        document["functions"] = (
            None if self.functions is None else ATOM_CENTERED.to_document(self.functions, [])["functions"]
        )
        if self.pcsf is not None:
            document["pairs"] = self.pcsf.table()
        return dict(json.loads(json.dumps(document)))
