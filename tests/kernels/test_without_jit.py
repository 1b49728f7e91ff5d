"""Kernels as plain Python (NUMBA_DISABLE_JIT=1) on small structures: coverage, and a check of the JIT."""

import os
import subprocess
import sys

import numpy as np
import pytest
from ase import units
from ase.build import molecule
from ase.md.verlet import VelocityVerlet
from numba import config
from reference.assemble import features
from reference.networks import energy_and_gradient
from reference.pcsf_features import pcsf_features
from support.battery import ELEMENTS, assert_values
from support.lammps_lists import Listed
from support.pcsf_battery import Ordered, assert_like, pcsf_functions_of

import fastsf
from fastsf import (
    ACSF,
    G1,
    G2,
    G3,
    G4,
    G5,
    PCSF,
    Angular,
    Calculator,
    Compact,
    Cutoff,
    InputError,
    PairAngular,
    PairRadial,
    Potential,
    Power,
    Radial,
    Window,
)
from fastsf.datasets.labelled import LabelledSet
from fastsf.kernels.networks.feedforward import predict_range
from fastsf.kernels.sharing import ALONE
from fastsf.lammps.model import LammpsModel
from fastsf.mc import Displacement, MonteCarlo, Swap, VolumeChange
from fastsf.md import (
    NVE,
    Bussi,
    Langevin,
    MolecularDynamics,
    NoseHooverChain,
    Ramp,
    StochasticCellRescaling,
    maxwell_boltzmann,
)
from fastsf.potentials.network import ACTIVATIONS
from fastsf.potentials.network_packing import pack_networks
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry.factors import BUMPS, CUTOFFS
from fastsf.training.objective.initialization import initial_network
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.objective import Objective
from fastsf.training.objective.parts import find_scalings
from fastsf.training.objective.samples import Samples
from fastsf.training.optimizers.covariance import Covariance


def functions() -> list:
    """Return functions of water with every kind of factor once."""
    found = [G1("O", "H", 3.0), G3("O", "H", 1.7, 3.0), G2("H", None, 0.4, 3.0, rs=0.5)]
    found += [G2("O", "H", 0.3, Cutoff(3.0, kind)) for kind in CUTOFFS]
    found += [Radial("H", "O", Compact(-1.0, 2.5, kind, asymmetric=kind == "poly2")) for kind in BUMPS]
    found += [G4("O", ("H", "H"), 0.1, zeta, lam, 3.0) for zeta, lam in ((1, 1), (4, -1), (1.5, 1))]
    found += [G5("H", ("H", "O"), 0.1, 2, 1, 3.0), G5("O", None, 0.2, 3, -1, 3.0, rs=0.4)]
    found += [Angular("O", ("H", "H"), Compact(0.0, 3.0, "poly2"), Window(30.0, 170.0, "poly1"))]
    found += [Angular("H", None, Cutoff(3.0, "tanh3"), Power(64, -1), eta=0.1, narrow=False)]
    return found


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):  # lanes that are thrown away may hold anything
        yield


@pytest.fixture(scope="module")
def water():
    return molecule("H2O")


def test_values_and_derivatives(water) -> None:
    descriptor = ACSF(functions(), threads=1)
    expected = features(descriptor.columns, water).values
    np.testing.assert_allclose(descriptor.create(water), expected, rtol=1e-11, atol=1e-14)
    derivatives, values = descriptor.derivatives(water)
    np.testing.assert_allclose(values, expected, rtol=1e-11, atol=1e-14)
    rng = np.random.default_rng(0)
    weights, moves = rng.normal(size=values.shape), rng.normal(size=(3, 3))
    gradient, _ = descriptor.vjp(water, weights)
    np.testing.assert_allclose(gradient, np.einsum("cs,caxs->ax", weights, derivatives), rtol=1e-10, atol=1e-13)
    changes = descriptor.jvp(water, moves)
    np.testing.assert_allclose(changes, np.einsum("ax,caxs->cs", moves, derivatives), rtol=1e-10, atol=1e-13)


def test_pair_functions(water) -> None:
    pcsf = PCSF(pcsf_functions_of("all"), elements=ELEMENTS, threads=1)
    expected = Ordered(pcsf_features(pcsf.columns, water), pcsf.rows(water))
    values, derivatives = pcsf.create(water), expected.derivatives
    assert_values(values, expected.values, expected.scale)
    rng = np.random.default_rng(1)
    weights, moves = rng.normal(size=values.shape), rng.normal(size=(3, 3))
    gradient, _ = pcsf.vjp(water, weights)
    size = np.einsum("ms,maxs->ax", np.abs(weights), np.abs(derivatives)).max()
    np.testing.assert_allclose(gradient, np.einsum("ms,maxs->ax", weights, derivatives), rtol=0, atol=1e-10 * size)
    assert_like(pcsf.jvp(water, moves), np.einsum("ax,maxs->ms", moves, derivatives), expected.scale, 1e-10, 1e-10)
    assert_like(pcsf.derivatives(water)[0], derivatives, expected.scale, 1e-10, 1e-10)


def test_energies_of_pairs(water) -> None:
    chosen = [PairRadial(("H", "O"), None), PairRadial(("H", "O"), Cutoff(3.0, "poly2"), eta=1.0)]
    chosen.append(PairAngular(("H", "O"), "H", Cutoff(3.0, "poly2"), Power(2.0, 1.0)))
    ones = np.ones(len(chosen))
    networks = {"H-O": initial_network((len(chosen), 3, 1), ("tanh", "linear"), rng=1)}
    scalings = {"H-O": Scaling("none", 0.0, 1.0, 0 * ones, ones, 0 * ones, ones)}
    potential = Potential(None, {}, {}, pairs=PairTerm(PCSF(chosen, threads=1), networks, scalings))
    found, step = potential.evaluate(water), 1e-4
    for index in np.ndindex(3, 3):
        ends = []
        for sign in (-1, 1):
            moved = water.copy()
            moved.positions[index] += sign * step
            ends.append(potential.evaluate(moved).energy)
        np.testing.assert_allclose(found.forces[index], (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-7)


def test_mixed_precision(water) -> None:
    acsf = ACSF(functions(), threads=1)
    ones = {symbol: np.ones(len(columns)) for symbol, columns in acsf.columns.items()}
    scalings = {symbol: Scaling("none", 0.0, 1.0, 0 * one, one, 0 * one, one) for symbol, one in ones.items()}
    networks = {symbol: initial_network((len(one), 3, 1), ("tanh", "linear"), rng=1) for symbol, one in ones.items()}
    potential = Potential(acsf, networks, scalings)
    mixed, double = (potential.evaluator(water, precision=word).evaluate() for word in ("mixed", "double"))
    np.testing.assert_allclose(mixed.values, double.values, rtol=1e-5, atol=1e-7)
    size = np.abs(double.forces).max()
    np.testing.assert_allclose(mixed.forces, double.forces, rtol=0, atol=1e-5 * size)
    assert np.abs(mixed.forces - double.forces).max() > 1e-12 * size


def test_neighbors(water) -> None:
    from ase.neighborlist import neighbor_list

    water = water.copy()
    water.set_cell([3.0, 3.5, 4.0])
    water.pbc = (True, False, True)
    found = set(zip(*(array.tolist() for array in fastsf.neighbor_list("ij", water, 3.2)), strict=True))
    assert found == set(zip(*(array.tolist() for array in neighbor_list("ij", water, 3.2)), strict=True))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_networks(name) -> None:
    net = initial_network((3, 5, 1), (name, "tanh"), rng=4)
    scaling = Scaling("none", 0.0, 1.0, np.zeros(3), np.ones(3), np.zeros(3), np.ones(3))
    packed = pack_networks(("H",), {"H": net}, {"H": scaling}, 2.0, {"H": -1.0}, 3)
    values = np.random.default_rng(5).normal(size=(19, 3))
    energies, gradient, outside = np.empty(19), np.empty((19, 3)), np.empty(19, np.int64)
    predict_range(packed, values, np.zeros(19, np.int64), 0, 19, ALONE, energies, gradient, outside)
    for row, x in enumerate(values):
        energy, slope = energy_and_gradient(net.weights, net.biases, net.activations, False, x)
        np.testing.assert_allclose(energies[row], 2 * energy - 1, rtol=1e-12)
        np.testing.assert_allclose(gradient[row], 2 * slope, rtol=1e-11, atol=1e-13)
    np.testing.assert_array_equal(outside, ((values < 0) | (values > 1)).sum(axis=1))


def test_training(water) -> None:
    acsf = ACSF([G2("H", "O", 0.4, 3.0), G2("O", "H", 0.4, 3.0), G5("O", ("H", "H"), 0.1, 2, 1, 3.0)], threads=1)
    structure = Structure.from_atoms(water)
    scalings = find_scalings(acsf, [structure, structure], "none")
    rng = np.random.default_rng(2)
    sizes = [(len(acsf.columns[symbol]), 2, 1) for symbol in acsf.elements]
    networks = tuple(initial_network(each, ("tanh", "linear"), "glorot_normal", rng) for each in sizes)
    model = TrainableModel(acsf, scalings, networks, {})
    labels = np.array([-3.0]), [rng.normal(size=(3, 3))], np.full((1, 6), np.nan)
    labelled = LabelledSet([structure], *labels, [""], np.ones(1), ["water"])
    objective = Objective(model, Samples(acsf, scalings, [structure]), labelled, threads=1)
    parameters = model.parameters
    result = model.potential().evaluate(water)
    found = objective.predict(parameters)
    np.testing.assert_allclose(found.forces[0], result.forces, rtol=1e-10, atol=1e-13)
    _, gradient = objective.gradient(parameters)
    _, right, _ = objective.normal(parameters)
    np.testing.assert_allclose(gradient, 2 * right, rtol=1e-10, atol=1e-10 * abs(gradient).max())


def test_lists_of_lammps(water) -> None:
    acsf = ACSF([G2("H", "O", 0.4, 2.0), G2("O", "H", 0.4, 2.0), G4("O", ("H", "H"), 0.1, 2, 1, 2.0)], threads=1)
    scalings = find_scalings(acsf, [Structure.from_atoms(water)] * 2, "none")
    sizes = [(len(acsf.columns[symbol]), 2, 1) for symbol in acsf.elements]
    networks = tuple(initial_network(each, ("tanh", "linear"), rng=7) for each in sizes)
    potential = TrainableModel(acsf, scalings, networks, {}).potential()
    model, expected = LammpsModel(potential), potential.evaluate(water)
    listed = Listed(water, 2.0, ["O", "H"], model.element_of_type(["O", "H"]))
    forces, energies, virials = listed.zeros()
    assert model.add_forces(listed.atoms, 1.0, forces, energies, virials) == -1
    np.testing.assert_allclose(forces, expected.forces, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(energies, expected.energies, rtol=1e-12)
    if config.DISABLE_JIT:
        with pytest.raises(
            InputError, match="route plugin: unset NUMBA_DISABLE_JIT, since compiled kernels are needed"
        ):
            model.compile()


def periodic(water):
    """Return water in a small cell, and a potential for it."""
    water = water.copy()
    water.set_cell([4.0, 4.5, 5.0])
    water.pbc = True
    acsf = ACSF([G2("H", "O", 0.4, 3.0), G4("H", ("H", "O"), 0.1, 2, 1, 3.0), G2("O", "H", 0.4, 3.0)], threads=1)
    scalings = find_scalings(acsf, [Structure.from_atoms(water)], "none")
    sizes = [(len(acsf.columns[symbol]), 3, 1) for symbol in acsf.elements]
    networks = tuple(initial_network(each, ("tanh", "linear"), "glorot_normal", 1) for each in sizes)
    return water, TrainableModel(acsf, scalings, networks, {}).potential()


@pytest.mark.parametrize(
    "integrator",
    [
        NVE(),
        Langevin(Ramp(300.0, 600.0, 3), 0.01),
        NoseHooverChain(Ramp(300.0, 600.0, 3), 50.0),
        StochasticCellRescaling(Bussi(300.0), 1.0),
        StochasticCellRescaling(Bussi(300.0), 1.0, shape="anisotropic"),
    ],
    ids=lambda integrator: type(integrator).__name__,
)
def test_molecular_dynamics(water, integrator) -> None:
    water, potential = periodic(water)
    maxwell_boltzmann(water, 300.0, seed=1)
    engine = MolecularDynamics(potential, water, integrator, 0.5, threads=1)
    advance = engine.advance(4, 2)
    assert advance.halt is None and len(advance.rows) == 2
    frame = engine.frame()
    moved = water.copy()
    moved.set_cell(frame.cell)
    moved.positions = frame.positions
    np.testing.assert_allclose(frame.forces, potential.evaluate(moved).forces, rtol=1e-9, atol=1e-12)
    water.calc = Calculator(potential, extrapolation="ignore")
    VelocityVerlet(water, 0.5 * units.fs).run(4)
    same = np.allclose(frame.positions, water.positions, rtol=0, atol=1e-10)
    assert same == (type(integrator) is NVE)


def test_monte_carlo(water) -> None:
    water, potential = periodic(water)
    moves = [Displacement(0.3), Swap(("H", "O")), VolumeChange(0.1)]
    engine = MonteCarlo(potential, water, 3000.0, moves, equilibration=10, seed=1)
    assert engine.advance(60, 20).halt is None
    frame = engine.frame()
    water.set_cell(frame.cell)
    water.positions = frame.positions
    np.testing.assert_allclose(frame.energy, potential.evaluate(water).energy, rtol=1e-12)
    accepted = [value for name, value in frame.columns.items() if "accepted" in name]
    assert min(accepted) > 0


def test_symmetric_products() -> None:
    rng = np.random.default_rng(3)
    half, columns = rng.normal(size=(11, 11)), rng.normal(size=(11, 3))
    covariance = Covariance(11, 1.0)
    covariance.matrix = np.tril(half @ half.T)
    np.testing.assert_allclose(covariance.times(columns), half @ half.T @ columns, rtol=1e-11, atol=1e-11)


@pytest.mark.skipif(config.DISABLE_JIT, reason="this run has no JIT already")
def test_runs_without_jit() -> None:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
