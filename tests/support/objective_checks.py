"""Checks of objectives: predictions of the potential, derivatives by central differences."""

import numpy as np
import pytest

from fastsf.potentials.potential import Potential
from fastsf.training.objective.objective import Objective

STEP = 1e-5


def assert_predictions_are_those_of(potential: Potential, objective: Objective, parameters: np.ndarray) -> None:
    """Compare energies, forces and stresses of all structures with those of a potential."""
    found = objective.predict(parameters)
    for k, structure in enumerate(objective.labelled.structures):
        result = potential.evaluate(structure)
        assert found.energies[k] == pytest.approx(result.energy, rel=1e-12)
        np.testing.assert_allclose(found.forces[k], result.forces, rtol=0, atol=1e-11 * (1 + abs(result.forces).max()))
        if result.stress is not None:
            scale = 1e-11 * (1 + abs(result.stress).max())
            np.testing.assert_allclose(found.stresses[k], result.stress, rtol=0, atol=scale)


def assert_normal_equations_have_gradient(objective: Objective, parameters: np.ndarray) -> None:
    """Compare sum of squares and right-hand side of the normal equations with value and gradient."""
    squares, right, _ = objective.normal(parameters)
    gradient = objective.gradient(parameters)[1] - 2 * objective.decay_diagonal * parameters
    np.testing.assert_allclose(2 * right, gradient, rtol=0, atol=1e-12 * abs(gradient).max())
    decay = float(objective.decay_diagonal @ parameters**2)
    assert squares + decay == pytest.approx(objective.value(parameters), rel=1e-13)


def assert_gradient_by_differences(objective: Objective, parameters: np.ndarray) -> None:
    """Compare the gradient with differences of the value, along five directions."""
    value, gradient = objective.gradient(parameters)
    assert value == pytest.approx(objective.value(parameters), rel=1e-13)
    rng = np.random.default_rng(3)
    for _ in range(5):
        direction = rng.normal(size=objective.size)
        change = objective.value(parameters + STEP * direction) - objective.value(parameters - STEP * direction)
        assert gradient @ direction == pytest.approx(change / (2 * STEP), rel=1e-7)


def assert_row_by_differences(objective: Objective, parameters: np.ndarray, k: int, direction: np.ndarray) -> None:
    """Compare derivatives of the residuals of structure k with differences, along a direction."""
    residuals, jacobian = objective.rows(parameters, k)
    up, down = (objective.residuals(parameters + sign * STEP * direction, np.array([k]))[0] for sign in (1, -1))
    known = np.isfinite(residuals)
    slopes, found = ((up - down) / (2 * STEP))[known], (jacobian @ direction)[known]
    np.testing.assert_allclose(found, slopes, rtol=0, atol=1e-7 * abs(slopes).max())
