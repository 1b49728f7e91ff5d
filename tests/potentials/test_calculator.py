"""Calculator of ASE: correct numbers, few evaluations, and tools of ASE."""

import copy
import pickle
from functools import cache
from importlib import import_module

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.filters import FrechetCellFilter
from ase.io import read, write
from ase.md.langevin import Langevin
from ase.md.verlet import VelocityVerlet
from ase.mep import NEB
from ase.optimize import BFGS, FIRE
from ase.phonons import Phonons
from ase.units import GPa, fs, kB
from support.featurizing import ROOT
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import Calculator, Committee, InputError, Potential
from fastsf.errors import StructureError
from fastsf.potentials.evaluation import Evaluator


@cache
def potential() -> Potential:
    return random_potential()


def calculator(**options) -> Calculator:
    return Calculator(potential(), **{"threads": 1, "extrapolation": "ignore", **options})


@pytest.fixture
def calls(monkeypatch):
    """Return a list that records the argument `forces` of each evaluation."""
    made, original = [], Evaluator.evaluate

    def evaluate(self, positions=None, cell=None, forces=True):
        made.append(forces)
        return original(self, positions, cell, forces)

    monkeypatch.setattr(Evaluator, "evaluate", evaluate)
    return made


def state_of(atoms: Atoms) -> dict[str, np.ndarray]:
    arrays = {name: array.copy() for name, array in atoms.arrays.items()}
    return {**arrays, "cell": atoms.cell.array.copy(), "pbc": atoms.pbc.copy()}


def expect(atoms: Atoms) -> None:
    """Compare all results of the calculator of a structure with a new evaluation."""
    expected = potential().evaluate(atoms)
    assert atoms.get_potential_energy() == pytest.approx(expected.energy, rel=1e-13)
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()
    np.testing.assert_allclose(atoms.get_potential_energies(), expected.energies, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(atoms.get_forces(), expected.forces, rtol=1e-9, atol=1e-12)
    if atoms.pbc.all():
        np.testing.assert_allclose(atoms.get_stress(), expected.stress, rtol=1e-9, atol=1e-13)


# --- numbers ---


@pytest.mark.parametrize("name", SYSTEMS)
def test_results_are_those_of_the_potential_and_the_structure_stays(name):
    atoms = SYSTEMS[name]()
    before = state_of(atoms)
    atoms.calc = calculator()
    expect(atoms)
    after = state_of(atoms)
    assert set(after) == set(before)
    for key, array in before.items():
        np.testing.assert_array_equal(after[key], array)


def test_stresses_of_atoms_sum_to_the_stress():
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    stresses = atoms.get_stresses()
    assert stresses.shape == (len(atoms), 6)
    np.testing.assert_allclose(stresses.sum(axis=0), atoms.get_stress(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", ["molecule", "slab", "wire_without_vectors"])
def test_stress_needs_a_cell_that_is_periodic_in_all_directions(name):
    atoms = SYSTEMS[name]()
    atoms.calc = calculator()
    for ask in (atoms.get_stress, atoms.get_stresses):
        with pytest.raises(PropertyNotImplementedError, match=r"periodic in all three directions, found pbc = \["):
            ask()
    expect(atoms)
    with pytest.raises(PropertyNotImplementedError, match="periodic"):
        atoms.get_stress()


def test_results_belong_to_the_caller():
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    first = atoms.get_forces()
    kept = first.copy()
    atoms.get_forces()[:] = 0.0
    atoms.positions += 0.1 * np.arange(3 * len(atoms)).reshape(-1, 3) % 0.07
    atoms.get_forces()
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("skin", [0.0, 0.4, 2.0])
def test_walk_through_positions_cells_elements_and_periodicity(skin):
    """Results are those of a new evaluation after any changes in any order."""
    rng = np.random.default_rng(5)
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator(skin=skin)
    for step in range(60):
        kind = rng.integers(7)
        if kind <= 2:
            atoms.positions += rng.normal(0.0, 0.02, atoms.positions.shape)
        elif kind == 3:
            atoms.set_cell(atoms.cell.array * (1 + rng.normal(0.0, 0.02)), scale_atoms=bool(step % 2))
        elif kind == 4:
            atoms.numbers[:] = rng.permutation(atoms.numbers)
        elif kind == 5:
            atoms.pbc = rng.random(3) < 0.7
        else:
            atoms.wrap()
        expect(atoms)


def test_atoms_that_come_and_go():
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    expect(atoms)
    atoms.append("O")
    atoms.positions[-1] = atoms.positions[0] + 0.9
    expect(atoms)
    del atoms[1]
    expect(atoms)


# --- only what changed ---


def test_nothing_is_computed_twice(calls):
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    for _ in range(2):
        atoms.get_forces(), atoms.get_potential_energy(), atoms.get_stress(), atoms.get_stresses()
        atoms.get_potential_energies()
    atoms.set_initial_charges(np.ones(len(atoms)))
    atoms.info["name"] = "same"
    atoms.get_forces()
    assert calls == [True]
    atoms.positions[0, 0] = np.nextafter(atoms.positions[0, 0], 9.0)
    atoms.get_forces()
    assert calls == [True, True]


def test_forces_come_along_if_those_before_were_asked_for(calls):
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()

    def step(*questions):
        calls.clear()
        atoms.positions += 0.01
        for ask in questions:
            ask()
        return list(calls)

    energy, forces = atoms.get_potential_energy, atoms.get_forces
    assert step(energy) == step(energy) == [False]
    assert step(energy, forces) == [False, True]
    assert step(energy, forces) == step(energy, forces, energy, atoms.get_stress) == [True]
    assert step(energy) == [True]
    assert step(energy) == step(energy) == [False]
    assert step(forces, energy) == [True]


def test_calculation_required_and_reset(calls):
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calc = calculator()
    assert calc.calculation_required(atoms, ["energy"])
    atoms.get_forces()
    assert not calc.calculation_required(atoms, ["energy", "forces"])
    calc.reset()
    assert calc.calculation_required(atoms, ["energy"])
    atoms.get_forces()
    assert len(calls) == 2


def test_direct_calls_of_calculate():
    first, second = SYSTEMS["triclinic"](), SYSTEMS["slab"]()
    first.calc = calc = calculator()
    expect(first)
    calc.calculate(second, ["energy", "forces"])
    assert calc.results["energy"] == pytest.approx(potential().evaluate(second).energy)
    expect(first)
    calc.calculate()
    assert calc.results["energy"] == pytest.approx(potential().evaluate(first).energy)
    with pytest.raises(InputError, match="no structure"):
        calculator().calculate()


def test_one_calculator_for_several_structures():
    calc = calculator()
    structures = [SYSTEMS[name]() for name in ("triclinic", "slab", "molecule")]
    for atoms in structures * 2:
        atoms.calc = calc
        expect(atoms)


# --- what goes wrong ---


def test_errors_leave_no_numbers_behind():
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    expect(atoms)
    good = atoms.positions.copy()
    atoms.positions[2] = np.nan
    for _ in range(2):
        with pytest.raises(StructureError, match="atom 2 is not finite"):
            atoms.get_potential_energy()
    atoms.positions = good
    expect(atoms)
    atoms.set_cell(atoms.cell.array[[0, 0, 2]])
    for _ in range(2):
        with pytest.raises(StructureError, match="no volume"):
            atoms.get_forces()


def test_a_new_cell_after_an_error_is_taken():
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    expect(atoms)
    good = atoms.positions.copy()
    atoms.set_cell(1.1 * atoms.cell.array)
    atoms.positions[0] = np.inf
    with pytest.raises(StructureError):
        atoms.get_forces()
    atoms.positions = good
    expect(atoms)


def test_unknown_element():
    atoms = Atoms("HAu", [[0, 0, 0], [1, 0, 0]], calculator=calculator())
    with pytest.raises(StructureError, match="Au"):
        atoms.get_potential_energy()


def test_parameters_that_make_no_sense():
    for skin in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="skin"):
            calculator(skin=skin)
    with pytest.raises(InputError, match="expected one of ignore, warn, stop, found 'shout'"):
        calculator(extrapolation="shout")
    with pytest.raises(InputError, match="create a new Calculator"):
        calculator().set(skin=2.0)
    with pytest.raises(PropertyNotImplementedError):
        calculator().get_property("dipole", SYSTEMS["molecule"]())


# --- committees ---


def test_committee_tells_its_spread():
    members = [random_potential(seed) for seed in (1, 2, 3)]
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calc = Calculator(Committee(members), threads=1, extrapolation="ignore")
    energies = np.array([member.evaluate(atoms).energy for member in members])
    forces = np.array([member.evaluate(atoms).forces for member in members])
    assert atoms.get_potential_energy() == pytest.approx(energies.mean(), rel=1e-12)
    np.testing.assert_allclose(atoms.get_forces(), forces.mean(axis=0), atol=1e-11)
    assert calc.get_property("energy_std", atoms) == pytest.approx(energies.std(), rel=1e-9)
    np.testing.assert_allclose(calc.get_property("forces_std", atoms), forces.std(axis=0), atol=1e-11)
    assert calc.results["energies_std"].shape == (len(atoms),)
    np.testing.assert_allclose(atoms.get_stresses().sum(axis=0), atoms.get_stress(), rtol=1e-9, atol=1e-13)
    assert "energy_std" not in calc.export_properties()


def test_spread_needs_a_committee():
    with pytest.raises(PropertyNotImplementedError):
        calculator().get_property("energy_std", SYSTEMS["molecule"]())


# --- in the company of ASE ---


def test_copies_and_pickles_work_on_their_own():
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    expect(atoms)
    for other in (copy.deepcopy(atoms), pickle.loads(pickle.dumps(atoms))):
        assert other.calc is not atoms.calc
        other.positions += 0.05 * np.arange(3)
        expect(other)
    expect(atoms)


def test_files_keep_the_results(tmp_path):
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    forces, energy, stress = atoms.get_forces(), atoms.get_potential_energy(), atoms.get_stress()
    write(tmp_path / "one.traj", atoms)
    write(tmp_path / "one.extxyz", atoms)
    with connect(tmp_path / "one.db") as database:
        database.write(atoms)
    for name in ("one.traj", "one.extxyz", "one.db"):
        found = read(tmp_path / name)
        assert isinstance(found.calc, SinglePointCalculator)
        assert found.get_potential_energy() == pytest.approx(energy, abs=1e-7)
        np.testing.assert_allclose(found.get_forces(), forces, atol=1e-7)
        np.testing.assert_allclose(found.get_stress(), stress, atol=1e-7)
    row = next(connect(tmp_path / "one.db").select())
    assert row.calculator == "fastsf"
    assert row.calculator_parameters["skin"] == 0.3


def test_export_of_properties():
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = calculator()
    atoms.get_stress()
    assert {"energy", "free_energy", "energies", "forces", "stress"} <= set(atoms.calc.export_properties())


def test_ase_finds_the_calculator():
    tomllib, plugins = pytest.importorskip("tomllib"), pytest.importorskip("ase._4.plugins.plugin")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module = import_module(project["entry-points"]["ase.plugins"]["fastsf"])
    (plugin,) = module.__ase_plugins__
    assert isinstance(plugin, plugins.CalculatorPlugin)
    assert (plugin.name, plugin.implementation) == ("fastsf", Calculator)


# --- a real potential ---


@pytest.fixture(scope="module")
def silicon_potential(shared) -> Potential:
    return Potential.load(shared / "data" / "mlearn_nnp" / "Si", "Bohr", "Hartree", threads=1)


@pytest.fixture
def silicon(silicon_potential):
    """Return a function that makes structures of silicon with the calculator."""

    def make(repeat=(1, 1, 1), rattle=0.0, cubic=True, skin=0.5):
        atoms = bulk("Si", "diamond", 5.46, cubic=cubic).repeat(repeat)
        atoms.rattle(rattle, rng=np.random.default_rng(3))
        atoms.calc = Calculator(silicon_potential, skin=skin, threads=1, extrapolation="ignore")
        return atoms

    return make


def test_potential_by_its_path(shared, silicon):
    folder = shared / "data" / "mlearn_nnp" / "Si"
    atoms = silicon()
    expected = atoms.get_forces()
    atoms.calc = Calculator(folder, threads=1, length_unit="Bohr", energy_unit="Hartree")
    np.testing.assert_array_equal(atoms.get_forces(), expected)
    assert atoms.calc.todict() == {
        **{"potential": str(folder), "length_unit": "Bohr", "energy_unit": "Hartree"},
        **{"skin": 0.3, "threads": 1},
    }


def test_dynamics_conserve_energy(silicon):
    atoms = silicon((2, 1, 1))
    atoms.set_momenta(np.random.default_rng(8).normal(0.0, np.sqrt(28.0 * 600 * kB), (len(atoms), 3)))
    energies = []
    dynamics = VelocityVerlet(atoms, 1.0 * fs)
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()), 1)
    dynamics.run(60)
    kinetic = atoms.get_kinetic_energy()
    assert np.ptp(energies) < 0.02 * kinetic


def test_dynamics_with_a_thermostat_and_without_skin_agree(silicon):
    ends = []
    for skin in (0.0, 1.0):
        atoms = silicon(rattle=0.05, skin=skin)
        Langevin(atoms, 1.0 * fs, temperature_K=300, friction=0.01, fixcm=False, rng=np.random.default_rng(2)).run(20)
        ends.append(atoms.positions)
    np.testing.assert_allclose(*ends, atol=1e-9)


@pytest.mark.parametrize("optimizer", [BFGS, FIRE])
def test_relaxation_of_positions(silicon, optimizer):
    atoms, perfect = silicon(rattle=0.1), silicon()
    assert optimizer(atoms, logfile=None).run(fmax=0.005, steps=200)
    assert atoms.get_potential_energy() == pytest.approx(perfect.get_potential_energy(), abs=1e-3)


def test_relaxation_of_the_cell(silicon):
    atoms = silicon(rattle=0.02)
    deformed = np.array([[1.03, 0.02, 0.0], [0.0, 0.98, 0.01], [0.0, 0.0, 1.01]])
    atoms.set_cell(atoms.cell.array @ deformed, scale_atoms=True)
    assert BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=0.002, steps=200)
    assert np.abs(atoms.get_stress()).max() < 0.05 * GPa
    np.testing.assert_allclose(np.sort(atoms.cell.lengths()), atoms.cell.lengths().mean(), rtol=2e-3)


@pytest.mark.parametrize("shared_calculator", [True, False])
def test_elastic_band(silicon, shared_calculator):
    """A neighbour of a vacancy hops into it: both ends are equal by symmetry, with a barrier between."""
    whole = silicon((2, 1, 1))
    hop = min((whole.get_distance(0, j, mic=True, vector=True) for j in range(1, len(whole))), key=np.linalg.norm)
    first = whole.copy()
    del first[np.argmin(np.linalg.norm(whole.get_distances(0, range(len(whole)), mic=True, vector=True) - hop, axis=1))]
    last = first.copy()
    last.positions[0] += hop
    images = [first, *(first.copy() for _ in range(3)), last]
    for image in images:
        image.calc = (
            whole.calc if shared_calculator else Calculator(whole.calc.potential, threads=1, extrapolation="ignore")
        )
    band = NEB(images, method="improvedtangent", allow_shared_calculator=shared_calculator)
    band.interpolate(mic=True)
    FIRE(band, logfile=None).run(fmax=0.3, steps=8)
    energies = [image.get_potential_energy() for image in images]
    assert energies[2] > max(energies[0], energies[4])
    assert energies[0] == pytest.approx(energies[4], abs=1e-8)


def test_phonons(silicon, tmp_path):
    atoms = silicon(cubic=False)
    phonons = Phonons(atoms, atoms.calc, supercell=(2, 2, 2), delta=0.01, name=str(tmp_path / "phonon"))
    phonons.run()
    phonons.read(acoustic=True)
    energies = 1e3 * phonons.band_structure([[0.0, 0.0, 0.0]])[0]  # meV
    np.testing.assert_allclose(energies[:3], 0.0, atol=1.0)
    assert np.ptp(energies[3:]) < 0.5
    assert 50 < energies[3] < 75
