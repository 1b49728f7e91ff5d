"""Random models with pair-centred networks for small systems."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from fastsf import ACSF, G2, Cutoff
from fastsf.datasets.labelled import LabelledSet
from fastsf.descriptors.pcsf import PCSF
from fastsf.structure import Structure
from fastsf.symmetry.factors import Power
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial, PCSFunction
from fastsf.training.objective.initialization import initial_network
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.parts import find_scalings, with_functions
from fastsf.training.objective.pcsf_parts import PCSFInputs

FAR, NEAR = Cutoff(3.0, "poly4"), Cutoff(2.5, "poly4")
OFFSETS = {"H": -0.5, "O": -75.0}


def pcsf_functions(distance: bool = True) -> list[PCSFunction]:
    """Return functions for H-H and H-O, not for O-O; with the distance itself or without."""
    chosen: list[PCSFunction] = []
    for pair, envelope in ((("H", "O"), FAR), (("H", "H"), NEAR)):
        chosen += [PairRadial(pair, None)] if distance else []
        chosen += [PairRadial(pair, envelope, 1.0, 0.5), PairRadial(pair, NEAR)]
        chosen += [PairEnvironment(pair, k, envelope, 0.2, 0.0, 0.1) for k in ("H", "O")]
    return [*chosen, PairAngular(("H", "O"), "H", FAR, Power(1.0, -1.0), 0.05)]


def systems() -> list[Structure]:
    """Return molecules, one of them without any pair, crystals with small cells, and one atom."""
    rng = np.random.default_rng(6)
    water = np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
    made = [Atoms("OH2", water + rng.normal(0, 0.05, (3, 3))) for _ in range(3)]
    made.append(Atoms("OH2OH2", np.vstack([water, water + np.array([0.4, 0.2, 2.6])]) + rng.normal(0, 0.05, (6, 3))))
    made.append(Atoms("OH2", water * 1.02, cell=np.diag([2.8, 3.1, 3.4]), pbc=True))
    made.append(Atoms("HO", [[0, 0, 0], [2.9, 0, 0]], cell=[[3.7, 0, 0], [0.2, 3.9, 0], [0, 0.3, 4.0]], pbc=True))
    made.append(Atoms("OO", [[0, 0, 0], [2.0, 0.1, 0]]))
    made.append(Atoms("H", [[0, 0, 0]]))
    return [Structure.from_atoms(each) for each in made]


def labelled(seed: int = 5) -> LabelledSet:
    rng, structures = np.random.default_rng(seed), systems()
    m = len(structures)
    stresses = np.array([rng.normal(0, 0.02, 6) if all(each.pbc) else np.full(6, np.nan) for each in structures])
    forces = [rng.normal(0.0, 0.3, (len(each), 3)) for each in structures]
    names = [f"structure {k}" for k in range(m)]
    return LabelledSet(
        structures, rng.normal(-50.0, 5.0, m), forces, stresses, [""] * m, rng.uniform(0.5, 2.0, m), names
    )


def pcsf_model(envelope: str = "fc", atoms: bool = True, threads: int = 1) -> TrainableModel:
    """Return a model with pair-centred networks and, if wanted, atom-centred ones."""
    structures = systems()
    pcsf = PCSF(pcsf_functions(envelope != "shift"), elements=("H", "O"), threads=threads)
    pcsf_inputs = PCSFInputs(pcsf, find_scalings(pcsf, structures, "scale_center", -1.0, 1.0), envelope)
    acsf = ACSF.without_functions(("H", "O"))
    if atoms:
        acsf = ACSF([G2(a, b, 0.3, FAR) for a, b in ("HH", "HO", "OH")], elements=("H", "O"), threads=threads)
    scalings = find_scalings(acsf, structures)
    widths = [len(columns[name]) for columns in (acsf.columns, pcsf.columns) for _, name in with_functions(columns)]
    networks = [
        initial_network((s, 4 + k, 3, 1), ("tanh", "softplus", "linear"), rng=k, bias_spread=0.5)
        for k, s in enumerate(widths)
    ]
    return TrainableModel(acsf, scalings, tuple(networks), OFFSETS, energy_scale=0.25, pcsf=pcsf_inputs)
