"""Properties of all optimisers, on a small problem of least squares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from support.fake_objective import LeastSquares

from fastsf.errors import InputError
from fastsf.training.optimizers import adam, kalman, lbfgs, levenberg_marquardt
from fastsf.training.optimizers.base import Optimizer

FILTER = kalman.KalmanSettings(force_fraction=0.5, force_batch=4, force_weight=1.0, units="networks")
MAKE: dict[str, tuple[Callable[[LeastSquares, int], Optimizer], int]] = {
    "adam": (
        lambda objective, seed: adam.Adam(objective, adam.AdamSettings(learning_rate=0.05, batch=5, epochs=150), seed),
        160,
    ),
    "adam, averaging": (
        lambda objective, seed: adam.Adam(
            objective, adam.AdamSettings(learning_rate=0.05, batch=3, epochs=150, averaging=3.0), seed
        ),
        160,
    ),
    "kalman": (lambda objective, seed: kalman.Kalman(objective, FILTER, seed), 15),
    "kalman, one label at a time, sorted, per element": (
        lambda objective, seed: kalman.Kalman(
            objective, replace(FILTER, force_batch=1, selection="sort", strategy="element"), seed
        ),
        40,
    ),
    "kalman, fading": (
        lambda objective, seed: kalman.Kalman(objective, replace(FILTER, kind="fading", selection="random"), seed),
        15,
    ),
    "l-bfgs": (lambda objective, seed: lbfgs.LBFGS(objective, lbfgs.LBFGSSettings(10, 8), seed), 12),
}
"""Optimisers and the number of steps that they need."""


def steps(optimizer: Optimizer, parameters: np.ndarray, count: int) -> tuple[np.ndarray, list[float]]:
    losses = []
    for _ in range(count):
        step = optimizer.step(parameters)
        parameters = step.parameters
        losses.append(step.loss)
        assert all(isinstance(number, float) for number in step.info.values())
    return parameters, losses


@pytest.mark.parametrize("name", MAKE)
def test_the_truth_is_found(name: str) -> None:
    make, count = MAKE[name]
    objective = LeastSquares()
    found, _ = steps(make(objective, 3), objective.start, count)
    np.testing.assert_allclose(found, objective.truth, atol=2e-3)


@pytest.mark.parametrize("name", MAKE)
def test_restored_optimisers_go_on_to_the_last_bit(name: str) -> None:
    make, _ = MAKE[name]
    objective = LeastSquares(noise=0.1, decay=0.1)
    first = make(objective, 3)
    halfway, _ = steps(first, objective.start, 3)
    kept = halfway.copy()
    state = first.state()
    end, losses = steps(first, halfway, 3)
    np.testing.assert_array_equal(halfway, kept)
    second = make(objective, 4)
    second.restore(state)
    again, same = steps(second, kept, 3)
    np.testing.assert_array_equal(again, end)
    assert same == losses


@pytest.mark.parametrize("name", MAKE)
def test_given_parameters_are_where_a_step_starts(name: str) -> None:
    """Check this also for parameters that the last step did not return."""
    make, _ = MAKE[name]
    objective = LeastSquares()
    optimizer = make(objective, 3)
    steps(optimizer, objective.start, 2)
    far = objective.start + 100.0
    assert np.abs(optimizer.step(far).parameters - far).max() < 120.0
    assert optimizer.step(far).loss > objective.value(objective.start) or name == "l-bfgs"


@pytest.mark.parametrize("name", [name for name in MAKE if name != "l-bfgs"])
def test_seeds(name: str) -> None:
    make, _ = MAKE[name]
    objective = LeastSquares(noise=0.1)
    one, same, other = (steps(make(objective, seed), objective.start, 2)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_learning_rates() -> None:
    settings = adam.AdamSettings(learning_rate=2.0, warmup=2.0, epochs=12.0, final=0.1, schedule="cosine")
    np.testing.assert_allclose([settings.rate(t) for t in (0, 1, 2, 7, 12, 99)], [0, 1, 2, 1.1, 0.2, 0.2])
    settings = adam.AdamSettings(learning_rate=2.0, warmup=0.0, epochs=10.0, final=0.01, schedule="exponential")
    np.testing.assert_allclose([settings.rate(t) for t in (0, 5, 10, 20)], [2, 0.2, 0.02, 0.02])
    assert adam.AdamSettings(schedule="constant", learning_rate=1e-3).rate(1000) == 1e-3


def test_one_full_batch_of_adam_is_the_textbook_step() -> None:
    objective = LeastSquares()
    settings = adam.AdamSettings(learning_rate=0.1, batch=100, warmup=0.0, schedule="constant", weight_decay=0.01)
    step = adam.Adam(objective, settings).step(objective.start)
    loss, gradient = objective.gradient(objective.start)
    np.testing.assert_allclose(
        step.parameters, objective.start - 0.1 * (np.sign(gradient) + 0.01 * objective.start), rtol=1e-6
    )
    assert step.loss == pytest.approx(loss)


def test_the_average_lags_behind() -> None:
    objective = LeastSquares()
    plain, averaged = (
        adam.AdamSettings(learning_rate=0.01, warmup=0.0, schedule="constant", batch=2, averaging=reach)
        for reach in (0, 9)
    )
    ahead, _ = steps(adam.Adam(objective, plain), objective.start, 4)
    behind, _ = steps(adam.Adam(objective, averaged), objective.start, 4)
    assert np.linalg.norm(behind - objective.start) < 0.7 * np.linalg.norm(ahead - objective.start)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (adam.AdamSettings, {"learning_rate": 0.0}, "learning_rate: expected a number between 0 and inf, found 0.0"),
        (adam.AdamSettings, {"final": 2.0}, "final: expected a number between 0 and 1, found 2.0"),
        (adam.AdamSettings, {"beta2": 1.0}, "beta2: expected 0 or more, less than 1; found 1.0"),
        (adam.AdamSettings, {"averaging": -1.0}, "averaging: expected 0 or more, found -1.0"),
        (adam.AdamSettings, {"batch": 0}, "batch: expected one structure or more, found 0"),
        (
            adam.AdamSettings,
            {"schedule": "step"},
            "schedule: expected one of constant, exponential, cosine, found 'step'",
        ),
        (lbfgs.LBFGSSettings, {"memory": 0}, "memory: expected 1 or more, found 0"),
    ],
)
def test_errors_of_settings(make: Callable, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(**options)


def test_memory_of_matrices():
    sizes, optimizer = [30, 70], levenberg_marquardt.LevenbergMarquardt
    single, double = (levenberg_marquardt.LevenbergMarquardtSettings(precision=p) for p in ("float32", "float64"))
    assert optimizer.matrix_bytes(sizes, single, threads=1) == 100**2 * (8 + 8)
    assert optimizer.matrix_bytes(sizes, single, threads=2) == 100**2 * (8 + 5 * 4)
    assert optimizer.matrix_bytes(sizes, double, threads=2) == 100**2 * (8 + 5 * 8)
    assert kalman.Kalman.matrix_bytes(sizes, FILTER, threads=2) == 100**2 * 8
    assert kalman.Kalman.matrix_bytes(sizes, replace(FILTER, strategy="element"), threads=2) == (30**2 + 70**2) * 8
    assert adam.Adam.matrix_bytes(sizes, adam.AdamSettings(), threads=2) == 0
    assert lbfgs.LBFGS.matrix_bytes(sizes, lbfgs.LBFGSSettings(), threads=2) == 0
