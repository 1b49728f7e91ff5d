"""Training of pair-centred networks: predictions of the potential, and exact derivatives."""

from dataclasses import replace

import numpy as np
import pytest
from support.objective_checks import (
    assert_gradient_by_differences,
    assert_normal_equations_have_gradient,
    assert_predictions_are_those_of,
    assert_row_by_differences,
)
from support.pcsf_models import OFFSETS, labelled, pcsf_model, systems

from fastsf.errors import InputError
from fastsf.structure import Structure
from fastsf.training.objective.measures import Sigma
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.objective import Objective
from fastsf.training.objective.parts import find_scalings, with_functions
from fastsf.training.objective.pcsf_parts import estimated_pcsf_bytes
from fastsf.training.objective.samples import Samples
from fastsf.training.optimizers.levenberg_marquardt import LevenbergMarquardt, LevenbergMarquardtSettings

SIGMA = Sigma(0.05, 0.3, 0.02)
CASES = [("fc", True), ("fc", False), ("shift", False), ("none", True)]


def make(envelope="fc", atoms=True, memory=None, threads=1, dtype=np.float64) -> Objective:
    model, data = pcsf_model(envelope, atoms, threads), labelled()
    samples = Samples(
        model.descriptor, model.scalings, data.structures, pcsf=model.pcsf, stress=True, memory=memory, dtype=dtype
    )
    for _ in samples.fill():
        pass
    return Objective(model, samples, data, SIGMA, decay=0.3, threads=threads)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}{'' if case[1] else ', pairs alone'}")
def objective(request) -> Objective:
    return make(*request.param)


@pytest.fixture
def parameters(objective) -> np.ndarray:
    return objective.model.parameters


def energy(model: TrainableModel, structure: Structure) -> float:
    """Return the energy by the formula, pair by pair."""
    total = sum(OFFSETS[{1: "H", 8: "O"}[number]] for number in structure.numbers.tolist())
    networks = list(model.networks)
    for element, symbol in with_functions(model.descriptor.columns):
        scaling = model.scalings[symbol]
        own = model.descriptor.create(structure)[model.species_of(structure.numbers) == element, : len(scaling)]
        total += 0.25 * networks.pop(0).forward(scaling.apply(own)).sum()
    pcsf, scalings = model.pcsf.descriptor, model.pcsf.scalings
    values, _, rows = pcsf.evaluate_batch([structure])
    for kind, network in zip(("H-H", "H-O"), networks, strict=True):
        own = values[rows.kind == pcsf.kinds.index(kind)][:, : len(scalings[kind])]
        each = network.forward(scalings[kind].apply(own))
        if model.pcsf.envelope == "fc":
            x = own[:, 0] / {"H-H": 2.5, "H-O": 3.0}[kind]  # the first function is the distance
            each *= 1 + x**5 * (-126 + x * (420 + x * (-540 + x * (315 - 70 * x))))
        if model.pcsf.envelope == "shift":
            each -= network.forward(scalings[kind].apply(np.zeros((1, own.shape[1]))))
        total += 0.25 * each.sum()
    return float(total)


def test_rows_are_derivatives_of_the_formula(objective, parameters):
    found, h = objective.predict(parameters), 1e-4
    for k in (0, 3, 4, 6, 7):
        structure = objective.labelled.structures[k]
        assert found.energies[k] == pytest.approx(energy(objective.model, structure), rel=1e-13)
        for atom in range(min(2, len(structure))):
            for axis in range(3):
                step = np.zeros((len(structure), 3))
                step[atom, axis] = h
                at = [energy(objective.model, moved(structure, s * step)) for s in (2, 1, -1, -2)]
                slope = (8 * (at[1] - at[2]) - (at[0] - at[3])) / (12 * h)
                assert found.forces[k][atom, axis] == pytest.approx(-slope, rel=1e-7, abs=1e-8)


def moved(structure: Structure, step: np.ndarray) -> Structure:
    return replace(structure, positions=structure.positions + step)


def test_predictions_are_those_of_the_potential(objective, parameters):
    potential = objective.model.potential()
    assert_predictions_are_those_of(potential, objective, parameters)
    np.testing.assert_array_equal(TrainableModel.from_potential(potential).parameters, parameters)


def test_gradient_by_differences(objective, parameters):
    assert_gradient_by_differences(objective, parameters)


def test_rows_by_differences(objective, parameters):
    rng = np.random.default_rng(4)
    for k in range(objective.n_structures):
        assert_row_by_differences(objective, parameters, k, rng.normal(size=objective.size))


def test_normal_equations_agree_with_the_gradient(objective, parameters):
    assert_normal_equations_have_gradient(objective, parameters)


@pytest.mark.parametrize("other", [{"threads": 2}, {"memory": 0.0, "threads": 2}, {"memory": 20_000.0}])
def test_threads_and_memory_change_no_bit(other):
    one, two = make(), make(**other)
    if "memory" in other:
        assert two.samples.kept < len(two.samples) and two.samples.kept_bytes <= other["memory"]
    parameters = one.model.parameters
    for a, b in zip(one.normal(parameters), two.normal(parameters), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.gradient(parameters)[1], two.gradient(parameters)[1])


def test_levenberg_marquardt_learns(objective, parameters):
    other = objective.model.with_parameters(parameters + np.random.default_rng(8).normal(0, 0.1, objective.size))
    truth = Objective(other, objective.samples, objective.labelled).predict(other.parameters)
    data = labelled()
    data.energies[:], data.forces[:], data.stresses[:] = truth.energies, list(truth.forces), truth.stresses
    problem = Objective(objective.model, objective.samples, data, SIGMA, decay=1e-9, threads=1)
    optimizer, p = LevenbergMarquardt(problem, LevenbergMarquardtSettings(precision="float64")), parameters
    before = problem.errors(p)
    for _ in range(25):
        p = optimizer.step(p).parameters
    assert problem.errors(p).forces_rmse < 0.03 * before.forces_rmse


def test_memory_is_estimated():
    objective = make(atoms=False)
    parts = [part for sample in objective.samples for part in sample if part is not None]
    blocks = sum(part.blocks.nbytes + part.index.nbytes for part in parts)
    pcsf = objective.model.pcsf.descriptor
    assert blocks <= estimated_pcsf_bytes(pcsf, objective.labelled.structures) < 2 * blocks


def test_scalings_of_pairs():
    pcsf, structures = pcsf_model().pcsf.descriptor, systems()
    scaling = find_scalings(pcsf, structures)["H-O"]
    distances = [
        np.linalg.norm(structures[k].positions[0] - structures[k].positions[h]) for k in range(3) for h in (1, 2)
    ]
    some = find_scalings(pcsf, structures[:3])["H-O"]
    assert some.mean[0] == pytest.approx(np.mean(distances), rel=1e-12)
    assert some.maximum[0] <= scaling.maximum[0] < 3.0
    with pytest.raises(InputError, match=r"no structure of the training set has a pair H-H closer than 2\.5 Å"):
        find_scalings(pcsf, structures[5:6])
