"""Packaged data sets: contents, and consistency of labels and positions."""

import hashlib

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

from fastsf.datasets import examples as data
from fastsf.errors import InputError

COUNTS = {"silicon": 199, "ethanol": 499}
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@pytest.fixture(scope="module")
def frames() -> dict[str, list[Atoms]]:
    return {name: ase.io.read(data.path(name), ":") for name in data.names()}


def first_of_each_group(members: list[Atoms]) -> list[Atoms]:
    return list({atoms.info["group"]: atoms for atoms in reversed(members)}.values())


def stillinger_weber_energy(atoms: Atoms) -> float:
    """Return the energy by equations 2.3-2.6 of Stillinger and Weber, Phys. Rev. B 31, 5262 (1985); eV, Å."""
    epsilon, sigma, reach, lam, gamma = 2.1683, 2.0951, 1.80, 21.0, 1.20
    big_a, big_b = 7.049556277, 0.6022245584
    centre, distance, vector = neighbor_list("idD", atoms, reach * sigma)
    r = distance / sigma
    energy = np.sum(big_a * (big_b * r**-4 - 1) * np.exp(1 / (r - reach))) / 2
    for i in range(len(atoms)):
        mine = centre == i
        unit = vector[mine] / distance[mine, None]
        decay = np.exp(gamma / (r[mine] - reach))
        corner = lam * np.outer(decay, decay) * (unit @ unit.T + 1 / 3) ** 2
        energy += np.sum(np.triu(corner, 1))
    return float(epsilon * energy)


def displaced(atoms: Atoms, atom: int, axis: int, step: float) -> Atoms:
    moved = atoms.copy()
    moved.positions[atom, axis] += step
    return moved


def deformed(atoms: Atoms, a: int, b: int, step: float) -> Atoms:
    strain = np.eye(3)
    strain[a, b] += step / 2
    strain[b, a] += step / 2
    moved = atoms.copy()
    moved.set_cell(atoms.cell @ strain, scale_atoms=True)
    return moved


def test_names_and_paths():
    assert set(data.names()) == set(COUNTS)
    for name in data.names():
        assert data.path(name).is_file()
        assert data.path(name).name == f"{name}.extxyz.gz"


@pytest.mark.parametrize("name", ["copper", "", "silicon.extxyz.gz", "../silicon"])
def test_unknown_name_lists_the_known_ones(name):
    with pytest.raises(InputError, match=r"expected one of ethanol, silicon"):
        data.path(name)


def test_small_enough_to_package():
    assert sum(data.path(name).stat().st_size for name in data.names()) < 2_000_000


@pytest.mark.parametrize("name", COUNTS)
def test_every_frame_is_labelled(frames, name):
    assert len(frames[name]) == COUNTS[name]
    for atoms in frames[name]:
        assert atoms.info["group"] and atoms.info["method"]
        assert np.isfinite(atoms.get_potential_energy())
        assert atoms.get_forces().shape == (len(atoms), 3)
        assert np.isfinite(atoms.get_forces()).all()
        np.testing.assert_allclose(atoms.get_forces().sum(axis=0), 0.0, atol=1e-6 * len(atoms))
        assert ("stress" in atoms.calc.results) == atoms.pbc.all()
        if atoms.pbc.all():
            assert np.isfinite(atoms.get_stress()).all()


def test_composition(frames):
    assert {symbol for atoms in frames["silicon"] for symbol in atoms.symbols} == {"Si"}
    assert {str(atoms.symbols) for atoms in frames["ethanol"]} == {"C2OH6"}
    assert {len(atoms) for atoms in frames["silicon"]} >= {2, 8, 16, 32, 55, 63, 64}
    assert {tuple(atoms.pbc.tolist()) for atoms in frames["silicon"]} == {
        (True, True, True),
        (True, True, False),
        (False, False, False),
    }
    assert not any(atoms.pbc.any() for atoms in frames["ethanol"])


@pytest.mark.parametrize("name", COUNTS)
def test_no_frame_twice(frames, name):
    digests = [
        hashlib.sha256(atoms.positions.tobytes() + atoms.cell.array.tobytes()).hexdigest() for atoms in frames[name]
    ]
    assert len(set(digests)) == len(digests)
    energies = [(len(atoms), atoms.get_potential_energy()) for atoms in frames[name]]
    assert len(set(energies)) == len(energies)  # turned or shifted copies keep their energy


def test_silicon_energies_follow_the_published_formula(frames):
    for atoms in first_of_each_group(frames["silicon"]):
        assert stillinger_weber_energy(atoms) == pytest.approx(atoms.get_potential_energy(), abs=1e-5)


def test_silicon_forces_and_stresses_are_derivatives_of_the_formula(frames):
    for atoms in first_of_each_group(frames["silicon"]):
        step, last = 1e-4, len(atoms) - 1
        for axis in range(3):
            up, down = (stillinger_weber_energy(displaced(atoms, last, axis, s)) for s in (step, -step))
            assert (down - up) / (2 * step) == pytest.approx(atoms.get_forces()[last, axis], abs=1e-5)
    strained = next(atoms for atoms in frames["silicon"] if atoms.info["group"] == "bulk-strained")
    for component, (a, b) in enumerate(VOIGT):
        up, down = (stillinger_weber_energy(deformed(strained, a, b, s)) for s in (step, -step))
        slope = (up - down) / (2 * step * strained.get_volume())
        assert slope == pytest.approx(strained.get_stress()[component], abs=1e-7)


def test_matscipy_gives_the_silicon_labels(frames):
    manybody = pytest.importorskip("matscipy.calculators.manybody")
    form = pytest.importorskip("matscipy.calculators.manybody.explicit_forms.stillinger_weber")
    for atoms in frames["silicon"]:
        again = atoms.copy()
        if not atoms.pbc.any():
            again.center(vacuum=6.0)  # matscipy wants a cell
        again.calc = manybody.Manybody(**form.StillingerWeber(form.Stillinger_Weber_PRB_31_5262_Si))
        assert again.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), abs=1e-5)
        np.testing.assert_allclose(again.get_forces(), atoms.get_forces(), rtol=0, atol=1e-5)
        if atoms.pbc.all():
            np.testing.assert_allclose(again.get_stress(), atoms.get_stress(), rtol=0, atol=1e-8)


def test_tblite_gives_the_ethanol_labels(frames):
    tblite = pytest.importorskip("tblite.ase")
    for atoms in frames["ethanol"][::25] + first_of_each_group(frames["ethanol"]):
        again = atoms.copy()
        again.calc = tblite.TBLite(method="GFN2-xTB", accuracy=0.01, verbosity=0)
        assert again.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), abs=1e-5)
        np.testing.assert_allclose(again.get_forces(), atoms.get_forces(), rtol=0, atol=1e-5)


def test_ethanol_forces_are_derivatives_of_the_energy(frames):
    tblite = pytest.importorskip("tblite.ase")
    atoms, step = first_of_each_group(frames["ethanol"])[0], 1e-3
    calculator = tblite.TBLite(method="GFN2-xTB", accuracy=0.001, verbosity=0)
    for atom in range(0, len(atoms), 4):
        for axis in range(3):
            up, down = (calculator.get_potential_energy(displaced(atoms, atom, axis, s)) for s in (step, -step))
            assert (down - up) / (2 * step) == pytest.approx(atoms.get_forces()[atom, axis], abs=2e-4)
