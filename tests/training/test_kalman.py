"""Kalman filter: textbook formulas, choice of labels, covariance."""

from __future__ import annotations

import numpy as np
import pytest
from support.fake_objective import ATOMS, LeastSquares

from fastsf.errors import InputError
from fastsf.training.optimizers.candidates import Queue, find_candidates
from fastsf.training.optimizers.covariance import Covariance
from fastsf.training.optimizers.kalman import Kalman, KalmanSettings

BASE = {"energy_fraction": 1.0, "force_fraction": 0.5, "force_weight": 3.0, "selection": "random", "units": "networks"}


def lower(covariance: Covariance) -> np.ndarray:
    covariance.settle()
    half = covariance.matrix
    return half + np.tril(half, -1).T


@pytest.mark.parametrize("width", [1, 3, 9, 150])
def test_covariance_is_the_dense_matrix(width: int) -> None:
    rng, size = np.random.default_rng(3), 31
    covariance, dense = Covariance(size, 100.0), 100.0 * np.eye(size)
    for k in range(40):
        columns, probe = 0.1 * rng.normal(size=(2, size, width))
        np.testing.assert_allclose(covariance.times(probe), dense @ probe, rtol=1e-10, atol=1e-10)
        covariance.subtract(columns)
        covariance.multiply(1.01)
        covariance.add_diagonal(0.1 * k)
        dense = 1.01 * (dense - columns @ columns.T) + 0.1 * k * np.eye(size)
    np.testing.assert_allclose(lower(covariance), dense, rtol=1e-10, atol=1e-9)


class Textbook:
    """Plain formulas of the same filter, with the labels of the filter under test."""

    def __init__(self, objective: LeastSquares, settings: KalmanSettings, updates: int) -> None:
        self.objective, self.s, self.updates = objective, settings, updates
        blocks = objective.model.slices if settings.strategy == "element" else [slice(0, objective.size)]
        self.blocks = [(place, np.eye(place.stop - place.start) / settings.epsilon) for place in blocks]
        self.q, self.eta, self.lam = settings.q0, settings.eta, settings.forgetting

    def update(self, r: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
        s, change = self.s, np.zeros(self.objective.size)
        for k, (place, c) in enumerate(self.blocks):
            h, one = jacobian[:, place].T, np.eye(len(r))
            noise = self.lam if s.kind == "fading" else 1 / self.eta
            gain = c @ h @ np.linalg.inv(noise * one + h.T @ c @ h)
            change[place] = -gain @ r
            c = c - gain @ h.T @ c
            c = (c / self.lam if s.kind == "fading" else c) + self.q * np.eye(len(c))
            self.blocks[k] = (place, c)
        self.q = max(s.qmin, self.q * np.exp(-s.qtau / self.updates))
        self.eta = min(s.etamax, self.eta * np.exp(s.etatau / self.updates))
        self.lam = s.nue * self.lam + 1 - s.nue
        return change


@pytest.mark.parametrize("kind", ["standard", "fading"])
@pytest.mark.parametrize("strategy", ["combined", "element"])
@pytest.mark.parametrize("batch", [1, 4, 9])
def test_filter_is_the_textbook_one(kind: str, strategy: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = LeastSquares(noise=0.1)
    settings = KalmanSettings(kind=kind, strategy=strategy, force_batch=batch, energy_batch=2, **BASE)
    taken = []
    original = Queue.take

    def spy(self: Queue, *arguments):
        taken.append(original(self, *arguments))
        return taken[-1]

    monkeypatch.setattr(Queue, "take", spy)
    found = objective.start
    filtering = Kalman(objective, settings, 5)
    for _ in range(3):
        found = filtering.step(found).parameters
    updates = 6 + round(0.5 * 72 / batch)
    assert len(taken) == 3 * updates
    expected, textbook = objective.start, Textbook(objective, settings, updates)
    for residuals, jacobian in taken:
        expected = expected + textbook.update(residuals, jacobian)
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    for (_, dense), covariance in zip(textbook.blocks, filtering._covariances, strict=True):
        np.testing.assert_allclose(lower(covariance), dense, rtol=1e-7, atol=1e-9)


def test_linear_problems_are_solved_in_one_pass() -> None:
    """Check that the filter without process noise is recursive least squares, exact except for its start."""
    objective = LeastSquares(bend=0.0, noise=0.2)
    exact = {"epsilon": 1e-9, "q0": 0, "qmin": 0, "eta": 1, "units": "networks"}
    settings = KalmanSettings(force_fraction=1, force_batch=8, force_weight=1, selection="random", **exact)
    found = Kalman(objective, settings, 1).step(objective.start).parameters
    rows = np.concatenate([objective.rows(objective.start, k)[1] for k in range(objective.n_structures)])
    residuals = np.concatenate(objective.residuals(objective.start))
    expected = objective.start - np.linalg.lstsq(rows, residuals, rcond=None)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_labels_and_their_scales() -> None:
    objective = LeastSquares(structures=3)
    objective.labels[1, 0] = objective.labels[0, 2] = np.nan
    objective.labelled.weights[2] = 4.0
    energies, forces = find_candidates(objective, objective.start, 10.0, 5.0)
    assert energies.structure.tolist() == [0, 2] and energies.row.tolist() == [0, 0]
    assert energies.scale.tolist() == [10.0, 20.0] and (energies.share == 1 / ATOMS).all()
    assert len(forces) == 17 and forces.row[:5].tolist() == [1, 3, 4, 5, 6]
    assert (forces.scale[forces.structure == 2] == 10.0).all() and (forces.share == 1).all()


def test_units_of_the_loss() -> None:
    """Check that residuals have the factors of the sum of squares."""
    energies, forces = Kalman(LeastSquares(), KalmanSettings(force_weight=3.0))._candidates
    np.testing.assert_allclose(energies.scale, 1 / (ATOMS * 0.5))
    np.testing.assert_allclose(forces.scale, 3.0 / 0.25)


def test_structures_of_no_weight_are_left_out() -> None:
    objective = LeastSquares(structures=3)
    objective.labelled.weights[:] = [1, 0, 1]
    energies, forces = find_candidates(objective, objective.start, 1.0, 1.0)
    assert energies.structure.tolist() == [0, 2] and set(forces.structure.tolist()) == {0, 2}


def test_small_errors_are_passed_over() -> None:
    objective = LeastSquares(noise=1.0)
    _, forces = find_candidates(objective, objective.start, 1.0, 1.0)
    errors = forces.errors(objective.residuals(objective.start))
    order = np.argsort(errors)  # the smallest first
    limit = float(errors[order[4]])
    first, _ = Queue(forces, order, limit, trials=3).take(objective, objective.start, 2)
    np.testing.assert_array_equal(np.abs(first), errors[order[4:6]])  # in the third trial
    best, rows = Queue(forces, order, np.inf, trials=3).take(objective, objective.start, 1)
    chosen = order[2]  # none is large enough: the largest of three
    np.testing.assert_array_equal(np.abs(best), errors[chosen])
    expected = objective.rows(objective.start, forces.structure[chosen])[1][forces.row[chosen]]
    np.testing.assert_array_equal(rows[0], expected)


def test_queues_begin_again() -> None:
    objective = LeastSquares(structures=2)
    energies, _ = find_candidates(objective, objective.start, 1.0, 1.0)
    residuals, _ = Queue(energies, np.array([1, 0]), 0.0, 1).take(objective, objective.start, 5)
    np.testing.assert_array_equal(residuals, residuals[[0, 1, 0, 1, 0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": 0.0}, "epsilon: expected a positive number, found 0.0"),
        ({"q0": -1.0}, "q0: expected a number, 0 or more; found -1.0"),
        ({"force_batch": 0}, "force_batch: expected 1 or more, found 0"),
        ({"kind": "extended"}, "kind: expected one of standard, fading, found 'extended'"),
        ({"forgetting": 1.5}, "expected 1 or less, found 1.5"),
    ],
)
def test_errors_of_settings(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        KalmanSettings(**options)


def test_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match="expected an energy or force to learn from, found none"):
        Kalman(LeastSquares(), KalmanSettings(energy_fraction=0, force_fraction=0, units="networks"))


def test_a_lost_covariance_is_reported() -> None:
    objective = LeastSquares()
    filtering = Kalman(objective, KalmanSettings(**BASE))
    filtering._covariances[0].matrix = -np.eye(objective.size) * 1e6
    with pytest.raises(InputError, match="is no longer positive definite; try a larger qmin"):
        filtering.step(objective.start)


def test_threads_do_not_change_products() -> None:
    rng = np.random.default_rng(5)
    one, two = (Covariance(101, 3.0, threads) for threads in (1, 2))
    columns, probe = rng.normal(size=(2, 101, 20))
    for covariance in (one, two):
        covariance.subtract(columns)
        covariance.settle()
    np.testing.assert_array_equal(one.times(probe), two.times(probe))


@pytest.mark.parametrize(("ratio", "updates"), [(2.0, 2 * 12), (1e9, 3 * ATOMS * 12)])
def test_forces_for_each_energy(ratio: float, updates: int) -> None:
    objective = LeastSquares(12)
    settings = KalmanSettings(**BASE | {"force_energy_ratio": ratio}, energy_batch=1, force_batch=1)
    assert Kalman(objective, settings).step(objective.start).info["updates"] == 12 + updates
