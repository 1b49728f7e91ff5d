"""Compare the results of two installations of fastsf, to the last bit.

    python bench/same_results.py collect FOLDER      # with the python of each installation
    python bench/same_results.py compare OLD NEW     # lists every array, column and text that differs

`collect` uses public names and commands only, so one script serves versions whose modules have moved. It needs the
folder with reference potentials (FASTSF_SHARED). Times and versions in files are not compared.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from ase.build import bulk, molecule
from ase.io import read, write

SHARED = Path(os.environ.get("FASTSF_SHARED", Path(__file__).resolve().parents[2] / "shared"))
UNITS = {"predict_H2O_RPBE-D3": ("Bohr", "Hartree"), "potential_H2O_RPBE": ("Bohr", "Hartree")}
CHANGING = re.compile("second|time_s|wall|speed|created|command|version|fastsf|python|mtime|manifest|files")
"""Names of columns and datasets that differ from run to run."""


def command(folder: Path, *words: object) -> None:
    """Run a command of the installation of this python."""
    log = folder / "commands.log"
    done = subprocess.run(
        [sys.executable, "-m", "fastsf", *map(str, words)], cwd=folder, capture_output=True, text=True, check=False
    )
    with log.open("a") as file:
        file.write(f"$ fastsf {' '.join(map(str, words))}\n{done.stdout}{done.stderr}\n")
    if done.returncode:
        raise SystemExit(f"fastsf {words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")


# --- collecting ---


def descriptors() -> dict[str, np.ndarray]:
    """Neighbour lists, values, derivatives and products of atom- and pair-centred functions."""
    from fastsf import ACSF, PCSF, neighbor_list

    rng = np.random.default_rng(7)
    crystal = bulk("Si", cubic=True).repeat(2)
    crystal.rattle(0.1, seed=1)
    water = molecule("H2O", cell=[4.1, 4.3, 4.7], pbc=True).repeat(2)
    water.rattle(0.1, seed=2)
    found: dict[str, np.ndarray] = {}
    for name, atoms in {"crystal": crystal, "water": water, "ethanol": molecule("CH3CH2OH")}.items():
        elements = sorted(set(atoms.symbols))
        for letter, array in zip("ijdDS", neighbor_list("ijdDS", atoms, 5.0), strict=True):
            found[f"{name} list {letter}"] = array
        for recipe in ("imbalzano2018", "gastegger2018-acsf", "gastegger2018-wacsf"):
            acsf = ACSF.from_recipe(recipe, elements, 5.0)
            derivatives, values = acsf.derivatives(atoms)
            found[f"{name} {recipe} G"], found[f"{name} {recipe} dG"] = values, derivatives
            found.update(numbered(f"{name} {recipe} vjp", acsf.vjp(atoms, rng.normal(size=values.shape))))
            found[f"{name} {recipe} jvp"] = np.asarray(acsf.jvp(atoms, rng.normal(size=(len(atoms), 3))))
        pcsf = PCSF.from_recipe("pairs", elements, 4.0)
        values = pcsf.create(atoms)
        found[f"{name} pcsf"] = values
        found[f"{name} pcsf dG"] = pcsf.derivatives(atoms)[0]
        found.update(numbered(f"{name} pcsf vjp", pcsf.vjp(atoms, rng.normal(size=values.shape))))
        found[f"{name} pcsf jvp"] = np.asarray(pcsf.jvp(atoms, rng.normal(size=(len(atoms), 3))))
    return found


def numbered(name: str, arrays: object) -> dict[str, np.ndarray]:
    """Arrays of a tuple under numbered names."""
    several = arrays if isinstance(arrays, tuple) else (arrays,)
    return {f"{name} {number}": np.asarray(array) for number, array in enumerate(several)}


def potentials(folder: Path) -> dict[str, np.ndarray]:
    """Values, energies, forces, stresses and committees of all reference potentials."""
    from fastsf import ACSF, Committee, Potential

    found = {}
    for case in sorted((SHARED / "reference").iterdir()):
        if not case.is_dir():
            continue
        units = UNITS.get(case.name, ("Angstrom", "eV"))
        acsf = ACSF.from_file(case / "input.nn", length_unit=units[0])
        command(folder, "convert", case / "input.data", f"{case.name}.extxyz", "--overwrite", *_units(units))
        for number, atoms in enumerate(read(folder / f"{case.name}.extxyz", ":3")):
            found[f"{case.name} {number} G"] = acsf.create(atoms)
            for precision in ("double", "mixed"):
                potential = Potential.load(case, *units, precision=precision)
                for name, value in vars_of(potential.evaluate(atoms)).items():
                    found[f"{case.name} {number} {precision} {name}"] = value
    case = SHARED / "reference" / "predict_Cu2S_PBE"
    twins = Committee([Potential.load(case), Potential.load(case)])
    atoms = read(folder / "predict_Cu2S_PBE.extxyz")
    found.update({f"committee {name}": value for name, value in vars_of(twins.evaluate(atoms)).items()})
    return found


def vars_of(result: object) -> dict[str, np.ndarray]:
    """Numbers of a result."""
    names = ("energy", "energies", "forces", "stress", "virial", "forces_std", "energy_std")
    found = {name: getattr(result, name, None) for name in names}
    return {name: np.asarray(value) for name, value in found.items() if value is not None}


def _units(units: tuple[str, str]) -> list[str]:
    return ["--length-unit", units[0], "--energy-unit", units[1]]


def runs(folder: Path) -> None:
    """Trainings with every optimiser, dynamics in every ensemble, Monte Carlo, features, predictions, analysis."""
    silicon = read(f"{SHARED}/data/Si_train.extxyz.gz", ":24")
    write(folder / "train.extxyz", silicon)
    command(folder, "train", "--init", "train.extxyz", "-o", "train.toml")
    command(folder, "train", "--init", "train.extxyz", "-o", "pairs.toml", "--pairs", "too")
    command(folder, "train", "train.toml", "-o", "lm", "--epochs", 3)
    command(folder, "train", "pairs.toml", "-o", "pairs", "--epochs", 2)
    plain = (folder / "train.toml").read_text()
    for name in ("adam", "kalman", "l-bfgs"):
        text = re.sub(r"\[optimizer\].*?(?=\n\[)", f'[optimizer]\nname = "{name}"\n', plain, flags=re.S)
        (folder / f"{name}.toml").write_text(text)
        command(folder, "train", f"{name}.toml", "-o", name, "--epochs", 2)
    command(folder, "train", SHARED / "data" / "n2p2_train_Cu2S_PBE", "-o", "cu2s", "--epochs", 1)
    start = bulk("Si", cubic=True).repeat(2)
    write(folder / "start.extxyz", start)
    ensembles = {"nve": [], "langevin": [], "bussi": [], "nhc": [], "npt": ["--shape", "anisotropic"]}
    quick = ["--steps", 60, "--log-every", 10, "--seed", 5, "--trajectory", "extxyz:20", "--extrapolation", "ignore"]
    for name, more in ensembles.items():
        command(folder, "md", "lm/model.h5", "start.extxyz", "-o", f"md-{name}", "--ensemble", name, *more, *quick)
    command(folder, "md", "pairs/model.h5", "start.extxyz", "-o", "md-pairs", *quick)
    command(folder, "md", "lm/model.h5", "start.extxyz", "-o", "md-mixed", "--precision", "mixed", *quick)
    mc = ["--steps", 400, "--log-every", 100, "--seed", 5, "--extrapolation", "ignore"]
    command(folder, "mc", "lm/model.h5", "start.extxyz", "-o", "mc", "--temperature", 300, *mc)
    command(folder, "predict", "lm/model.h5", "train.extxyz", "-o", "predicted.extxyz", "--overwrite")
    recipe = ["--recipe", "imbalzano2018", "--cutoff", 5, "--derivatives", "--scale", "--overwrite"]
    command(folder, "featurize", "train.extxyz", "-o", "features.h5", *recipe)
    command(folder, "analyze", "md-bussi", "-o", "analysis")


def collect(folder: Path) -> None:
    """Write all results below a folder."""
    folder.mkdir(parents=True)
    np.savez(folder / "descriptors.npz", **descriptors())
    np.savez(folder / "potentials.npz", **potentials(folder))
    runs(folder)


# --- comparing ---


def contents(path: Path) -> dict[str, object]:
    """Everything in a file that must be the same in both versions."""
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: _comparable(arrays[name]) for name in arrays.files}
    if path.suffix == ".h5":
        return _hdf5(path)
    if path.suffix == ".csv":
        rows = list(csv.DictReader(line for line in path.read_text().splitlines() if line[:1] != "#"))
        return {name: [row[name] for row in rows] for name in (rows[0] if rows else {}) if not CHANGING.search(name)}
    return {"text": path.read_text()} if path.suffix in (".extxyz", ".xyz") else {}


def _comparable(array: np.ndarray) -> object:
    """Return the bytes of an array; of a text, the JSON document without times."""
    if array.dtype.kind not in "US":
        return array.tobytes()
    return json.loads(str(array), object_hook=lambda found: {k: v for k, v in found.items() if not CHANGING.search(k)})


def _hdf5(path: Path) -> dict[str, object]:
    found: dict[str, object] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and not CHANGING.search(name):
            value = item[()]
            found[name] = value.tobytes() if isinstance(value, np.ndarray) and value.dtype != object else repr(value)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def compare(old: Path, new: Path) -> int:
    """Print what differs; returns the number of differences."""
    count = differences = 0
    for path in sorted(old.rglob("*")):
        relative = path.relative_to(old)
        if not path.is_file() or "log" in path.suffix:
            continue
        other = new / relative
        if not other.exists():
            print(f"missing: {relative}")
            differences += 1
            continue
        before, after = contents(path), contents(other)
        for name in sorted({*before, *after}):
            count += 1
            if before.get(name) != after.get(name):
                print(f"differs: {relative}: {name}")
                differences += 1
    print(f"{count} arrays, columns and texts compared, {differences} differences")
    return differences


if __name__ == "__main__":
    if sys.argv[1] == "collect":
        collect(Path(sys.argv[2]).resolve())
    else:
        sys.exit(min(compare(Path(sys.argv[2]), Path(sys.argv[3])), 1))
