"""Derivatives of objectives of trainings against central differences."""

import numpy as np
import pytest

from fastsf.training.objective.objective import Objective

STEP = 1e-5


def assert_gradient_by_differences(objective: Objective, parameters: np.ndarray) -> None:
    """Value and gradient, along five directions."""
    value, gradient = objective.gradient(parameters)
    assert value == pytest.approx(objective.value(parameters), rel=1e-13)
    rng = np.random.default_rng(3)
    for _ in range(5):
        direction = rng.normal(size=objective.size)
        change = objective.value(parameters + STEP * direction) - objective.value(parameters - STEP * direction)
        assert gradient @ direction == pytest.approx(change / (2 * STEP), rel=1e-7)


def assert_row_by_differences(objective: Objective, parameters: np.ndarray, k: int, direction: np.ndarray) -> None:
    """Derivatives of the residuals of structure k, along a direction."""
    residuals, jacobian = objective.rows(parameters, k)
    up, down = (objective.residuals(parameters + sign * STEP * direction, np.array([k]))[0] for sign in (1, -1))
    known = np.isfinite(residuals)
    slopes, found = ((up - down) / (2 * STEP))[known], (jacobian @ direction)[known]
    np.testing.assert_allclose(found, slopes, rtol=0, atol=1e-7 * abs(slopes).max())
