"""Energies of pairs: derivatives by differences, limits at the cutoff, and invariances."""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
import pytest
from ase import Atoms
from support.differences import position_derivatives, strain_derivatives
from support.pcsf_potentials import (
    OFFSETS,
    SHORT,
    WITHOUT,
    mixed_potential,
    pair_potential,
    pcsf_functions,
    random_pair_term,
)
from support.potential_checks import STRAINED, close_to
from support.potentials import random_potential
from support.systems import RADIUS, SYSTEMS

from fastsf import ACSF, Calculator, InputError, Potential
from fastsf.descriptors.pcsf import PCSF
from fastsf.potentials.committee import Committee
from fastsf.potentials.evaluation import evaluate_batch
from fastsf.potentials.pcsf_term import ENVELOPES, PairTerm
from fastsf.structure import Structure
from fastsf.symmetry.factors import Cutoff
from fastsf.training.objective.initialization import initial_network

FEW = ("molecule", "slab", "cell_much_smaller_than_cutoff", "strongly_skewed")


@cache
def potential(envelope: str = "fc", atoms: bool = False, threads: int | None = 1) -> Potential:
    return (mixed_potential if atoms else pair_potential)(envelope, threads=threads)


def energy_of(atoms: Atoms, envelope: str = "fc", with_atoms: bool = False) -> float:
    return potential(envelope, with_atoms).evaluate(atoms, forces=False).energy


# --- the formula ---


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("name", FEW)
def test_energies_are_sums_over_pairs(name, envelope):
    own, atoms = potential(envelope), SYSTEMS[name]()
    term, expected = own.pairs, np.array([own.offsets[symbol] for symbol in atoms.symbols])
    values, rows = term.descriptor.create(atoms), term.descriptor.rows(atoms)
    for row, k in enumerate(rows.kind):
        kind = term.descriptor.kinds[k]
        columns, scaling, network = term.descriptor.columns[kind], term.scalings[kind], term.networks[kind]
        energy = 0.25 * network.forward(scaling.apply(values[row : row + 1, : len(columns)]))[0]
        end = SHORT if "S" in kind else Cutoff(RADIUS, "poly4")
        if envelope == "fc":
            x = rows.distance[row] / end.radius
            energy *= (1 - x) ** 5 * (1 + 5 * x + 15 * x**2 + 35 * x**3 + 70 * x**4)
        if envelope == "shift":
            energy -= 0.25 * network.forward(scaling.apply(np.zeros((1, len(columns)))))[0]
        expected[[rows.i[row]]] += energy / 2
        expected[[rows.j[row]]] += energy / 2
    found = own.evaluate(atoms)
    close_to(found.energies, expected, 1e-12)
    assert found.energy == found.energies.sum() and len(found.pairs.values) == len(rows)


@pytest.mark.parametrize("with_atoms", [False, True])
def test_isolated_atoms_have_their_reference_energies(with_atoms):
    atoms = Atoms("HOS", positions=[[0, 0, 0], [10, 0, 0], [0, 10, 0]])
    found = potential("fc", with_atoms).evaluate(atoms)
    alone = random_potential(3).evaluate(atoms) if with_atoms else None
    expected = [OFFSETS.get(symbol, 0.0) for symbol in "HOS"] if alone is None else alone.energies
    np.testing.assert_array_equal(found.energies, expected)
    assert (found.forces == 0).all() and len(found.pairs.values) == 0


def test_terms_add_up():
    for name in FEW:
        both, pairs, atoms = potential("fc", True), potential(), random_potential(3)
        found = both.evaluate(SYSTEMS[name]())
        parts = [one.evaluate(SYSTEMS[name]()) for one in (pairs, atoms)]
        offsets = np.array([both.offsets[symbol] for symbol in SYSTEMS[name]().symbols])
        close_to(found.energies, parts[0].energies + parts[1].energies - offsets, 1e-12)
        close_to(found.forces, parts[0].forces + parts[1].forces, 1e-12)
        close_to(found.virials, parts[0].virials + parts[1].virials, 1e-12)


# --- derivatives ---


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("with_atoms", [False, True])
def test_forces_by_differences(name, with_atoms):
    atoms = SYSTEMS[name]()
    found = potential("fc", with_atoms).evaluate(atoms)

    def energies(structures):
        return [np.array([[energy_of(each, "fc", with_atoms)]]) for each in structures]

    by_differences = -position_derivatives(energies, atoms)[0, :, :, 0]
    assert np.abs(found.forces - by_differences).max() <= 2e-8 * max(1.0, np.abs(by_differences).max())


@pytest.mark.parametrize("envelope", ["shift", "none"])
@pytest.mark.parametrize("name", FEW)
def test_forces_of_other_envelopes_by_differences(name, envelope):
    atoms = SYSTEMS[name]()

    def energies(structures):
        return [np.array([[energy_of(each, envelope)]]) for each in structures]

    by_differences = -position_derivatives(energies, atoms)[0, :, :, 0]
    close_to(potential(envelope).evaluate(atoms).forces, by_differences, 1e-8)


@pytest.mark.parametrize("name", STRAINED)
def test_stress_by_finite_strain(name):
    atoms = SYSTEMS[name]()
    found = potential().evaluate(atoms)
    tensor = strain_derivatives(energy_of, atoms)
    close_to(found.virial, -tensor, 1e-8)
    close_to(found.stress, tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] / atoms.get_volume(), 1e-8)


# --- the end at the cutoff ---


def pair_at(distance: float) -> Atoms:
    """Return H and O with a third atom near both, so that functions of the environment are not zero."""
    return Atoms("HOH", positions=[[0, 0, 0], [distance, 0, 0], [RADIUS / 2, 0.5, 0]])


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_end_at_the_cutoff(envelope):
    inside, outside = (limit_of_energy(side, envelope) for side in (-1, 1))
    jump = {"fc": 0.0, "shift": 0.0, "none": 0.25 * limit_of_network("H-O")}[envelope]
    assert inside - outside == pytest.approx(jump, abs=1e-8)
    assert abs(jump) > 0.01 or envelope != "none"
    if envelope == "fc":
        before, after = (potential().evaluate(pair_at(RADIUS + side * 1e-5)).forces for side in (-1, 1))
        np.testing.assert_allclose(before, after, atol=1e-4)


def limit_of_energy(side: int, envelope: str) -> float:
    """Return the limit of the energy at the cutoff from one side."""
    near, far = (energy_of(pair_at(RADIUS + side * step * 1e-5), envelope) for step in (1, 2))
    return 2 * near - far


def limit_of_network(kind: str) -> float:
    """Return the output of a network for a pair at the cutoff, where all functions except the distance are zero."""
    term = random_pair_term("none")
    values = [RADIUS if f.family == "pair-distance" else 0.0 for f in term.descriptor.columns[kind]]
    return float(term.networks[kind].forward(term.scalings[kind].apply([values]))[0])


# --- what must not change a result ---


@pytest.mark.parametrize("name", SYSTEMS)
def test_sums_over_atoms(name):
    found, atoms = potential("fc", True).evaluate(SYSTEMS[name]()), SYSTEMS[name]()
    assert np.abs(found.forces.sum(axis=0)).max() <= 1e-12 * max(1.0, np.abs(found.forces).max())
    assert np.abs(found.virial - found.virial.T).max() <= 1e-12 * np.abs(found.virials).max(initial=1e-300)
    if not atoms.pbc.any():
        close_to(found.virial, (atoms.positions - atoms.positions.mean(axis=0)).T @ found.forces, 1e-9)
    alone = potential("fc", True).evaluate(atoms, forces=False)
    assert alone.forces is None
    np.testing.assert_array_equal(alone.energies, found.energies)
    np.testing.assert_array_equal(alone.outside, found.outside)


def test_far_molecules_add():
    one, other = SYSTEMS["molecule"](), SYSTEMS["collinear"]()
    other.positions += [0.0, 30.0, 0.0]
    together = potential().evaluate(one + other)
    parts = [potential().evaluate(each) for each in (one, other)]
    assert together.energy == pytest.approx(sum(part.energy for part in parts), rel=1e-13)
    close_to(together.forces, np.concatenate([part.forces for part in parts]), 1e-11)


@pytest.mark.parametrize("name", ["cell_much_smaller_than_cutoff", "triclinic"])
def test_a_supercell_has_the_energy_of_its_cells(name):
    atoms = SYSTEMS[name]()
    large, small = potential().evaluate(atoms.repeat((2, 1, 3))), potential().evaluate(atoms)
    assert large.energy == pytest.approx(6 * small.energy, rel=1e-12)
    close_to(large.forces, np.tile(small.forces, (6, 1)), 1e-10)
    close_to(large.stress, small.stress, 1e-10)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="only one thread to be had")
def test_threads_do_not_matter():
    atoms = SYSTEMS["triclinic"]().repeat((3, 2, 4))
    atoms.positions += np.random.default_rng(6).normal(scale=0.02, size=(len(atoms), 3))
    one, two = (potential("fc", True, threads).evaluate(atoms) for threads in (1, 2))
    for quantity in ("energies", "forces", "virials", "values", "outside"):
        np.testing.assert_array_equal(getattr(one, quantity), getattr(two, quantity))


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("skin", [0.0, 0.7])
def test_a_moving_structure(name, skin):
    own, atoms = potential("none"), SYSTEMS[name]()
    evaluator, rng = own.evaluator(atoms, skin=skin), np.random.default_rng(5)
    for step in range(6):
        atoms.positions += rng.normal(0.0, 0.1, (len(atoms), 3))
        cell = None
        if step == 3 and atoms.pbc.any():
            atoms.set_cell(atoms.cell.array * 1.01, scale_atoms=True)
            cell = atoms.cell.array
        found, fresh = evaluator.evaluate(atoms.positions, cell), own.evaluate(atoms)
        assert found.energy == pytest.approx(fresh.energy, rel=1e-12)
        close_to(found.forces, fresh.forces, 1e-11)
        close_to(found.virials, fresh.virials, 1e-10)
        assert found.outside.sum() == fresh.outside.sum() == len(found.extrapolations) == len(fresh.extrapolations)


def test_many_structures_at_once():
    own = potential("fc", True)
    structures = [Structure.from_atoms(make()) for make in SYSTEMS.values()]
    for structure, found in zip(structures, evaluate_batch(own.model, structures, threads=1), strict=True):
        alone = own.evaluate(structure)
        for quantity in ("energies", "forces", "virials", "values"):
            close_to(getattr(found, quantity), getattr(alone, quantity), 1e-11)
        np.testing.assert_array_equal(found.outside, alone.outside)
        assert sorted(zip(found.pairs.i, found.pairs.j, strict=True)) == sorted(
            zip(alone.pairs.i, alone.pairs.j, strict=True)
        )


def test_mixed_precision_is_that_of_atoms():
    atoms = SYSTEMS["slab"]()
    exact = potential().evaluate(atoms)
    mixed = potential().evaluator(atoms, precision="mixed").evaluate()
    for quantity in ("energies", "forces", "virials", "outside"):
        np.testing.assert_array_equal(getattr(mixed, quantity), getattr(exact, quantity))
    both = potential("fc", True)
    close_to(both.evaluator(atoms, precision="mixed").evaluate().forces, both.evaluate(atoms).forces, 1e-4)


# --- files, committees, calculators ---


@pytest.mark.parametrize("with_atoms", [False, True])
def test_saved_and_loaded(tmp_path, with_atoms):
    own = potential("shift", with_atoms)
    own.save(tmp_path / "model")
    again = Potential.load(tmp_path / "model", threads=1)
    assert again.pairs.envelope == "shift" and again.pairs.descriptor.columns == own.pairs.descriptor.columns
    assert again.metadata == own.metadata and again.elements == own.elements
    for name in FEW:
        first, second = own.evaluate(SYSTEMS[name]()), again.evaluate(SYSTEMS[name]())
        for quantity in ("energies", "forces", "virials", "outside"):
            np.testing.assert_array_equal(getattr(first, quantity), getattr(second, quantity))
    assert "pair-centred functions" in again.describe() and "envelope of pair energies: shift" in again.describe()
    with pytest.raises(InputError, match="folders of n2p2 and RuNNer have no energies of pairs; write a model file"):
        own.export_n2p2(tmp_path / "folder")


def test_a_committee():
    members = [pair_potential(seed=seed) for seed in (3, 11, 20)]
    committee, atoms = Committee(members), SYSTEMS["slab"]()
    found, parts = committee.evaluate(atoms), [member.evaluate(atoms) for member in members]
    np.testing.assert_allclose(found.member_energies, [part.energy for part in parts], rtol=1e-12)
    close_to(found.member_forces, np.array([part.forces for part in parts]), 1e-11)
    close_to(found.virials, np.mean([part.virials for part in parts], axis=0), 1e-11)
    close_to(found.energies_std, np.std([part.energies for part in parts], axis=0), 1e-9)
    assert found.forces_std.max() > 0 and (found.outside == parts[0].outside).all()
    other = random_pair_term()
    fewer = [function for function in pcsf_functions() if function.family != "pair-G4"]
    descriptor = PCSF(fewer, elements=other.descriptor.elements)
    scalings, networks = {}, {}
    for kind in other.kinds:
        columns = len(descriptor.columns[kind])
        scaling, network = other.scalings[kind], other.networks[kind]
        parts_of = {name: getattr(scaling, name)[:columns] for name in ("minimum", "maximum", "mean", "sigma")}
        scalings[kind] = type(scaling)(scaling.mode, -1.0, 2.0, **parts_of)
        weights = [network.weights[0][:columns], *network.weights[1:]]
        networks[kind] = type(network)(weights, network.biases, network.activations)
    with pytest.raises(InputError, match=r"member 2 has 5 functions for H-H, the first one 7"):
        Committee([members[0], Potential(None, {}, {}, pairs=PairTerm(descriptor, networks, scalings))])
    with pytest.raises(InputError, match="member 2 has 10 functions for H, the first one 0"):
        Committee([members[0], mixed_potential()])


def test_a_calculator():
    atoms = SYSTEMS["triclinic"]()
    atoms.calc = Calculator(potential("fc", True), threads=1)
    expected = potential("fc", True).evaluate(atoms)
    assert atoms.get_potential_energy() == expected.energy
    np.testing.assert_allclose(atoms.get_forces(), expected.forces, rtol=1e-12)
    np.testing.assert_allclose(atoms.get_stress(), expected.stress, rtol=1e-12)


def test_functions_of_pairs_outside_the_range_are_told():
    atoms = Atoms("OH", positions=[[0, 0, 0], [0.3, 0, 0]])
    found = potential().evaluate(atoms)
    lines = list(found.extrapolations.lines())
    assert found.outside.sum() == len(lines) > 0
    assert any(line.startswith(("pair 0-1 (H-O), function", "pair 1-0 (H-O), function")) for line in lines)
    assert "H-O" in found.extrapolations.summary()


# --- what does not fit ---


def test_parts_that_do_not_fit():
    term = random_pair_term("shift")
    parts = {"networks": dict(term.networks), "scalings": dict(term.scalings)}
    with pytest.raises(InputError, match="envelope: expected one of fc, shift, none, found 'cosine'"):
        PairTerm(term.descriptor, *parts.values(), "cosine")
    with pytest.raises(
        InputError, match=f"networks: expected the kinds H-H, H-O, H-S, O-O, O-S, which have functions; found {WITHOUT}"
    ):
        PairTerm(term.descriptor, {**term.networks, WITHOUT: term.networks["H-H"]}, term.scalings)
    with pytest.raises(InputError, match="expected networks for all pairs with functions, found none for H-O"):
        PairTerm(term.descriptor, {k: v for k, v in term.networks.items() if k != "H-O"}, term.scalings, "shift")
    other = {**term.networks, "H-O": initial_network((6, 4, 1), ("tanh", "linear"), rng=1)}
    with pytest.raises(
        InputError,
        match="pairs H-O: expected equal numbers, found 7 functions, a scaling of 7 columns and a network of 6 inputs",
    ):
        PairTerm(term.descriptor, other, term.scalings, "shift")
    whole = random_pair_term()
    with pytest.raises(InputError, match='envelope "shift" cannot be used with the distance itself'):
        PairTerm(whole.descriptor, whole.networks, whole.scalings, "shift")
    for nothing in (None, ACSF.without_functions(("H", "O"))):
        with pytest.raises(InputError, match="expected atom-centred functions or energies of pairs, found neither"):
            Potential(nothing, {}, {})
    with pytest.raises(
        InputError,
        match="expected the same elements, found atom-centred functions for H and pair-centred ones for H, O, S",
    ):
        Potential(ACSF([f for f in random_potential().descriptor.functions if f.center == "H"][:1]), {}, {}, pairs=term)
