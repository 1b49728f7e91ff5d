"""Potentials: numbers of n2p2, derivatives by differences, and invariances."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numba
import numpy as np
import pytest
from ase import Atoms
from ase.units import Bohr, Hartree
from support.differences import position_derivatives, strain_derivatives
from support.golden_n2p2 import CASES
from support.potential_checks import STRAINED, close_to
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf.errors import InputError, StructureError
from fastsf.potentials.evaluation import Result, evaluate_batch
from fastsf.potentials.potential import Potential
from fastsf.structure import Structure


@cache
def potential(threads: int | None = 1) -> Potential:
    return random_potential(threads=threads)


@cache
def result(name: str) -> Result:
    return potential().evaluate(SYSTEMS[name]())


# --- n2p2's numbers ---


class Case:
    """Reference case; lengths and energies are in the units of the case."""

    def __init__(self, folder: Path, length_unit: str = "Angstrom", energy_unit: str = "eV") -> None:
        self.potential = Potential.load(folder, length_unit, energy_unit, threads=1)
        with np.load(folder / "expected.npz") as arrays:
            self.arrays = dict(arrays)
        self.prefixes = sorted({name[:5] for name in self.arrays})

    def structure(self, prefix: str, length: float = 1.0) -> Atoms:
        lattice = self.arrays.get(prefix + "lattice")
        positions = length * self.arrays[prefix + "positions_remapped"]
        cell = None if lattice is None else length * lattice
        return Atoms(self.arrays[prefix + "Z"], positions, cell=cell, pbc=lattice is not None)


@pytest.mark.parametrize("case", CASES)
def test_energies_and_forces_are_those_of_n2p2(shared, case):
    reference = Case(shared / "reference" / case)
    own = reference.potential
    for prefix in reference.prefixes:
        atoms = reference.structure(prefix)
        found = own.evaluate(atoms)
        expected = {name: reference.arrays[prefix + name] for name in ("energies", "forces", "virial_sum_rij_fj")}
        total, internal, *_ = expected["energies"]
        assert found.energy == pytest.approx(total, rel=1e-10)
        assert found.energies.sum() == found.energy

        offsets = np.array([own.offsets[symbol] for symbol in atoms.symbols])
        networks = (found.energies - offsets) / own.energy_scale
        assert networks.sum() == pytest.approx(internal, rel=1e-10)
        close_to(networks, reference.arrays[prefix + "atomic_energy_internal"], 1e-10)
        close_to(found.energies - offsets, reference.arrays[prefix + "atomic_energy_phys_nomean"], 1e-10)
        of_networks = reference.arrays[prefix + "atomic_energy_phys_nomean"]
        assert offsets.sum() == pytest.approx(total - of_networks.sum(), rel=1e-10, abs=1e-12)

        close_to(found.forces, expected["forces"], 1e-9)
        close_to(found.virial, expected["virial_sum_rij_fj"], 1e-9)


@pytest.mark.parametrize("case", CASES)
def test_network_gradients_are_those_of_n2p2(shared, case):
    reference = Case(shared / "reference" / case)
    own = reference.potential
    seen = 0
    for prefix in reference.prefixes:
        evaluator = own.evaluator(reference.structure(prefix))
        values = evaluator.values()
        _, slopes, _ = evaluator.predict(own.model.networks, values)
        for symbol in own.elements:
            if f"{prefix}atoms_{symbol}" not in reference.arrays:
                continue
            rows, scaling = reference.arrays[f"{prefix}atoms_{symbol}"], own.scalings[symbol]
            scaled = reference.arrays[f"{prefix}G_scaled_{symbol}"]
            expected = reference.arrays[f"{prefix}dEint_dGscaled_{symbol}"]
            assert np.abs(scaling.apply(values[rows, : len(scaling)]) - scaled).max() <= 1e-10 * np.abs(scaled).max()
            close_to(own.networks[symbol].gradient(scaled)[1], expected, 1e-12)
            factor = scaling.affine()[1] * own.energy_scale
            close_to(slopes[rows, : len(scaling)], expected * factor, 1e-9)
            assert (slopes[rows, len(scaling) :] == 0).all()
            seen += len(rows)
    assert seen == sum(len(reference.arrays[prefix + "Z"]) for prefix in reference.prefixes)


def test_units_of_a_folder(shared):
    reference = Case(shared / "reference" / "predict_H2O_RPBE-D3", "Bohr", "Hartree")
    found = reference.potential.evaluate(reference.structure("0000_", Bohr))
    arrays = {name: reference.arrays["0000_" + name] for name in ("energies", "forces", "virial_sum_rij_fj", "lattice")}
    assert found.energy == pytest.approx(arrays["energies"][0] * Hartree, rel=1e-12)
    close_to(found.forces, arrays["forces"] * Hartree / Bohr, 1e-9)
    close_to(found.virial, arrays["virial_sum_rij_fj"] * Hartree, 1e-9)
    volume = abs(np.linalg.det(arrays["lattice"])) * Bohr**3
    xx, yy, zz = found.stress[:3] * volume
    assert [xx, yy, zz] == pytest.approx(list(-np.diag(found.virial)), rel=1e-12)
    assert reference.potential.descriptor.cutoff == pytest.approx(12.0 * Bohr, rel=1e-3)


# --- derivatives ---


def energy(atoms: Atoms) -> float:
    return potential().evaluate(atoms, forces=False).energy


def energies(structures: list[Atoms]) -> list[np.ndarray]:
    return [np.array([[energy(atoms)]]) for atoms in structures]


@pytest.mark.parametrize("name", SYSTEMS)
def test_forces_by_differences(name):
    by_differences = -position_derivatives(energies, SYSTEMS[name]())[0, :, :, 0]
    assert np.abs(result(name).forces - by_differences).max() <= 1e-7 * max(1.0, np.abs(by_differences).max())


@pytest.mark.parametrize("name", STRAINED)
def test_stress_by_finite_strain(name):
    atoms = SYSTEMS[name]()
    tensor = strain_derivatives(energy, atoms) / atoms.get_volume()
    expected = tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    close_to(result(name).stress, expected, 1e-7)
    close_to(result(name).virial, -tensor * atoms.get_volume(), 1e-7)


@pytest.mark.parametrize("name", SYSTEMS)
def test_sums_over_atoms(name):
    found, atoms = result(name), SYSTEMS[name]()
    assert found.virials.shape == (len(atoms), 3, 3)
    np.testing.assert_array_equal(found.virials.sum(axis=0), found.virial)
    assert np.abs(found.virial - found.virial.T).max() <= 1e-12 * np.abs(found.virials).max(initial=1e-300)
    assert np.abs(found.forces.sum(axis=0)).max() <= 1e-12 * max(1.0, np.abs(found.forces).max())
    assert found.energies.sum() == found.energy
    if not atoms.pbc.any():
        arms = (atoms.positions - atoms.positions.mean(axis=0)).T @ found.forces
        close_to(found.virial, arms, 1e-9)


@pytest.mark.parametrize("name", SYSTEMS)
def test_stress_needs_three_periodic_directions(name):
    found = result(name)
    assert (found.stress is not None) == (found.stresses is not None) == bool(SYSTEMS[name]().pbc.all())
    if found.stress is not None:
        assert np.abs(found.stresses.sum(axis=0) - found.stress).max() <= 1e-13 * np.abs(found.stresses).max()


# --- what must not change a result ---


@pytest.mark.parametrize("name", SYSTEMS)
def test_energies_alone(name):
    alone = potential().evaluate(SYSTEMS[name](), forces=False)
    assert alone.forces is alone.virials is alone.virial is alone.stress is None
    np.testing.assert_array_equal(alone.energies, result(name).energies)
    np.testing.assert_array_equal(alone.outside, result(name).outside)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="only one thread to be had")
def test_threads_do_not_matter():
    atoms = SYSTEMS["triclinic"]().repeat((3, 2, 4))
    atoms.positions += np.random.default_rng(6).normal(scale=0.02, size=(len(atoms), 3))
    one, two = potential(1).evaluate(atoms), potential(2).evaluate(atoms)
    for quantity in ("energies", "forces", "virials", "values", "outside"):
        np.testing.assert_array_equal(getattr(one, quantity), getattr(two, quantity))


def test_in_several_python_threads():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda name: potential().evaluate(SYSTEMS[name]()), list(SYSTEMS) * 4))
    for name, one in zip(list(SYSTEMS) * 4, found, strict=True):
        np.testing.assert_array_equal(one.forces, result(name).forces)


def test_pickled():
    again = pickle.loads(pickle.dumps(potential())).evaluate(SYSTEMS["slab"]())
    np.testing.assert_array_equal(again.forces, result("slab").forces)


@pytest.mark.parametrize("name", ["molecule", "slab", "cell_much_smaller_than_cutoff", "strongly_skewed"])
@pytest.mark.parametrize("skin", [0.0, 0.7])
def test_a_moving_structure(name, skin):
    atoms = SYSTEMS[name]()
    evaluator = potential().evaluator(atoms, skin=skin)
    rng = np.random.default_rng(5)
    for step in range(6):
        atoms.positions += rng.normal(0.0, 0.1, (len(atoms), 3))
        cell = None
        if step == 3 and atoms.pbc.any():
            atoms.set_cell(atoms.cell.array * 1.01, scale_atoms=True)
            cell = atoms.cell.array
        if step == 4 and atoms.pbc.all():
            atoms.wrap()
        if step == 5:
            atoms.positions[0] += 2.0
        found, fresh = evaluator.evaluate(atoms.positions, cell), potential().evaluate(atoms)
        assert found.energy == pytest.approx(fresh.energy, rel=1e-12)
        close_to(found.forces, fresh.forces, 1e-11)
        close_to(found.virials, fresh.virials, 1e-11)
        if atoms.pbc.all():
            close_to(found.stress, fresh.stress, 1e-11)


def test_many_structures_at_once():
    structures = [Structure.from_atoms(make()) for make in SYSTEMS.values()]
    together = evaluate_batch(potential().model, structures, threads=1)
    for name, found in zip(SYSTEMS, together, strict=True):
        alone = result(name)
        assert found.energy == pytest.approx(alone.energy, rel=1e-12)
        for quantity in ("energies", "forces", "virials", "values"):
            close_to(getattr(found, quantity), getattr(alone, quantity), 1e-11)
        assert (found.volume is None) == (alone.volume is None)
        np.testing.assert_array_equal(found.outside, alone.outside)


def test_results_belong_to_the_caller():
    atoms = SYSTEMS["slab"]()
    evaluator = potential().evaluator(atoms, skin=1.0)
    first = evaluator.evaluate()
    kept = {name: getattr(first, name).copy() for name in ("energies", "forces", "virials", "values", "outside")}
    evaluator.evaluate(atoms.positions + 0.1 * np.sin(np.arange(3 * len(atoms))).reshape(-1, 3))
    for name, before in kept.items():
        np.testing.assert_array_equal(getattr(first, name), before)


def test_atoms_are_not_changed():
    atoms = SYSTEMS["unwrapped"]()
    before = atoms.copy()
    potential().evaluate(atoms)
    assert atoms == before and atoms.calc is None


def test_values_outside_the_range_are_counted():
    assert result("slab").outside.sum() == 0  # among what the statistics are made of
    atoms = Atoms("OH", positions=[[0, 0, 0], [0.3, 0, 0]])
    found = potential().evaluate(atoms)
    own = potential()
    expected = []
    for row, symbol in zip(found.values, atoms.symbols, strict=True):
        scaling = own.scalings[symbol]
        g = row[: len(scaling)]
        expected.append(int(((g < scaling.minimum - 1e-10) | (g > scaling.maximum + 1e-10)).sum()))
    assert found.outside.tolist() == expected and min(expected) > 0


def test_no_atoms():
    found = potential().evaluate(Atoms())
    assert found.energy == 0.0 and found.forces.shape == (0, 3) and found.virial.tolist() == np.zeros((3, 3)).tolist()


# --- errors ---


def test_structures_that_cannot_be_used():
    with pytest.raises(StructureError, match="no functions for element C; known are H, O, S"):
        potential().evaluate(Atoms("HC", positions=[[0, 0, 0], [1, 0, 0]]))
    evaluator = potential().evaluator(SYSTEMS["slab"]())
    broken = SYSTEMS["slab"]().positions
    broken[2, 1] = np.nan
    with pytest.raises(StructureError, match="position of atom 2 is not finite"):
        evaluator.evaluate(broken)
    with pytest.raises(StructureError, match=r"expected positions of shape \(8, 3\), found \(7, 3\)"):
        evaluator.evaluate(SYSTEMS["slab"]().positions[:-1])
    with pytest.raises(StructureError, match="no volume"):
        potential().evaluator(SYSTEMS["triclinic"]()).evaluate(SYSTEMS["triclinic"]().positions, np.ones((3, 3)))
    with pytest.raises(InputError, match="expected positions together with the new cell"):
        evaluator.evaluate(cell=np.eye(3))


def test_parts_that_do_not_fit():
    own = potential()
    parts = {"networks": own.networks, "scalings": own.scalings}
    with pytest.raises(InputError, match="element H: expected a network and a scaling"):
        Potential(own.descriptor, {k: v for k, v in own.networks.items() if k != "H"}, own.scalings)
    with pytest.raises(InputError, match="networks: expected the elements H, O, S, which have functions; found C"):
        Potential(own.descriptor, {**own.networks, "C": own.networks["H"]}, own.scalings)
    with pytest.raises(InputError, match="offsets: expected the elements H, O, S, which have functions; found C"):
        Potential(own.descriptor, **parts, offsets={"C": 1.0})
    with pytest.raises(InputError, match="energy_scale: expected a positive number, found -1"):
        Potential(own.descriptor, **parts, energy_scale=-1.0)
    with pytest.raises(InputError, match="offset of O: expected a finite number"):
        Potential(own.descriptor, **parts, offsets={"O": np.nan})
    wrong = {**own.scalings, "O": type(own.scalings["O"])("none", 0, 1, *np.zeros((4, 3)))}
    with pytest.raises(InputError, match="element O: expected a scaling of 10 columns, one per function; found 3"):
        Potential(own.descriptor, own.networks, wrong)


def test_description():
    text = potential().describe()
    assert "O  network 10-6-4-1 (tanh, softplus, linear)" in text
    assert "offset -75 eV" in text and "made: at random" in text
    assert repr(potential()) == "<Potential: H, O, S, 10 features>"
