"""Extended Kalman filter: parameters are the state, labels are consecutive measurements.

With residuals r = prediction - label of m labels and their derivatives H (P, m), an update is

    A = R + H^T C H,    K = C H A^-1,    p <- p - K r,    C <- C - K (C H)^T + q 1

with the error covariance C, the measurement noise R = 1 / eta and the process noise q, which are annealed (the standard
filter). In the filter with fading memory, which forgets old measurements, R = lambda and C <- (C - K (C H)^T) / lambda
+ q 1, and lambda approaches one. With m > 1, labels are several streams of measurements in one update.

Blank and Brown, J. Chemometrics 8, 391 (1994); Puskorius and Feldkamp, IEEE Trans. Neural Netw. 5, 279 (1994); with
forces and choice of labels as in Singraber et al., J. Chem. Theory Comput. 15, 3075 (2019), with the names of n2p2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from threadpoolctl import threadpool_limits

from fastsf.errors import InputError
from fastsf.storage.states import State, generator_state, restored_generator
from fastsf.training.objective.objective import Objective
from fastsf.training.optimizers.base import Optimizer, OptimizerStep
from fastsf.training.optimizers.candidates import SELECTIONS, Candidates, Queue, find_candidates
from fastsf.training.optimizers.covariance import Covariance
from fastsf.types import FloatArray

KINDS, STRATEGIES, UNITS = ("standard", "fading"), ("combined", "element"), ("loss", "networks")
_POSITIVE = ("epsilon", "eta", "etamax", "forgetting", "nue", "force_weight")
_NOT_NEGATIVE = ("q0", "qtau", "qmin", "etatau", "energy_fraction", "force_fraction", "force_energy_ratio")


@dataclass(frozen=True)
class KalmanSettings:
    """Settings of the Kalman filter; defaults are those of n2p2's examples, except units and labels in an update.

    Parameters
    ----------
    kind : {"standard", "fading"}
        Kind of filter; see the module's docstring.
    epsilon : float
        Inverse of the covariance at the start.
    q0, qtau, qmin : float
        Process noise: at the start, its decay per epoch (2.302: by ten), and its smallest value.
    eta, etatau, etamax : float
        Inverse measurement noise of the standard filter: at the start, its growth per epoch, and its largest value.
    forgetting, nue : float
        Fading memory: lambda at the start, and nu in lambda <- nu lambda + 1 - nu after each update.
    energy_fraction, force_fraction : float
        Fraction of the energies and of the force components that an epoch uses.
    force_energy_ratio : float
        Number of forces that an epoch uses for each energy of the training set, at most all; it replaces
        `force_fraction` unless it is 0.
    energy_batch, force_batch : int
        Number of labels per update.
    force_weight : float
        Factor of the residuals of forces.
    selection : {"random", "sort", "threshold"}
        Choice of labels: in random order, in the order of decreasing errors, or in random order with errors above a
        threshold.
    energy_threshold, force_threshold : float
        Thresholds, in root mean square errors.
    trials : int
        Number of labels that are tried before the one with the largest error is used, even if below the threshold.
    strategy : {"combined", "element"}
        One filter for all parameters, or one for each element.
    units : {"loss", "networks"}
        Scale of residuals: sigmas and numbers of atoms as in the objective, or the units of the networks' outputs as
        in n2p2, which normalises total energies and forces.
    """

    kind: str = "standard"
    epsilon: float = 0.01
    q0: float = 0.01
    qtau: float = 2.302
    qmin: float = 1e-6
    eta: float = 0.01
    etatau: float = 2.302
    etamax: float = 1.0
    forgetting: float = 0.98
    nue: float = 0.9995
    energy_fraction: float = 1.0
    force_fraction: float = 0.1
    force_energy_ratio: float = 0.0
    energy_batch: int = 1
    force_batch: int = 16
    force_weight: float = 1.0
    selection: str = "threshold"
    energy_threshold: float = 0.0
    force_threshold: float = 1.0
    trials: int = 3
    strategy: str = "combined"
    units: str = "loss"

    def __post_init__(self) -> None:
        for names, zero in ((_POSITIVE, False), (_NOT_NEGATIVE, True)):
            for name in names:
                value = getattr(self, name)
                if not (0 < value < math.inf or (zero and value == 0)):
                    expected = "a number, 0 or more;" if zero else "a positive number,"
                    raise InputError(f"{name}: expected {expected} found {value}")
        for name in ("energy_batch", "force_batch", "trials"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: expected 1 or more, found {getattr(self, name)}")
        choices = {"kind": KINDS, "selection": SELECTIONS, "strategy": STRATEGIES, "units": UNITS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise InputError(f"{name}: expected one of {', '.join(known)}, found {getattr(self, name)!r}")
        if self.forgetting > 1 or self.nue > 1:
            raise InputError(f"forgetting and nue: expected 1 or less, found {self.forgetting} and {self.nue}")


class Kalman(Optimizer[KalmanSettings]):
    """Optimiser whose step is one epoch, with energies and forces in random order.

    It ignores stresses and the decay of weights.

    Raises
    ------
    InputError
        If no labels are left by the settings.
    """

    name = "kalman"
    settings_type = KalmanSettings

    def __init__(self, objective: Objective, settings: KalmanSettings | None = None, seed: int = 0) -> None:
        super().__init__(objective, settings, seed)
        s, model = self.settings, objective.model
        self._rng = np.random.default_rng(seed)
        self._places = model.slices if s.strategy == "element" else [slice(0, objective.size)]
        self._covariances = [
            Covariance(place.stop - place.start, 1 / s.epsilon, objective.threads) for place in self._places
        ]
        self._eta, self._q, self._lambda = s.eta, s.q0, s.forgetting
        energy: Any = model.energy_scale
        force = model.energy_scale * model.length_scale
        if s.units == "loss":
            energy, force = objective.sigma.energy * objective.labelled.n_atoms, objective.sigma.forces
        self._candidates = find_candidates(objective, model.parameters, 1 / energy, s.force_weight / force)
        parts = zip(self._candidates, (s.energy_fraction, self._force_fraction), self._batches, strict=True)
        self._updates = [_updates(labels, fraction, batch) for labels, fraction, batch in parts]
        if not sum(self._updates):
            raise InputError(
                "expected an energy or force to learn from, found none: labels are missing, or energy_fraction and "
                "force_fraction are 0"
            )

    @classmethod
    def matrix_bytes(cls, sizes: Sequence[int], settings: KalmanSettings, threads: int) -> int:
        """Return the memory for the covariances in float64."""
        blocks = sizes if settings.strategy == "element" else [sum(sizes)]
        return 8 * sum(size**2 for size in blocks)

    @property
    def _force_fraction(self) -> float:
        energies, forces = map(len, self._candidates)
        if not self.settings.force_energy_ratio or not forces:
            return self.settings.force_fraction
        return min(1.0, self.settings.force_energy_ratio * energies / forces)

    @property
    def _batches(self) -> tuple[int, int]:
        return self.settings.energy_batch, self.settings.force_batch

    # --- an epoch ---

    def step(self, parameters: FloatArray) -> OptimizerStep:
        """Do one epoch."""
        parameters = parameters.copy()
        with threadpool_limits(self.objective.threads, "blas"):
            queues = self._queues(parameters)
            for kind in self._rng.permutation(np.repeat([0, 1], self._updates)):
                count = min(self._batches[kind], len(self._candidates[kind]))
                residuals, jacobian = queues[kind].take(self.objective, parameters, count)
                parameters += self._update(residuals, jacobian)
            for covariance in self._covariances:
                covariance.settle()
        info = {"updates": float(sum(self._updates)), "q": self._q}
        info |= {"eta": self._eta} if self.settings.kind == "standard" else {"lambda": self._lambda}
        return OptimizerStep(parameters, self.objective.value(parameters), info)

    def _queues(self, parameters: FloatArray) -> list[Queue]:
        s = self.settings
        orders = [self._rng.permutation(len(labels)) for labels in self._candidates]
        if s.selection == "sort":
            residuals = self.objective.residuals(parameters)
            orders = [np.argsort(-labels.errors(residuals), kind="stable") for labels in self._candidates]
        limits = (0.0, 0.0)
        if s.selection == "threshold":
            errors = self.objective.errors(parameters)
            limits = (s.energy_threshold * errors.energy_rmse, s.force_threshold * errors.forces_rmse)
        parts = zip(self._candidates, orders, limits, strict=True)
        return [Queue(labels, order, limit, s.trials) for labels, order, limit in parts]

    def _update(self, residuals: FloatArray, jacobian: FloatArray) -> FloatArray:
        """Return the change of the parameters (P,) by residuals (m,) with derivatives (m, P)."""
        s, change = self.settings, np.zeros(self.objective.size)
        fading = s.kind == "fading"
        for place, covariance in zip(self._places, self._covariances, strict=True):
            columns = jacobian[:, place].T
            product = covariance.times(columns)
            inner = columns.T @ product
            inner[np.diag_indices_from(inner)] += self._lambda if fading else 1 / self._eta
            factor = _cholesky(inner)
            spread = solve_triangular(factor, product.T, lower=True, check_finite=False).T
            change[place] = -(spread @ solve_triangular(factor, residuals, lower=True, check_finite=False))
            covariance.subtract(spread)
            if fading:
                covariance.multiply(1 / self._lambda)
            covariance.add_diagonal(self._q)
        self._anneal()
        return change

    def _anneal(self) -> None:
        s, updates = self.settings, sum(self._updates)
        self._q = max(self._q * math.exp(-s.qtau / updates), s.qmin)
        self._eta = min(self._eta * math.exp(s.etatau / updates), s.etamax)
        self._lambda = s.nue * self._lambda + 1 - s.nue

    # --- interruptions ---

    def state(self) -> State:
        """Return covariances, annealed numbers and the random generator."""
        state: dict[str, Any] = {"eta": self._eta, "q": self._q, "lambda": self._lambda}
        state["generator"] = generator_state(self._rng)
        for k, covariance in enumerate(self._covariances):
            state[f"covariance {k}"] = covariance.matrix
        return state

    def restore(self, state: State) -> None:
        """Continue with a state."""
        self._eta, self._q, self._lambda = (float(state[name]) for name in ("eta", "q", "lambda"))
        self._rng = restored_generator(str(state["generator"]))
        for k, covariance in enumerate(self._covariances):
            covariance.matrix = np.asarray(state[f"covariance {k}"], dtype=np.float64)


def _updates(labels: Candidates, fraction: float, batch: int) -> int:
    """Return the number of updates per epoch, at least one unless the kind is missing or unwanted."""
    if not len(labels) or fraction == 0:
        return 0
    return max(1, round(fraction * len(labels) / min(batch, len(labels))))


def _cholesky(inner: FloatArray) -> Any:
    try:
        return cholesky(inner, lower=True)
    except (LinAlgError, ValueError) as error:
        raise InputError(
            "the covariance of the Kalman filter is no longer positive definite; try a larger qmin or epsilon, or "
            "forgetting closer to 1"
        ) from error
