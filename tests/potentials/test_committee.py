"""Committees: means and spreads of potentials that share their symmetry functions."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from support.committees import RADIUS, functions, ice, potential
from support.differences import STENCIL, STEP, displaced

from fastsf import ACSF, G2
from fastsf.errors import InputError, StructureError
from fastsf.potentials.committee import Committee, CommitteeResult
from fastsf.potentials.potential import Potential
from fastsf.potentials.scaling import Scaling
from fastsf.training.objective.initialization import initial_network


@pytest.fixture(scope="module")
def members() -> list[Potential]:
    return [potential(seed) for seed in range(4)]


def check_members(result: CommitteeResult, expected: list, forces: bool = True) -> None:
    energies = np.array([one.energy for one in expected])
    atoms = np.array([one.energies for one in expected])
    close = {"rtol": 1e-10, "atol": 1e-11}
    np.testing.assert_allclose(result.member_energies, energies, **close)
    np.testing.assert_allclose(result.energy, energies.mean(), **close)
    np.testing.assert_allclose(result.energy_std, np.sqrt(((energies - energies.mean()) ** 2).mean()), **close)
    np.testing.assert_allclose(result.energies, atoms.mean(axis=0), **close)
    np.testing.assert_allclose(result.energies_std, atoms.std(axis=0, ddof=0), **close)
    np.testing.assert_array_equal(result.values, expected[0].values)
    if forces:
        arrays = np.array([one.forces for one in expected])
        np.testing.assert_allclose(result.member_forces, arrays, **close)
        np.testing.assert_allclose(result.forces, arrays.mean(axis=0), **close)
        np.testing.assert_allclose(result.forces_std, arrays.std(axis=0, ddof=0), **close)
        np.testing.assert_allclose(result.virials, np.mean([one.virials for one in expected], axis=0), **close)


@pytest.mark.parametrize("atoms", [molecule("H2O"), ice()], ids=["molecule", "crystal"])
def test_means_and_deviations_of_the_members(members: list[Potential], atoms: Atoms) -> None:
    result = Committee(members).evaluate(atoms)
    expected = [member.evaluate(atoms) for member in members]
    check_members(result, expected)
    assert result.energy_std > 0 and (result.forces_std > 0).any()
    if atoms.pbc.all():
        np.testing.assert_allclose(result.stress, np.mean([one.stress for one in expected], axis=0), rtol=1e-10)
        np.testing.assert_allclose(result.stresses.sum(axis=0), result.stress, rtol=1e-10, atol=1e-13)
    else:
        assert result.stress is None


def test_energies_alone(members: list[Potential]) -> None:
    result = Committee(members).evaluate(ice(), forces=False)
    check_members(result, [member.evaluate(ice()) for member in members], forces=False)
    assert result.forces is result.forces_std is result.member_forces is result.virials is result.stress is None


def test_one_member_is_that_potential(members: list[Potential]) -> None:
    result = Committee(members[1:2]).evaluate(ice())
    check_members(result, [members[1].evaluate(ice())])
    assert result.energy_std == 0 and (result.forces_std == 0).all() and (result.energies_std == 0).all()
    np.testing.assert_array_equal(result.outside, members[1].evaluate(ice()).outside)


def test_forces_are_minus_the_slope_of_the_mean_energy(members: list[Potential]) -> None:
    committee, atoms = Committee(members), ice()
    forces = committee.evaluate(atoms).forces
    for atom, axis in ((0, 0), (2, 1), (5, 2)):
        moved = {n: committee.evaluate(displaced(atoms, atom, axis, n), forces=False).energy for n in STENCIL}
        slope = sum(weight * moved[n] for n, weight in STENCIL.items()) / STEP
        np.testing.assert_allclose(forces[atom, axis], -slope, rtol=1e-7, atol=1e-8)


def test_evaluator_follows_moving_atoms_and_cells(members: list[Potential]) -> None:
    committee, atoms = Committee(members), ice()
    evaluator = committee.evaluator(atoms, skin=0.5)
    for step in range(4):
        atoms.positions += np.random.default_rng(step).normal(0.0, 0.1, (len(atoms), 3))
        if step == 2:
            atoms.set_cell(atoms.cell.array * 1.02, scale_atoms=True)
        result = evaluator.evaluate(atoms.positions, atoms.cell.array)
        fresh = committee.evaluate(atoms)
        np.testing.assert_allclose(result.energy, fresh.energy, rtol=1e-12)
        np.testing.assert_allclose(result.member_forces, fresh.member_forces, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(result.stress, fresh.stress, rtol=1e-9, atol=1e-12)


def test_threads_change_nothing(members: list[Potential]) -> None:
    one, two = (Committee(members).evaluator(ice(), threads=threads).evaluate() for threads in (1, 2))
    np.testing.assert_array_equal(one.member_forces, two.member_forces)
    np.testing.assert_array_equal(one.member_energies, two.member_energies)


def test_outside_of_any_members_range() -> None:
    descriptor = ACSF(functions(), threads=1)
    wide, narrow = potential(0, descriptor, spread=50.0), potential(1, descriptor, spread=0.2)
    atoms = ice()
    result = Committee([wide, narrow]).evaluate(atoms)
    expected = np.zeros(len(atoms), dtype=int)
    for row, symbol in enumerate(atoms.symbols):
        bounds = [member.scalings[symbol].bounds() for member in (wide, narrow)]
        expected[row] = sum(
            any(g < low[column] or g > high[column] for low, high in bounds)
            for column, g in enumerate(result.values[row])
        )
    np.testing.assert_array_equal(result.outside, expected)
    assert len(result.extrapolations) == expected.sum() > (wide.evaluate(atoms).outside).sum()
    # the order of the members changes no mean
    np.testing.assert_allclose(result.forces, Committee([narrow, wide]).evaluate(atoms).forces, rtol=1e-12, atol=1e-13)


def test_ranges_without_common_part_leave_everything_outside() -> None:
    descriptor = ACSF(functions(), threads=1)
    low, high = potential(3, descriptor), potential(3, descriptor)
    for symbol, scaling in high.scalings.items():
        high.scalings[symbol] = Scaling(
            "none", 0.0, 1.0, scaling.minimum + 100, scaling.maximum + 100, scaling.mean, scaling.sigma
        )
    result = Committee([low, high]).evaluate(ice())
    assert (result.outside == 4).all()
    assert len(result.extrapolations) == 4 * len(ice())


def test_calculator_has_the_deviations(members: list[Potential]) -> None:
    from fastsf.potentials.calculator import Calculator

    atoms = ice()
    committee = Committee(members)
    atoms.calc = Calculator(committee, extrapolation="ignore", threads=1)
    expected = committee.evaluate(atoms)
    np.testing.assert_allclose(atoms.get_forces(), expected.forces, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(atoms.calc.results["forces_std"], expected.forces_std, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(atoms.calc.results["energy_std"], expected.energy_std, rtol=1e-9)


def test_members_from_files(members: list[Potential], tmp_path) -> None:
    paths = [tmp_path / f"member{k}.h5" for k in range(2)]
    for member, path in zip(members, paths, strict=False):
        member.save(path)
    committee = Committee.load(paths, threads=1)
    expected = Committee(members[:2]).evaluate(ice())
    np.testing.assert_array_equal(committee.evaluate(ice()).member_forces, expected.member_forces)
    assert len(committee) == 2 and repr(committee) == "<Committee of 2: H, O, 4 features>"
    assert committee.describe().startswith("committee of 2 potentials with the same functions\nmember 1: 8 symmetry")


def test_errors_name_the_member_that_differs(members: list[Potential]) -> None:
    with pytest.raises(InputError, match="at least one potential"):
        Committee([])
    other = potential(1, ACSF(functions(eta=0.4)))
    with pytest.raises(InputError, match=r"member 3: function 1 of H is .*0\.4.*, that of the first one .*0\.3"):
        Committee([*members[:2], other])
    fewer = ACSF(functions()[:-1])
    nets = {"H": members[0].networks["H"], "O": initial_network((3, 1), ("linear",))}
    scaling = members[0].scalings["H"]
    short = Scaling("none", 0.0, 1.0, *(getattr(scaling, name)[:3] for name in ("minimum", "maximum", "mean", "sigma")))
    with pytest.raises(InputError, match="member 2 has 3 functions for O, the first one 4"):
        Committee([members[0], Potential(fewer, nets, {"H": scaling, "O": short})])
    copper = ACSF([G2("Cu", "Cu", 0.1, RADIUS)])
    one = Scaling("none", 0.0, 1.0, *np.array([[0.0], [1.0], [0.5], [1.0]]))
    alien = Potential(copper, {"Cu": initial_network((1, 1), ("linear",))}, {"Cu": one})
    with pytest.raises(InputError, match="member 2 has the elements Cu, the first one H, O"):
        Committee([members[0], alien])
    with pytest.raises(StructureError, match="Cu"):
        Committee(members).evaluate(bulk("Cu"))
