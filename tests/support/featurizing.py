"""Small data sets and descriptors for the tests of featurization."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from fastsf import ACSF, G2, G4, PCSF, Cutoff, PairAngular, PairEnvironment, PairRadial, Power

ROOT = Path(__file__).resolve().parents[2]
PYTHONPATH = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
"""Where other processes find fastsf and the helpers of the tests."""
ELEMENTS = ("H", "O", "Si")

TOML = """
elements = ["H", "O", "Si"]
[[function]]
type = "G2"
center = ["H", "O", "Si"]
neighbor = ["H", "O", "Si"]
eta = 0.5
cutoff = 4.0
[[function]]
type = "G4"
center = "Si"
neighbors = [["Si", "Si"]]
eta = 0.1
zeta = [1.0, 4.0]
lambda = [-1.0, 1.0]
cutoff = 4.0
"""

PAIR_TOML = """
elements = ["H", "O", "Si"]
[[pair_function]]
type = "pair-distance"
pair = ["H", "O"]
[[pair_function]]
type = "pair-gaussian"
pair = [["H", "H"], ["H", "O"], ["Si", "Si"]]
eta = 4.0
rs = [1.0, 2.0]
cutoff = 3.0
[[pair_function]]
type = "pair-G3"
pair = ["Si", "Si"]
neighbor = "Si"
eta = 0.5
cutoff = 4.0
[[pair_function]]
type = "pair-G4"
pair = [["H", "O"], ["Si", "Si"]]
neighbor = ["H", "Si"]
eta = 0.1
zeta = 1.0
lambda = [-1.0, 1.0]
cutoff = 4.0
"""


def pcsf_descriptor() -> PCSF:
    """Return the functions of `PAIR_TOML`: two columns for H-H, seven for H-O and Si-Si, none for other kinds."""
    near, far = Cutoff(3.0), Cutoff(4.0)
    kinds = (("H", "H"), ("H", "O"), ("Si", "Si"))
    functions = [PairRadial(("H", "O"), None)]
    functions += [PairRadial(kind, near, 4.0, rs) for kind in kinds for rs in (1.0, 2.0)]
    functions += [PairEnvironment(("Si", "Si"), "Si", far, 0.5, pair_eta=0.5)]
    for kind in kinds[1:]:
        for neighbor in ("H", "Si"):
            functions += [PairAngular(kind, neighbor, far, Power(1.0, lam), 0.1) for lam in (-1.0, 1.0)]
    return PCSF(functions, elements=ELEMENTS, threads=1)


def descriptor() -> ACSF:
    """Return the functions of `TOML`: three columns for H and O, seven for Si."""
    functions = [G2(a, b, 0.5, 4.0) for a in ELEMENTS for b in ELEMENTS]
    functions += [G4("Si", ("Si", "Si"), 0.1, zeta, lam, 4.0) for zeta in (1.0, 4.0) for lam in (-1.0, 1.0)]
    return ACSF(functions, threads=1)


def water(rng: np.random.Generator, labelled: bool = True) -> Atoms:
    """Return a distorted water molecule, by default with energy and forces."""
    atoms = molecule("H2O")
    atoms.rattle(0.05, rng=rng)
    if labelled:
        atoms.calc = SinglePointCalculator(atoms, energy=rng.normal(), forces=rng.normal(size=(3, 3)))
    return atoms


def silicon(rng: np.random.Generator, labelled: bool = True) -> Atoms:
    """Return a distorted cell of 8 silicon atoms, by default with energy, forces and stress."""
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.1, rng=rng)
    if labelled:
        results = {"energy": rng.normal(), "forces": rng.normal(size=(8, 3)), "stress": rng.normal(size=6)}
        atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def structures(count: int = 12, seed: int = 1, labelled: bool = True) -> list[Atoms]:
    """Return water molecules and silicon cells in turn."""
    rng = np.random.default_rng(seed)
    return [(water, silicon)[k % 2](rng, labelled) for k in range(count)]


def write_data(path: Path, images: list[Atoms] | None = None) -> Path:
    """Write structures as extended XYZ; the file has an old date, so that nothing depends on the clock."""
    write(path, structures() if images is None else images, format="extxyz")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def contents(path: Path) -> dict[str, object]:
    """Return all arrays, texts and attributes of an HDF5 file."""
    found: dict[str, object] = {}

    def visit(name: str, item: h5py.Dataset | h5py.Group) -> None:
        found.update({f"{name}@{key}": value for key, value in item.attrs.items()})
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def assert_same_contents(one: Path, other: Path) -> None:
    """Compare all arrays, texts and attributes of two feature files except for the manifests."""
    first, second = contents(one), contents(other)
    assert first.keys() == second.keys()
    for name in first.keys() - {"manifest"}:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def command(*words: object, before: str = "", **environment: str) -> subprocess.Popen[str]:
    """Start the command line in a new process, after some Python code."""
    code = f"import sys; {before}\nfrom fastsf.cli.main import main\nsys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        env={**os.environ, "PYTHONPATH": PYTHONPATH, "SOURCE_DATE_EPOCH": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
