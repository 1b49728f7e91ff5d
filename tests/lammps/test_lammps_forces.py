"""LAMMPS with our forces: against `Potential` and ASE's dynamics, both routes, on one rank and two."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from ase.md.verlet import VelocityVerlet
from support import lammps_worker
from support.featurizing import PYTHONPATH
from support.lammps_ranks import needs_compiler, needs_lammps, ranked
from support.lammps_worker import MASSES, PS, STEP, STEPS, moving
from support.pcsf_potentials import mixed_potential, pair_potential
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import Calculator, Potential

BAR = 1.6021765e6
"""LAMMPS's bar per eV/Å^3 (its `nktv2p`)."""

FORCE = 1.0 / 1.0364269e-4
"""LAMMPS's Å/ps^2 per eV/Å/amu (its `ftm2v`)."""

REAL, REAL_PRESSURE = 23.060549, 68568.415
"""kcal/mol per eV; atmospheres per kcal/mol/Å^3, LAMMPS's."""


@pytest.fixture(scope="module", params=[("plugin", 1), ("plugin", 2), ("external", 1), ("external", 2)], ids=str)
def found(request, tmp_path_factory) -> dict:
    """Return the results of the worker."""
    route, ranks = request.param
    needs_lammps()
    if route == "plugin":
        needs_compiler()
    output = tmp_path_factory.mktemp("lammps") / "found.json"
    words = [sys.executable, lammps_worker.__file__, route, str(output)]
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    done = subprocess.run([*ranked(ranks), *words], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return {"route": route, "ranks": ranks, **json.loads(output.read_text())}


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("triclinic", "triclinic"),
        ("small_cell", "cell_much_smaller_than_cutoff"),
        ("slab", "slab"),
        ("real", "triclinic"),
    ],
)
def test_one_structure(found: dict, case: str, name: str) -> None:
    atoms, got = SYSTEMS[name](), found[case]
    energy, pressure = (REAL, REAL_PRESSURE) if case == "real" else (1.0, BAR)
    expected = random_potential().evaluate(atoms)
    virials = expected.virials.reshape(-1, 9)[:, [0, 4, 8, 1, 2, 5]]
    close = {"rtol": 1e-12, "atol": 1e-11 * energy}
    np.testing.assert_allclose(got["energy"], expected.energy * energy, rtol=1e-13)
    np.testing.assert_allclose(got["forces"], expected.forces * energy, **close)
    np.testing.assert_allclose(got["energies"], expected.energies * energy, **close)
    symmetric = expected.virials + expected.virials.transpose(0, 2, 1)
    virials = 0.5 * symmetric.reshape(-1, 9)[:, [0, 4, 8, 1, 2, 5]] * energy
    np.testing.assert_allclose(-np.array(got["virials"]) / pressure, virials, rtol=1e-11, atol=1e-11 * energy)
    if atoms.pbc.all():
        total = virials.sum(axis=0) / atoms.get_volume() * pressure
        np.testing.assert_allclose(got["pressure"], total, rtol=1e-10, atol=1e-9 * abs(total).max())
    outside = expected.outside
    assert got["counts"] == [outside.sum(), (outside > 0).sum(), len(atoms)]


def test_beside_another_pair_style(found: dict) -> None:
    if found["route"] != "plugin":
        return
    for name in ("energy", "forces", "pressure"):
        one, other = np.array(found["hybrid"][name]), np.array(found["triclinic"][name])
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-9 * abs(other).max())


@pytest.mark.parametrize("name", ["triclinic", "cell_much_smaller_than_cutoff", "slab"])
@pytest.mark.parametrize("kind", ["alone", "with atoms"])
def test_energies_of_pairs(found: dict, kind: str, name: str) -> None:
    if found["route"] == "plugin":
        return
    potential = pair_potential() if kind == "alone" else mixed_potential("none")
    atoms, got = SYSTEMS[name](), found["pairs"][f"{kind} {name}"]
    expected = potential.evaluate(atoms)
    np.testing.assert_allclose(got["energy"], expected.energy, rtol=1e-12)
    np.testing.assert_allclose(got["forces"], expected.forces, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(got["energies"], expected.energies, rtol=1e-12, atol=1e-12)
    total = 0.5 * (expected.virial + expected.virial.T)[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    np.testing.assert_allclose(-np.array(got["virials"]).sum(axis=0) / BAR, total, rtol=1e-10, atol=1e-10)
    if atoms.pbc.all():
        total *= BAR / atoms.get_volume()
        np.testing.assert_allclose(got["pressure"], total, rtol=1e-10, atol=1e-9 * abs(total).max())
    assert got["counts"][::2] == [expected.outside.sum(), len(atoms)]
    if kind == "alone":
        assert got["counts"][1] == (expected.outside > 0).sum()


def test_dynamics(found: dict) -> None:
    check_dynamics(found, found["dynamics"], random_potential())


def test_dynamics_with_energies_of_pairs(found: dict) -> None:
    if found["route"] == "external":
        check_dynamics(found, found["pairs"]["dynamics"], pair_potential())


def check_dynamics(found: dict, got: dict, potential: Potential) -> None:
    """Compare with ASE; masses are chosen so that differences of the constants cancel."""
    atoms = moving()
    atoms.set_masses([MASSES[symbol] * PS**2 / FORCE for symbol in atoms.symbols])
    velocities = moving().get_velocities()
    atoms.set_velocities(velocities)
    atoms.calc = Calculator(potential, threads=1, extrapolation="ignore")
    VelocityVerlet(atoms, STEP * PS).run(STEPS)
    apart = (np.array(got["positions"]) - atoms.positions) @ np.linalg.inv(atoms.cell.array)
    apart -= np.round(apart)
    assert abs(apart).max() < 1e-10
    np.testing.assert_allclose(np.array(got["velocities"]) / PS, atoms.get_velocities(), atol=1e-9)
    assert got["rebuilds"] > 2
    assert got["moved"] > 0 or found["ranks"] == 1
    assert abs(got["after"] - got["before"]) < 0.01


def test_errors(found: dict) -> None:
    got = found["errors"]
    assert got["element"] == "expected elements of the potential (H O S), found Cu"
    assert got["number"] == "expected the elements of 3 types of atoms, found H O"
    if "broken" in got:
        assert re.search(r"the position or the energy of atom \d is not finite at step 0", got["broken"])
        assert got["broken"].startswith("LAMMPS: " if found["route"] == "plugin" else "the position")
    assert got["units"] == "fastsf needs units metal or real, found lj"
    assert "LAMMPS: Unrecognized kspace style" in got["commands"]
    assert "needs bonded neighbors too: special_bonds lj/coul 1.0 1.0 1.0" in got["special"]
    reason = "expected * * and the element of each" if found["route"] == "plugin" else "Expected hybrid sub-style"
    assert reason in got["coefficients"]
    if found["route"] == "plugin":
        assert "LAMMPS: pair_style fastsf needs newton pair on" in got["newton"]
        assert got["pairs"].startswith("pair-centred energies need neighbors of ghost atoms")
        assert "pair_style fastsf takes no arguments" in got["arguments"]
        assert "expected elements of the potential (H O S), found Cu" in got["later element"]
