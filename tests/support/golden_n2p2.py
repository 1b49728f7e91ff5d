"""Reference cases of n2p2 with their numbers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from ase import Atoms

from fastsf import ACSF

CASES = (
    "LJ",
    "custom_1hidden",
    *(f"custom_act_{code}" for code in ("c", "e", "g", "h", "l", "r", "revlogistic", "s", "t")),
    "custom_alltypes_ct1",
    "custom_compact",
    "custom_element_nodes",
    *(f"custom_exp_ct{n}" for n in range(9)),
    *(f"custom_exp_ct{n}_alpha0.3" for n in (1, 4, 5, 7)),
    "custom_normalize_nodes",
    "custom_normalized",
    "custom_output_t",
    *(f"custom_scaling_{mode}" for mode in ("center", "none", "scale", "scalecenter")),
    "potential_H2O_RPBE",
    "predict_Cu2S_PBE",
    "predict_Ethylbenzene_SCAN",
    "predict_H2O_RPBE-D3",
)


class Golden:
    """Reference case: the descriptor of its input.nn and the numbers of n2p2 for each structure.

    Lengths stay in the unit of the case, which input.nn and the positions share.
    """

    def __init__(self, folder: Path) -> None:
        self.acsf = ACSF.from_file(folder / "input.nn", length_unit="Angstrom")
        with np.load(folder / "expected.npz") as arrays:
            self.arrays = dict(arrays)
        self.prefixes = sorted({name[:5] for name in self.arrays})

    def atoms(self, prefix: str) -> Atoms:
        lattice = self.arrays.get(prefix + "lattice")
        positions = self.arrays[prefix + "positions_remapped"]
        return Atoms(self.arrays[prefix + "Z"], positions, cell=lattice, pbc=lattice is not None)

    def blocks(self, prefix: str, array: str) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Yield each element of the structure, its rows and its block of an array."""
        return [
            (element, self.arrays[f"{prefix}atoms_{element}"], self.arrays[f"{prefix}{array}_{element}"])
            for element in self.acsf.elements
            if f"{prefix}{array}_{element}" in self.arrays
        ]


@cache
def golden(folder: Path) -> Golden:
    return Golden(folder)
