"""Sum of squares of a training: predictions of the potential, and exact derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from support.labelled_systems import labelled_systems
from support.objective_checks import (
    assert_gradient_by_differences,
    assert_normal_equations_have_gradient,
    assert_predictions_are_those_of,
    assert_row_by_differences,
)
from support.potentials import random_potential

from fastsf.datasets.labelled import LabelledSet
from fastsf.errors import InputError
from fastsf.training.objective.measures import Errors, Sigma
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.objective import Objective
from fastsf.training.objective.parts import find_scalings
from fastsf.training.objective.samples import Samples, estimated_acsf_bytes
from fastsf.training.optimizers.levenberg_marquardt import LevenbergMarquardt, LevenbergMarquardtSettings

SIGMA = Sigma(0.05, 0.3, 0.02)


def make(memory: float | None = None, dtype: type = np.float64, stress: bool = True, threads: int = 1) -> Objective:
    model, labelled = TrainableModel.from_potential(random_potential(threads=threads)), labelled_systems()
    samples = Samples(model.descriptor, model.scalings, labelled.structures, stress=stress, memory=memory, dtype=dtype)
    for _ in samples.fill():
        pass
    return Objective(model, samples, labelled, SIGMA, decay=0.3, threads=threads)


@pytest.fixture(scope="module")
def objective() -> Objective:
    return make()


@pytest.fixture(scope="module")
def parameters(objective) -> np.ndarray:
    return objective.model.parameters


def test_predictions_are_those_of_the_potential(objective, parameters):
    assert_predictions_are_those_of(random_potential(), objective, parameters)


def test_value_is_the_formula(objective, parameters):
    labelled, found, total = objective.labelled, objective.predict(parameters), 0.0
    for k, structure in enumerate(labelled.structures):
        squares = ((found.energies[k] - labelled.energies[k]) / len(structure) / SIGMA.energy) ** 2
        parts = [squares, ((found.stresses[k] - labelled.stresses[k]) ** 2).sum() / SIGMA.stress**2]
        if labelled.forces[k] is not None:
            parts.append(((found.forces[k] - labelled.forces[k]) ** 2).sum() / SIGMA.forces**2)
        total += labelled.weights[k] * np.nansum(parts)
    penalty = np.where(objective.model.is_weight > 0, 1.0, 0.01)
    assert objective.value(parameters) == pytest.approx(total + 0.3 * (penalty * parameters**2).sum(), rel=1e-12)


def test_gradient_by_differences(objective, parameters):
    assert_gradient_by_differences(objective, parameters)


def test_rows_by_differences(objective, parameters):
    rng = np.random.default_rng(4)
    for k in range(objective.n_structures):
        residuals, jacobian = objective.rows(parameters, k)
        np.testing.assert_allclose(residuals, objective.residuals(parameters, np.array([k]))[0], rtol=1e-12, atol=1e-14)
        chosen = rng.permutation(len(residuals))[: max(1, len(residuals) // 2)]
        some, their_jacobian = objective.rows(parameters, k, chosen)
        np.testing.assert_allclose(some, residuals[chosen], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(their_jacobian, jacobian[chosen], rtol=1e-10, atol=1e-12)
        assert_row_by_differences(objective, parameters, k, rng.normal(size=objective.size))


def test_normal_equations_agree_with_rows_and_gradient(objective, parameters):
    assert_normal_equations_have_gradient(objective, parameters)
    matrix = objective.normal(parameters)[2]
    expected = np.zeros_like(matrix)
    for k in range(objective.n_structures):
        residuals, jacobian = objective.rows(parameters, k)
        n = len(objective.labelled.structures[k])
        sigma = np.repeat([n * SIGMA.energy, SIGMA.forces, SIGMA.stress], [1, 3 * n, 6])
        rows = jacobian * np.where(np.isfinite(residuals), 1 / sigma, 0.0)[:, None]
        expected += objective.labelled.weights[k] * rows.T @ rows
    np.testing.assert_allclose(np.tril(matrix), np.tril(expected), rtol=0, atol=1e-12 * abs(expected).max())


def test_float32_products_are_near(objective, parameters):
    exact, near = objective.normal(parameters), objective.normal(parameters, dtype=np.float32)
    assert near[0] == exact[0]
    np.testing.assert_allclose(near[1], exact[1], rtol=0, atol=3e-6 * abs(exact[1]).max())
    np.testing.assert_allclose(np.tril(near[2]), np.tril(exact[2]), rtol=0, atol=3e-6 * abs(exact[2]).max())


def test_batches_add_up(objective, parameters):
    every = np.arange(objective.n_structures)
    pieces = [objective.gradient(parameters, batch) for batch in np.array_split(every, 3)]
    value, gradient = objective.gradient(parameters)
    assert sum(piece[0] for piece in pieces) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(sum(piece[1] for piece in pieces), gradient, rtol=0, atol=1e-12 * abs(gradient).max())


@pytest.mark.parametrize("other", [{"threads": 2}, {"memory": 0.0, "threads": 2}, {"memory": 30_000.0}])
def test_threads_and_memory_change_no_bit(objective, parameters, other):
    again = make(**other)
    if "memory" in other:
        assert again.samples.kept < len(again.samples) and again.samples.kept_bytes <= other["memory"]
    for one, two in zip(objective.normal(parameters), again.normal(parameters), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(objective.gradient(parameters)[1], again.gradient(parameters)[1])


def test_float32_samples_are_near(objective, parameters):
    exact, near = objective.predict(parameters), make(dtype=np.float32).predict(parameters)
    np.testing.assert_array_equal(near.energies, exact.energies)
    for one, two in zip(near.forces, exact.forces, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-5 * (1 + abs(two).max()))


def test_memory_is_estimated(objective):
    samples = objective.samples
    blocks = sum(part.blocks.nbytes + part.index.nbytes for sample in samples for part in sample if part is not None)
    assert 0.3 * blocks < estimated_acsf_bytes(objective.model.descriptor, samples.structures) < 3 * blocks


def test_errors(objective, parameters):
    errors, labelled, found = objective.errors(parameters), objective.labelled, objective.predict(parameters)
    energy = (found.energies - labelled.energies) / labelled.n_atoms
    forces = np.concatenate([f - g for f, g in zip(found.forces, labelled.forces, strict=True) if g is not None])
    assert errors.energy_rmse == pytest.approx(np.sqrt(np.nanmean(energy**2)), rel=1e-12)
    assert errors.energy_mae == pytest.approx(np.nanmean(abs(energy)), rel=1e-12)
    assert errors.forces_rmse == pytest.approx(np.sqrt((forces**2).mean()), rel=1e-12)
    assert errors.stress_rmse == pytest.approx(
        np.sqrt(np.nanmean((found.stresses - labelled.stresses) ** 2)), rel=1e-12
    )
    without = make(stress=False).errors(parameters)
    assert np.isnan(without.stress_rmse) and without.forces_rmse == pytest.approx(errors.forces_rmse, rel=1e-12)


def learnable(objective: Objective) -> Objective:
    """Return the same structures with labels that a network of this kind can predict."""
    other = objective.model.with_parameters(
        objective.model.parameters + np.random.default_rng(8).normal(0, 0.1, objective.size)
    )
    truth = Objective(other, objective.samples, objective.labelled).predict(other.parameters)
    old = objective.labelled
    new = LabelledSet(
        old.structures, truth.energies, list(truth.forces), truth.stresses, old.groups, old.weights, old.sources
    )
    return Objective(objective.model, objective.samples, new, SIGMA, decay=1e-9, threads=1)


def test_levenberg_marquardt_learns_what_can_be_learnt(objective, parameters):
    problem = learnable(objective)
    optimizer, p = LevenbergMarquardt(problem, LevenbergMarquardtSettings(precision="float64")), parameters
    before = problem.errors(p)
    losses = [problem.value(p)]
    for _ in range(25):
        step = optimizer.step(p)
        assert step.loss == pytest.approx(problem.value(step.parameters), rel=1e-12) and step.loss <= losses[-1]
        p = step.parameters
        losses.append(step.loss)
    after = problem.errors(p)
    assert after.forces_rmse < 0.03 * before.forces_rmse and after.energy_rmse < 0.03 * before.energy_rmse


def test_levenberg_marquardt_goes_on_from_its_state(objective, parameters):
    problem = learnable(objective)
    one, p = LevenbergMarquardt(problem), parameters
    for _ in range(3):
        p = one.step(p).parameters
    two = LevenbergMarquardt(problem)
    two.restore(one.state())
    for _ in range(2):
        a, b = one.step(p), two.step(p)
        np.testing.assert_array_equal(a.parameters, b.parameters)
        assert a.loss == b.loss and a.info == b.info
        p = a.parameters


def test_levenberg_marquardt_stays_at_a_minimum(objective, parameters):
    problem = learnable(objective)
    truth = objective.model.with_parameters(parameters)
    labels = problem.predict(parameters)
    old = problem.labelled
    exact = LabelledSet(
        old.structures, labels.energies, list(labels.forces), labels.stresses, old.groups, old.weights, old.sources
    )
    there = Objective(truth, objective.samples, exact, SIGMA, decay=0.0, threads=1)
    step = LevenbergMarquardt(there, LevenbergMarquardtSettings(trials=2)).step(parameters)
    np.testing.assert_array_equal(step.parameters, parameters)
    assert step.info["refused steps"] == 2


@pytest.mark.parametrize("wrong", [{"damping": 0.0}, {"trials": 0}, {"precision": "half"}])
def test_wrong_settings(wrong):
    with pytest.raises(InputError):
        LevenbergMarquardtSettings(**wrong)


def test_wrong_sets(objective):
    labelled = objective.labelled
    with pytest.raises(InputError, match="samples of 3 structures"):
        Objective(objective.model, objective.samples, labelled.select([0, 1, 2]))
    m = len(labelled)
    bare = LabelledSet(
        labelled.structures, np.full(m, np.nan), [None] * m, np.full((m, 6), np.nan), [""] * m, np.ones(m), [""] * m
    )
    with pytest.raises(InputError, match="expected a structure with an energy, forces or"):
        Objective(objective.model, objective.samples, bare)
    with pytest.raises(InputError, match="sigma of forces"):
        Sigma(forces=0.0)


def test_scalings_are_those_of_the_values():
    model, labelled = TrainableModel.from_potential(random_potential()), labelled_systems()
    scalings = find_scalings(model.descriptor, labelled.structures)
    values = model.descriptor.create(labelled.structures)
    numbers = np.concatenate([structure.numbers for structure in labelled.structures])
    columns = len(model.descriptor.columns["O"])
    own = np.concatenate(values)[numbers == 8, :columns]
    np.testing.assert_allclose(scalings["O"].mean, own.mean(axis=0), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(scalings["O"].sigma, own.std(axis=0, ddof=1), rtol=1e-10, atol=1e-14)
    with pytest.raises(InputError, match="element S"):
        find_scalings(model.descriptor, [s for s in labelled.structures if 16 not in s.numbers])


def test_errors_of_nothing_are_nan():
    errors = Errors.of([np.array([2.0, np.nan, np.nan, np.nan])], [1])
    assert errors.energy_rmse == 2.0 and np.isnan(errors.forces_rmse) and np.isnan(errors.stress_mae)
