"""`fastsf lammps run` as processes, on one rank and two."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from support.lammps_ranks import needs_compiler, needs_lammps, ranked
from support.pcsf_potentials import pair_potential
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import Potential
from fastsf.io.input_data import iread_input_data
from fastsf.lammps import write_start


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Write model, structure and starting files; return their folder."""
    folder = tmp_path_factory.mktemp("lammps")
    potential, atoms = random_potential(), SYSTEMS["triclinic"]().repeat((2, 2, 1))
    potential.save(folder / "model.h5")
    write(folder / "start.xyz", atoms)
    write_start(potential, atoms, folder, kelvin=50, steps=20)
    return folder


def fastsf(folder: Path, *words: str, ranks: int = 1) -> tuple[int, str, str]:
    """Run a command as a process."""
    command = [*ranked(ranks), sys.executable, "-m", "fastsf", "lammps", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("route", ["plugin", "external"])
def test_run(folder: Path, route: str, ranks: int) -> None:
    needs_lammps()
    if route == "plugin":
        needs_compiler()
    words = ("in.lammps", "--model", "model.h5", "--route", route, "--options", f"-log {route}{ranks}.log")
    status, out, err = fastsf(folder, "run", *words, ranks=ranks)
    assert status == 0, err
    text = (folder / f"{route}{ranks}.log").read_text()
    first, last = (np.array(row.split(), float) for row in re.findall(r"^ +(?:0|20) .*$", text, re.MULTILINE))
    atoms = read(folder / "start.data", format="lammps-data")
    energy = random_potential().evaluate(atoms).energy
    assert first[3] == pytest.approx(energy, rel=1e-7)  # as many digits as the log has
    assert last[3] != first[3]
    counted = 21 * len(atoms)
    assert re.search(rf"LAMMPS \d+ on {ranks} ranks?: {counted:,} atoms evaluated, [\d.]+ s in all", out)
    assert out.count("extrapolation") == 1


def test_energies_of_pairs_choose_their_route(folder: Path) -> None:
    needs_lammps()
    pair_potential().save(folder / "pairs.h5")
    words = ("run", "in.lammps", "--model", "pairs.h5", "--options", "-log pairs.log")
    status, out, err = fastsf(folder, *words, ranks=2)
    assert status == 0, err
    atoms = read(folder / "start.data", format="lammps-data")
    row = re.search(r"^ +0 .*$", (folder / "pairs.log").read_text(), re.MULTILINE)
    assert row is not None
    assert float(row[0].split()[3]) == pytest.approx(pair_potential().evaluate(atoms).energy, rel=1e-7)
    assert f"{21 * len(atoms):,} atoms evaluated" in out
    status, out, err = fastsf(folder, *words, "--route", "plugin", "--quiet")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "pair-centred energies need neighbors of ghost atoms, which the route plugin does not have; leave the" in err


@pytest.mark.parametrize("ranks", [1, 2])
def test_published_potential(tmp_path: Path, shared: Path, run, ranks: int) -> None:
    """Water, from a folder of n2p2 in its units."""
    needs_lammps()
    atoms = next(iread_input_data(shared / "data" / "H2O_1080_liquid.input.data", "Bohr", "Hartree"))
    write(tmp_path / "start.xyz", Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True))
    model, units = shared / "reference" / "predict_H2O_RPBE-D3", ("--length-unit", "Bohr", "--energy-unit", "Hartree")
    words = ("lammps", "in", model, tmp_path / "start.xyz", "-o", tmp_path, "--steps", 1)
    assert run(*words, *units)[0] == 0
    status, _, err = fastsf(tmp_path, "run", "in.lammps", "--model", str(model), *units, ranks=ranks)
    assert status == 0, err
    expected = Potential.load(model, "Bohr", "Hartree").evaluate(read(tmp_path / "start.xyz"))
    row = re.search(r"^ +0 .*$", (tmp_path / "log.lammps").read_text(), re.MULTILINE)
    assert row is not None
    assert float(row[0].split()[3]) == pytest.approx(expected.energy, rel=1e-7)
    forces = np.loadtxt(tmp_path / "trajectory.lammpstrj", skiprows=9, max_rows=len(atoms), usecols=(8, 9, 10))
    np.testing.assert_allclose(forces, expected.forces, rtol=1e-5, atol=1e-6)


def test_inputs_with_loops(folder: Path) -> None:
    """Variables, continued lines, and jumps in the part after the pair style."""
    needs_lammps()
    text = (folder / "in.lammps").read_text().replace("pair_coeff      * * H", "pair_coeff * * &\n  ${first}")
    text = text.replace("run             20", "variable k loop 3\nlabel again\nrun 1\nnext k\njump SELF again")
    (folder / "loop.lammps").write_text(text)
    words = ("run", "loop.lammps", "--model", "model.h5", "--var", "first=H", "--quiet", "--route", "external")
    assert fastsf(folder, *words, "--log", "loop.log") == (0, "", "")
    assert f"{6 * 32:,} atoms evaluated" in (folder / "loop.log").read_text()


@pytest.mark.parametrize("ranks", [1, 2])
def test_errors_of_runs(folder: Path, ranks: int) -> None:
    """One line, once, whatever the number of ranks."""
    needs_lammps()
    good = (folder / "in.lammps").read_text()
    cases = {
        "units": ("units           metal", "units lj", "found lj"),
        "element": ("* * H O S", "* * H O Cu", "expected elements of the potential (H O S), found Cu"),
        "word": ("fix             1 all nvt", "fix 1 all nonsense", "LAMMPS: Unrecognized fix style 'nonsense'"),
        "unused": ("pair_style      fastsf", "pair_style zero 3.0", "route external: expected pair_style fastsf"),
    }
    for name, (old, new, message) in cases.items():
        if ranks > 1 and name not in ("element", "word"):
            continue
        (folder / f"{name}.lammps").write_text(good.replace(old, new))
        words = (f"{name}.lammps", "--model", "model.h5", "--route", "external", "--quiet")
        status, out, err = fastsf(folder, "run", *words, ranks=ranks)
        assert (status, out) == (2, "")
        assert re.fullmatch(rf"fastsf: .*{re.escape(message)}.*\n", err), err
    status, _, err = fastsf(folder, "run", "nothing.lammps", "--model", "model.h5", ranks=ranks)
    assert (status, err) == (2, "fastsf: cannot read nothing.lammps: no such file or directory\n")


def test_wrong_variables(folder: Path) -> None:
    needs_lammps()
    status, _, err = fastsf(folder, "run", "in.lammps", "--model", "model.h5", "--var", "T")
    assert (status, err) == (2, "fastsf: --var: expected NAME=VALUE, found 'T'\n")
