"""Errors that are put into good data are found, and good data have no findings."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from support.labelled_sets import labelled_set, water

from fastsf import ACSF, G2, G5, Cutoff
from fastsf.datasets import examples as data
from fastsf.datasets.checks.features import find_twins
from fastsf.datasets.checks.outliers import find_outliers
from fastsf.datasets.frames import Reading
from fastsf.datasets.labelled import LabelledSet, read_labelled
from fastsf.datasets.splits import Split, split
from fastsf.structure import Structure

CUTOFF = Cutoff(5.0, "cosine")


@pytest.fixture(scope="module")
def silicon() -> LabelledSet:
    return read_labelled([data.path("silicon")])


@pytest.fixture(scope="module")
def values(silicon):
    return evaluated(silicon.structures, "Si")


def evaluated(structures, *symbols):
    radial = [
        G2(a, b, eta=4.0, rs=r, cutoff=CUTOFF) for a in symbols for b in symbols for r in (1.5, 2.0, 2.5, 3.0, 4.0)
    ]
    angular = [
        G5(a, (b, b), eta=0.05, zeta=z, lam=1.0, cutoff=CUTOFF) for a in symbols for b in symbols for z in (1.0, 4.0)
    ]
    acsf = ACSF(radial + angular)
    return [acsf.create(each) for each in structures]


def reported(labelled, *others, **more):
    """Return findings as (level, kind, message), and the report."""
    report = find_outliers(labelled, *others, **more)
    text = report.text()
    assert json.dumps(report.table())
    return [(each.level, each.kind, each.message) for each in report.findings], text


def with_forces(labelled, change):
    return replace(labelled, forces=[change(each) for each in labelled.forces])


# --- good data ---


def test_good_data(silicon, values):
    findings, text = reported(silicon, values, split(silicon, 0.1, 0.1))
    assert findings == []
    assert "shortest Si-Si distance 1.715 Å" in text
    assert text.endswith("nothing unusual in the data")
    ethanol = read_labelled([data.path("ethanol")])
    findings, text = reported(ethanol)
    assert findings == []
    assert text.count("shortest") == 5
    assert "shortest H-O distance 0.818 Å" in text


@pytest.mark.parametrize("name", ["Si", "Li"])
def test_benchmark_data(shared, name):
    labelled = read_labelled([shared / "data" / f"{name}_train.extxyz.gz"])
    findings, _ = reported(labelled)
    assert findings == []


def test_data_of_n2p2(shared):
    path = shared / "data" / "n2p2_train_H2O_RPBE-D3" / "input.data"
    assert reported(read_labelled([path], Reading("Bohr", "Hartree")))[0] == []
    ((level, kind, message),) = reported(read_labelled([path]))[0]
    assert (level, kind) == ("serious", "units")
    assert "were lengths in Bohr read as Å?" in message


# --- unusual labels ---


def test_energy_that_stands_out(silicon):
    energies = silicon.energies.copy()
    energies[40] += 3.0 * silicon.n_atoms[40]
    findings, text = reported(replace(silicon, energies=energies))
    ((level, kind, message),) = findings
    assert (level, kind) == ("suspicious", "energy")
    assert message.startswith("energy 2.8 eV/atom above the middle of group 'bulk-rattled', where 90% are within")
    assert f"({silicon.sources[40]})" in text


def test_forces_that_stand_out(silicon):
    forces = list(silicon.forces)
    forces[150] = 30.0 * forces[150]
    ((_, kind, message),) = reported(replace(silicon, forces=forces))[0]
    assert kind == "forces"
    assert message.startswith("a force of ")
    forces = list(silicon.forces)
    forces[3] = forces[3] + np.array([0.0, 0.2, 0.0])
    ((level, _, message),) = reported(replace(silicon, forces=forces))[0]
    assert level == "note"
    assert "of 1 structures do not add up to zero" in message
    assert "0.2 eV/Å" in message


def test_forces_that_were_never_computed(silicon):
    forces = list(silicon.forces)
    for k in (60, 61):
        forces[k] = np.zeros_like(forces[k])
    ((level, kind, message),) = reported(replace(silicon, forces=forces))[0]
    assert (level, kind) == ("suspicious", "forces")
    assert message.startswith("the forces of 2 structures are all exactly zero, and not by symmetry")


def test_huge_stress(silicon):
    findings, _ = reported(replace(silicon, stresses=silicon.stresses / units.GPa))
    assert [(level, kind) for level, kind, _ in findings] == [("serious", "units"), ("suspicious", "units")]
    assert "GPa against eV/Å^3?" in findings[0][2]
    assert "are they in GPa or kbar?" in findings[1][2]


# --- units and signs ---


@pytest.mark.parametrize(
    ("factor", "reason"),
    [
        (units.Bohr / units.Hartree, "times as much as the forces say: Hartree/Bohr against eV/Å?"),
        (units.Bohr, "times as much as the forces say: Bohr against Å?"),
        (-1.0, "energy changes -1 times as much as the forces say, and in the other direction"),
    ],
)
def test_forces_that_do_not_fit_energies(silicon, factor, reason):
    findings, _ = reported(with_forces(silicon, lambda forces: factor * forces))
    level, kind, message = findings[0]
    assert (level, kind) == ("serious", "units")
    assert message.endswith(reason)


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (1.0, []),
        (-1.0, [("serious", "units", "forces drive near atoms together: is their sign wrong?")]),
        (
            units.Bohr / units.Hartree,
            [("suspicious", "units", "forces are weak for the distances between the atoms: are they in Hartree/Bohr?")],
        ),
    ],
)
def test_forces_of_structures_that_are_not_similar(silicon, factor, expected):
    apart = silicon.select(np.arange(0, len(silicon), 7))
    findings, _ = reported(with_forces(apart, lambda forces: factor * forces))
    assert [each for each in findings if each[1] == "units"] == expected


def test_stresses_of_the_other_sign(silicon):
    ((level, _, message),) = reported(replace(silicon, stresses=-silicon.stresses))[0]
    assert level == "serious"
    assert "as much as the stresses say, and in the other direction" in message


def test_energies_of_files_in_different_units(silicon):
    chosen = np.arange(len(silicon)) % 2 == 1
    energies = np.where(chosen, silicon.energies / units.Hartree, silicon.energies)
    files = ["b.xyz" if odd else "a.xyz" for odd in chosen]
    findings, _ = reported(replace(silicon, energies=energies, files=files).select(np.argsort(files, kind="stable")))
    assert any(
        message.startswith("energies in b.xyz are 0.036") and message.endswith("in a.xyz: Hartree against eV?")
        for level, _, message in findings
        if level == "serious"
    )


@pytest.mark.parametrize(
    ("factor", "level", "reason"),
    [(1 / units.Bohr, "serious", "Bohr read as Å"), (units.Bohr, "serious", "Å read as Bohr")],
)
def test_lengths_in_other_units(silicon, factor, level, reason):
    structures = [
        Structure(factor * each.positions, factor * each.cell, each.pbc, each.numbers) for each in silicon.structures
    ]
    findings, _ = reported(replace(silicon, structures=structures))
    assert any(entry[:2] == (level, "units") and reason in entry[2] for entry in findings)


# --- geometry ---


def test_atoms_that_are_too_near(silicon):
    structures = list(silicon.structures)
    for k, distance in ((15, 0.01), (16, 1.0)):
        positions = structures[k].positions.copy()
        positions[1] = positions[0] + [distance, 0, 0]
        structures[k] = structures[k].moved_to(positions)
    findings, text = reported(replace(silicon, structures=structures))
    assert [(level, kind) for level, kind, _ in findings] == [("serious", "distance"), ("suspicious", "distance")]
    assert findings[0][2] == "atoms at 0.00 times the length of a bond"
    assert f"shortest Si-Si distance 0.010 Å ({silicon.sources[15]})" in text


def test_atoms_alone():
    frames = [Atoms("H", [[0.0, 0.0, 0.0]]), Atoms("Cu2", [[0.0, 0.0, 0.0], [0.0, 0.0, 2.5]])]
    findings, text = reported(labelled_set(frames, forces=[np.zeros((1, 3)), None]))
    assert findings == []
    assert "shortest Cu-Cu distance 2.500 Å" in text
    argon = bulk("Ar", "fcc", a=5.3)
    assert reported(labelled_set([argon], forces=[np.zeros((1, 3))]))[0] == []


# --- duplicates and contradictions ---


def turned(atoms: Atoms) -> Atoms:
    other = atoms.copy()
    other.rotate(40.0, (1, 2, 3), rotate_cell=True)
    return other[::-1]


def waters(n: int = 30) -> list[Atoms]:
    return [water(k) for k in range(n)]


def test_equal_structures():
    frames = [*waters(), water(4), turned(water(7)), water(4)]
    frames[-1].positions += 1.0
    energies = [-30.0] * len(frames)
    labelled = labelled_set(frames, energies, [None] * len(frames))
    plain = find_outliers(labelled).findings
    assert [(each.kind, each.level, each.structures) for each in plain] == [("duplicate", "note", (4, 30, 32))]
    values = evaluated(frames, "H", "O")
    found = find_outliers(labelled, values).findings
    assert [(each.kind, each.structures) for each in found] == [("duplicate", (4, 30, 32)), ("duplicate", (7, 31))]
    parts = Split(np.arange(20), np.arange(20, 31), np.array([31, 32]))
    suspicious = [each for each in find_outliers(labelled, values, parts).findings if each.level == "suspicious"]
    assert [each.structures for each in suspicious] == [(30,), (31, 32)]
    assert "1 of the 11 structures of the validation part are equal to training structures" in suspicious[0].message


def test_contradicting_energies():
    frames = [*waters(), turned(water(7))]
    energies = [-30.0] * 30 + [-29.7]
    values = evaluated(frames, "H", "O")
    findings = reported(labelled_set(frames, energies, [None] * 31), values)[0]
    assert [kind for _, kind, _ in findings] == ["energy", "contradiction"]
    assert findings[1][2] == "2 equal structures with energies that differ by 100 meV/atom"


def test_a_supercell_equals_its_cell():
    cell = bulk("Cu", cubic=True)
    cell.positions[0] += 0.3
    other = bulk("Cu", a=3.8, cubic=True)
    frames = [cell, other, cell.repeat((2, 1, 1))]
    values = evaluated(frames, "Cu")
    labelled = labelled_set(frames, [-4.0, -3.9, -8.0], [None] * 3)
    assert [each.structures for each in find_outliers(labelled, values).findings] == [(0, 2)]


def test_contradicting_forces(silicon, values):
    double = LabelledSet.joined([silicon, silicon.select([70])])
    structure = double.structures[-1]
    shaken = structure.moved_to(structure.positions + 1e-4 * np.sin(np.arange(3 * len(structure))).reshape(-1, 3))
    double.structures[-1] = shaken
    double.forces[-1] = double.forces[-1] * 1.7
    findings, text = reported(double, [*values, *evaluated([shaken], "Si")])
    kinds = [kind for _, kind, _ in findings]
    assert kinds == ["contradiction", "duplicate"]
    assert "(Si) have equal symmetry functions, but forces of " in findings[0][2]
    assert "frames 70, 70" in text


def test_elements_that_are_not_trained():
    frames = [*waters(12), Atoms("CO", [[0, 0, 0], [1.1, 0, 0]])]
    labelled = labelled_set(frames, [-1.0] * 13, [None] * 13)
    findings, text = reported(labelled, split=Split(np.arange(10), np.arange(10, 12), np.array([12])))
    assert findings[0] == ("serious", "element", "the test part has C, the training part has not")
    assert "set.extxyz, frame 12" in text


def test_long_lists_are_cut():
    frames = [water(k) for k in range(12) for _ in range(2)]
    labelled = replace(labelled_set(frames, [-1.0] * 24, [None] * 24), skipped=[f"reason {k}" for k in range(8)])
    lines = find_outliers(labelled).text(most=3).splitlines()
    assert sum("2 equal structures" in line for line in lines) == 3
    assert "  ... and 9 more of this kind" in lines
    assert "left out: reason 2" in lines and "left out: reason 3" not in lines


@pytest.mark.parametrize("width", [1, 3, 20])
def test_twins_are_those_of_all_pairs(width):
    random = np.random.default_rng(width)
    rows = random.normal(size=(200, width))
    rows[100:110] = rows[:10] + random.normal(scale=1e-3, size=(10, width))
    distances = np.linalg.norm(rows[:, None] - rows, axis=2) / np.sqrt(width)
    limit = 2e-3
    expected = {(a, b) for a, b in zip(*np.nonzero(distances < limit), strict=True) if a < b}
    found = set(zip(*(each.tolist() for each in find_twins(rows, limit)), strict=True))
    assert found == expected
    assert len(find_twins(rows[:1], limit).first) == 0
