"""Mixed precision against double: errors as in docs/potentials.md, and equalities in every bit."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import (
    ACSF,
    G2,
    G4,
    G5,
    Angular,
    Calculator,
    Committee,
    Compact,
    Cutoff,
    InputError,
    Potential,
    Power,
    Radial,
    StructureError,
    Window,
)
from fastsf.io.input_data import iread_input_data
from fastsf.md import NVE, MolecularDynamics
from fastsf.potentials.evaluation import Result, evaluate_batch
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry.factors import BUMPS, CUTOFFS
from fastsf.training.objective.initialization import initial_network

VALUES, FORCES, LARGEST, ENERGY = 5e-6, 2e-5, 1e-4, 3e-6
"""Bounds: of symmetry functions (of the largest in a column), forces (rms and maximum, of the rms force), eV/atom."""


def rms(numbers: np.ndarray) -> float:
    return float(np.sqrt((numbers**2).mean()))


def check(mixed: Result, double: Result, size: float | None = None) -> None:
    n, size = len(double.numbers), rms(double.forces) if size is None else size
    largest = np.abs(double.values).max(axis=0)
    assert (np.abs(mixed.values - double.values) <= VALUES * largest + 1e-30).all()  # float32 has no smaller numbers
    assert abs(mixed.energy - double.energy) <= ENERGY * n
    error = mixed.forces - double.forces
    assert rms(error) <= FORCES * size and np.abs(error).max() <= LARGEST * size
    assert np.abs(mixed.virials - double.virials).max() <= LARGEST * np.abs(double.virials).max()
    assert np.abs(mixed.forces.sum(axis=0)).max() <= 1e-12 * n * (1 + size)  # momentum is conserved as in double
    assert all(array.dtype == np.float64 for array in (mixed.values, mixed.energies, mixed.forces, mixed.virials))


def both(potential: Potential, atoms: Atoms, threads: int = 1) -> tuple[Result, Result]:
    mixed = potential.evaluator(atoms, threads=threads, precision="mixed")
    return mixed.evaluate(), potential.evaluator(atoms, threads=threads).evaluate()


@pytest.fixture(scope="module")
def potential() -> Potential:
    return random_potential()


@pytest.mark.parametrize("name", SYSTEMS)
def test_errors_on_named_systems(potential: Potential, name: str) -> None:
    check(*both(potential, SYSTEMS[name]()))


PUBLISHED = {
    "predict_H2O_RPBE-D3": ("Bohr", "Hartree"),
    "predict_Cu2S_PBE": ("Angstrom", "eV"),
    "predict_Ethylbenzene_SCAN": ("Bohr", "Hartree"),
}


@pytest.mark.parametrize("folder", PUBLISHED)
def test_errors_of_published_potentials(shared, folder: str) -> None:
    path, units = shared / "reference" / folder, PUBLISHED[folder]
    published = Potential.load(path, *units, threads=1)
    check(*both(published, next(iread_input_data(path / "input.data", *units))))


def every_kind() -> Potential:
    """Return functions with all factors, shifts, both sums of wide functions, and Gaussians that underflow."""
    functions = [G2("O", "H", 0.3, Cutoff(5.0, kind)) for kind in CUTOFFS if kind != "hard"]
    functions += [Radial("H", "O", Compact(-1.0, 4.5, kind, asymmetric=kind == "poly2")) for kind in BUMPS]
    functions += [Radial("H", "H", Cutoff(4.0), kappa=1.5), G2("H", None, 0.4, 5.0, rs=0.5), G2("H", "H", 9.0, 5.0)]
    for zeta, lam in ((1, 1), (4, -1), (1.5, 1), (16, 1), (64, -1)):
        functions += [G4("O", ("H", "H"), 0.1, zeta, lam, 5.0), G5("H", ("H", "O"), 0.1, zeta, lam, 5.0)]
    functions += [G4("O", ("H", "O"), eta, 1, 1, 5.0, rs=rs) for eta in (0.02, 4.0, 20.0) for rs in (0.0, 1.0)]
    functions += [G5("O", ("H", "H"), 0.0, zeta, lam, 5.0) for zeta in (1, 2, 4) for lam in (-1, 1)]
    functions += [
        Angular("O", ("H", "H"), Compact(0.0, radius, "poly2"), Window(30, 170, "poly1")) for radius in (3, 5)
    ]
    functions += [Angular("O", None, Cutoff(4.0, "tanh3"), Power(3.0, 1.0), eta=0.02)]
    acsf = ACSF(functions, threads=1)
    scalings, networks = {}, {}
    for symbol, columns in acsf.columns.items():
        ones = np.ones(len(columns))
        scalings[symbol] = Scaling("none", 0.0, 1.0, 0 * ones, ones, 0 * ones, ones)
        networks[symbol] = initial_network((len(columns), 4, 1), ("tanh", "linear"), rng=1)
    return Potential(acsf, networks, scalings)


def box(n: int, length: float, seed: int = 1) -> Atoms:
    positions = np.random.default_rng(seed).random((n, 3)) * length
    return Atoms([("H", "H", "O")[k % 3] for k in range(n)], positions, cell=[length] * 3, pbc=True)


def test_errors_of_every_kind_of_function() -> None:
    check(*both(every_kind(), box(90, 9.0)))


def test_committees_and_batches(potential: Potential) -> None:
    atoms = SYSTEMS["triclinic"]()
    double = potential.evaluate(atoms)
    committee = Committee([potential, potential])
    assert committee.model.precision == "double"
    check(committee.evaluator(atoms, precision="mixed").evaluate(), double)
    mixed = Potential.from_parts(potential.parts, precision="mixed", threads=1)
    assert Committee([mixed]).model.precision == "mixed"
    single = mixed.evaluate(atoms)
    for result in evaluate_batch(mixed.model, [Structure.from_atoms(atoms)] * 2, 1):
        check(result, double)
    np.testing.assert_array_equal(mixed.evaluate(atoms, forces=False).energies, single.energies)
    assert np.abs(single.forces - double.forces).max() > 0  # it is not double


def test_calculator(potential: Potential, tmp_path) -> None:
    atoms = SYSTEMS["slab"]()
    expected = potential.evaluator(atoms, 0.3, 1, precision="mixed").evaluate().forces
    potential.save(tmp_path / "model.h5")
    for given in (potential, tmp_path / "model.h5", Potential.load(tmp_path / "model.h5", precision="mixed")):
        wanted = None if given.__class__ is Potential and given is not potential else "mixed"
        atoms.calc = Calculator(given, threads=1, extrapolation="ignore", precision=wanted)
        np.testing.assert_array_equal(atoms.get_forces(), expected)
        assert atoms.calc.precision == "mixed"


def test_double_unless_asked_for(potential: Potential, tmp_path) -> None:
    mixed = Potential.from_parts(potential.parts, precision="mixed")
    mixed.save(tmp_path / "model.h5")
    assert Potential.load(tmp_path / "model.h5").model.precision == "double"
    assert Calculator(potential).precision == "double"
    assert Calculator(mixed, precision="double").precision == "double"
    assert potential.evaluator(molecule("H2O")).model.precision == "double"


def test_dynamics_take_the_precision_of_the_potential(potential: Potential) -> None:
    energies = []
    for word in ("mixed", "double"):
        own = Potential.from_parts(potential.parts, precision=word)
        rows = MolecularDynamics(own, SYSTEMS["triclinic"](), NVE(), 0.5, threads=1).advance(5, 1).rows
        energies.append(rows)
    assert np.abs(energies[0] - energies[1]).max() > 0
    np.testing.assert_allclose(*(rows[:, :7] for rows in energies), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("word", ["single", "Mixed", "", 32, np.float32, ["mixed"]])
def test_other_words_are_refused(potential: Potential, word) -> None:
    atoms = molecule("H2O")
    with pytest.raises(InputError, match="precision: expected one of double, mixed, found"):
        potential.evaluator(atoms, precision=word)
    with pytest.raises(InputError, match="precision"):
        Calculator(potential, precision=word)
    with pytest.raises(InputError, match="precision"):
        Potential.load("nowhere", precision=word)
    with pytest.raises(InputError, match="precision"):
        Committee([potential]).evaluator(atoms, precision=word)


def test_members_of_a_committee_agree(potential: Potential) -> None:
    mixed = Potential.from_parts(potential.parts, precision="mixed")
    with pytest.raises(InputError, match="member 2 works in mixed precision, the first one in double"):
        Committee([potential, mixed])


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="only one thread to be had")
def test_threads_change_no_bit() -> None:
    model, atoms = every_kind(), box(200, 12.0)
    one = model.evaluator(atoms, threads=1, precision="mixed").evaluate()
    two = model.evaluator(atoms, threads=2, precision="mixed").evaluate()
    for name in ("values", "energies", "forces", "virials"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_positions_that_are_no_numbers(potential: Potential) -> None:
    atoms = SYSTEMS["slab"]()
    evaluator = potential.evaluator(atoms, threads=1, precision="mixed")
    broken = atoms.positions.copy()
    broken[2, 1] = np.nan
    with pytest.raises(StructureError):
        evaluator.evaluate(broken)
    check(evaluator.evaluate(atoms.positions), potential.evaluate(atoms))


def test_weights_that_are_no_numbers_show(potential: Potential) -> None:
    atoms = SYSTEMS["slab"]()
    evaluator = potential.evaluator(atoms, threads=1, precision="mixed")
    evaluator.model.networks.parameters[0], kept = np.nan, evaluator.model.networks.parameters[0]
    try:
        assert np.isnan(evaluator.evaluate().energy)
    finally:
        evaluator.model.networks.parameters[0] = kept


def test_atoms_on_one_spot_or_almost(potential: Potential) -> None:
    for gap in (0.0, 1e-25, 1e-12, 1e-6, 1e-3):
        atoms = Atoms("HOSH", [[0, 0, 0], [1, 0, 0], [0, 1.2, 0], [gap, 0, 0]])
        result = potential.evaluator(atoms, threads=1, precision="mixed").evaluate()
        assert np.isfinite(result.forces).all() and np.isfinite(result.energy)


def test_small_numbers_elsewhere_are_kept(potential: Potential) -> None:
    potential.evaluator(SYSTEMS["slab"](), threads=1, precision="mixed").evaluate()
    assert np.float32(1e-30) * np.float32(1e-10) > 0  # the CPU flushes such numbers while kernels run
