"""Function that training minimises: squared errors of energies, forces and stresses, and the decay of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas
from threadpoolctl import threadpool_limits

from fastsf.datasets.labelled import LabelledSet
from fastsf.errors import InputError
from fastsf.structure import volume
from fastsf.threads import most_threads
from fastsf.training.objective.measures import Errors, Predictions, Sigma
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.samples import Samples
from fastsf.training.objective.terms import Terms
from fastsf.types import FloatArray, IntArray

_BLOCK_ROWS = 2000
"""Number of rows of the Jacobian that are multiplied together: enough for BLAS, and little memory."""

_BIAS_DECAY = 0.01
"""Decay of biases relative to that of weights."""

T = TypeVar("T")
R = TypeVar("R")


class Objective:
    """Weighted sum of squares of a model's errors on labelled structures, and decay of its weights.

    L(p) = sum_k w_k [(dE_k / n_k sigma_E)^2 + sum_c (dF_kc / sigma_F)^2 + sum_v (dS_kv / sigma_S)^2]
           + decay sum_j d_j p_j^2

    with d_j = 1 for weights and 0.01 for biases. Missing labels do not contribute. Sums follow the order of the
    structures for any number of threads.

    Parameters
    ----------
    model : TrainableModel
        Model whose parameters are the start; everything else stays.
    samples : Samples
        Samples of the structures of `labelled`, with stress to include stresses.
    labelled : LabelledSet
        Structures with their labels.
    sigma : Sigma
        Errors that count as one; they may change between steps.
    decay : float
        Factor of the decay.
    threads : int, optional
        Number of threads, all if not given.

    Raises
    ------
    InputError
        If samples and labels have different numbers of structures, or there are no labels.
    """

    def __init__(
        self,
        model: TrainableModel,
        samples: Samples,
        labelled: LabelledSet,
        sigma: Sigma | None = None,
        decay: float = 0.0,
        threads: int | None = None,
    ) -> None:
        if len(samples) != len(labelled):
            raise InputError(f"expected samples of {len(labelled)} structures, found {len(samples)}")
        self.model, self.samples, self.labelled = model, samples, labelled
        self.sigma, self.decay = sigma or Sigma(), float(decay)
        self.size = model.parameters.size
        self.threads = threads or most_threads()
        self._penalty = np.where(model.is_weight > 0, 1.0, _BIAS_DECAY)
        self._terms = [self._terms_of(k) for k in range(len(labelled))]
        self._last: tuple[FloatArray, list[FloatArray]] | None = None
        self._current = model
        self._labels = [self._labels_of(k) for k in range(len(labelled))]
        self.n_rows = np.array([int(np.isfinite(labels).sum()) for labels in self._labels])
        if not self.n_rows.sum():
            raise InputError(
                "expected a structure with an energy, forces or (with stress) a stress to learn from, found none"
            )

    @property
    def n_structures(self) -> int:
        """Number of structures."""
        return len(self.labelled)

    @property
    def decay_diagonal(self) -> FloatArray:
        """Factors of the squares of the parameters in L, (P,) float64."""
        return self.decay * self._penalty

    # --- the sum of squares ---

    def value(self, parameters: FloatArray) -> float:
        """Return L(p)."""
        weighted = [self._weighted(k, residuals)[0] for k, residuals in enumerate(self.residuals(parameters))]
        return float(sum(each @ each for each in weighted) + self._decay_of(parameters))

    def gradient(self, parameters: FloatArray, batch: IntArray | None = None) -> tuple[float, FloatArray]:
        """Return L(p) and its gradient (P,), of all or of some structures with their share of the decay."""
        chosen = self._all() if batch is None else np.asarray(batch)
        share = float(self.n_rows[chosen].sum() / self.n_rows.sum())
        total, gradient = share * self._decay_of(parameters), 2 * share * self.decay_diagonal * parameters
        for squares, part in self._map(self._gradient_of, parameters, chosen):
            total += squares
            gradient += part
        return float(total), gradient

    def normal(
        self, parameters: FloatArray, batch: IntArray | None = None, dtype: npt.DTypeLike = np.float64
    ) -> tuple[float, FloatArray, FloatArray]:
        """Return r.r, J^T r (P,) and J^T J (P, P) of the weighted residuals r, without the decay.

        Only the lower triangle of J^T J is filled. `dtype` is the precision of the products of matrices.
        """
        chosen = self._all() if batch is None else np.asarray(batch)
        squares, right, matrix = 0.0, np.zeros(self.size), np.zeros((self.size, self.size))

        def products(block: IntArray, model: TrainableModel) -> tuple[float, FloatArray, Any]:
            return self._products(block, model, np.dtype(dtype))

        for part, vector, square in self._map(products, parameters, list(self._blocks(chosen))):
            squares += part
            right += vector
            matrix += square
        return float(squares), right, matrix

    # --- rows, for filters ---

    def residuals(self, parameters: FloatArray, batch: IntArray | None = None) -> list[FloatArray]:
        """Return predictions minus labels of each structure: total energy, 3 n forces and, with stress, 6 stresses.

        Missing labels are NaN. Residuals of all structures are kept until the parameters change: sums of squares
        and errors need the same ones.
        """
        if batch is not None:
            return self._residuals(parameters, np.asarray(batch))
        if self._last is None or not np.array_equal(self._last[0], parameters):
            self._last = parameters.copy(), self._residuals(parameters, self._all())
        return [residuals.copy() for residuals in self._last[1]]

    def _residuals(self, parameters: FloatArray, chosen: IntArray) -> list[FloatArray]:
        return list(self._map(lambda k, model: self._values(k, model) - self._labels[k], parameters, chosen))

    def rows(
        self, parameters: FloatArray, structure: int, chosen: IntArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return residuals (m,) of a structure, as from `residuals`, and their derivatives (m, P).

        With `chosen` (m,) only these rows are computed. The caller sets the threads of the BLAS.
        """
        model, terms, labels = self._with_parameters(parameters), self._terms[structure], self._labels[structure]
        chosen = np.arange(terms.size) if chosen is None else chosen
        values, jacobian = terms.chosen_rows(model, self.samples[structure], chosen)
        return values - labels[chosen], jacobian

    # --- errors ---

    def predict(self, parameters: FloatArray) -> Predictions:
        """Predict energies, forces and stresses of all structures."""
        rows = list(self._map(lambda k, model: self._values(k, model), parameters, self._all()))
        forces = [row[1 : 1 + 3 * len(s)].reshape(-1, 3) for row, s in zip(rows, self.samples.structures, strict=True)]
        stresses = [row[-6:] if self.samples.stress else np.full(6, np.nan) for row in rows]
        energies = np.array([row[0] for row in rows])
        return Predictions(energies, forces, np.array(stresses).reshape(-1, 6))

    def errors(self, parameters: FloatArray) -> Errors:
        """Return the errors of all labels."""
        return Errors.of(self.residuals(parameters), [len(structure) for structure in self.samples.structures])

    # --- one structure ---

    def _terms_of(self, k: int) -> Terms:
        structure = self.samples.structures[k]
        constant = self.model.constant_energy(structure.numbers)
        return Terms(len(structure), volume(structure.cell), constant, self.samples.stress)

    def _labels_of(self, k: int) -> FloatArray:
        forces, n = self.labelled.forces[k], len(self.labelled.structures[k])
        parts: list[npt.ArrayLike] = [
            [self.labelled.energies[k]],
            np.full(3 * n, np.nan) if forces is None else np.ravel(forces),
        ]
        if self.samples.stress:
            parts.append(self.labelled.stresses[k])
        return np.concatenate(parts).astype(np.float64)

    def _scales(self, k: int) -> FloatArray:
        """Return sqrt(w_k) / sigma of each row of a structure."""
        n, sigma = len(self.labelled.structures[k]), self.sigma
        parts = [np.full(1, 1 / (n * sigma.energy)), np.full(3 * n, 1 / sigma.forces)]
        if self.samples.stress:
            parts.append(np.full(6, 1 / sigma.stress))
        scales: FloatArray = np.concatenate(parts) * np.sqrt(self.labelled.weights[k])
        return scales

    def _values(self, k: int, model: TrainableModel) -> FloatArray:
        return self._terms[k].predict(model, self.samples[k])[0]

    def _weighted(self, k: int, residuals: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the weighted residuals, 0 without a label, and the weights of the rows."""
        scales = np.where(np.isfinite(residuals), self._scales(k), 0.0)
        return np.where(np.isfinite(residuals), residuals * scales, 0.0), scales

    def _gradient_of(self, k: int, model: TrainableModel) -> tuple[float, FloatArray]:
        terms, sample = self._terms[k], self.samples[k]
        values, passes = terms.predict(model, sample)
        weighted, scales = self._weighted(k, values - self._labels[k])
        return float(weighted @ weighted), terms.pull_back(model, sample, passes, 2 * weighted * scales)

    def _products(
        self, block: IntArray, model: TrainableModel, dtype: np.dtype[Any]
    ) -> tuple[float, FloatArray, npt.NDArray[Any]]:
        jacobians, residuals = [], []
        for k in block:
            terms, sample = self._terms[k], self.samples[k]
            values, passes = terms.predict(model, sample)
            weighted, scales = self._weighted(k, values - self._labels[k])
            jacobian = terms.jacobian(model, sample, passes, dtype)
            jacobian *= scales.astype(dtype)[:, None]
            jacobians.append(jacobian)
            residuals.append(weighted)
        rows, weighted = np.concatenate(jacobians), np.concatenate(residuals)
        multiply = blas.ssyrk if dtype == np.float32 else blas.dsyrk
        square = multiply(1.0, rows.T, trans=0, lower=0).T  # of the transposed matrix, which needs no copy
        return float(weighted @ weighted), (weighted.astype(dtype) @ rows).astype(np.float64), square

    def _with_parameters(self, parameters: FloatArray) -> TrainableModel:
        """Return the model with some parameters; it is kept, since rows of several structures need the same model."""
        if not np.array_equal(self._current.parameters, parameters):
            self._current = self.model.with_parameters(parameters)
        return self._current

    # --- many structures ---

    def _all(self) -> IntArray:
        return np.arange(self.n_structures)

    def _decay_of(self, parameters: FloatArray) -> float:
        return float((self.decay_diagonal * parameters**2).sum())

    def _blocks(self, chosen: IntArray) -> Iterator[IntArray]:
        """Yield structures with about `_BLOCK_ROWS` rows in total."""
        first, rows = 0, 0
        for number, k in enumerate(chosen):
            rows += len(self._labels[k])
            if rows >= _BLOCK_ROWS or number == len(chosen) - 1:
                yield chosen[first : number + 1]
                first, rows = number + 1, 0

    def _map(
        self, work: Callable[[Any, TrainableModel], R], parameters: FloatArray, items: Iterable[Any]
    ) -> Iterator[R]:
        """Work on each item, on threads, and yield the results in the order of the items."""
        model = self.model.with_parameters(parameters)
        with threadpool_limits(1, "blas"):
            if self.threads == 1:
                yield from (work(item, model) for item in items)
                return
            with ThreadPoolExecutor(self.threads) as pool:
                yield from ordered(pool, lambda item: work(item, model), items, 2 * self.threads)


def ordered(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """Yield results in the order of the items; at most `ahead` wait, so that memory need not hold all of them."""
    waiting: list[Any] = []
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.pop(0).result()
    for each in waiting:
        yield each.result()
