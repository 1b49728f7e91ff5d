"""Small nonlinear least-squares problem with the interface of an objective."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

ATOMS = 2
ROWS = 1 + 3 * ATOMS


class LeastSquares:
    """Rows r_k = f(M_k p) - labels with f(x) = x + a sin(x), first the energy and then forces of two atoms each.

    Parameters
    ----------
    structures, size : int
        Numbers of structures and of parameters, in two blocks.
    bend : float
        Factor a; 0 makes the problem linear.
    noise : float
        Standard deviation of the noise of the labels.
    """

    def __init__(
        self, structures: int = 12, size: int = 9, bend: float = 0.4, noise: float = 0.0, decay: float = 0.0
    ) -> None:
        rng = np.random.default_rng(8)
        self.size, self.n_structures, self.bend, self.decay = size, structures, bend, decay
        self.threads = 1
        self.sigma = SimpleNamespace(energy=0.5, forces=0.25)
        self.matrices = rng.normal(size=(structures, ROWS, size))
        self.truth = rng.normal(size=size)
        self.labels = self._function(self.truth)[0] + noise * rng.normal(size=(structures, ROWS))
        self.start = rng.normal(size=size)
        half = size // 2
        self.model = SimpleNamespace(
            energy_scale=1.0,
            length_scale=1.0,
            slices=[slice(0, half), slice(half, size)],
            parameters=self.start,
        )
        self.labelled = SimpleNamespace(
            n_atoms=np.full(structures, ATOMS), weights=np.ones(structures), energies=self.labels[:, 0]
        )
        self.calls = 0

    @property
    def decay_diagonal(self) -> np.ndarray:
        return np.full(self.size, self.decay)

    def _function(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = self.matrices @ p
        return x + self.bend * np.sin(x), (1 + self.bend * np.cos(x))[..., None] * self.matrices

    def value(self, p: np.ndarray) -> float:
        return self.gradient(p)[0]

    def gradient(self, p: np.ndarray, batch: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        self.calls += 1
        chosen = np.arange(self.n_structures) if batch is None else batch
        values, jacobian = self._function(p)
        r, share = (values - self.labels)[chosen], len(chosen) / self.n_structures
        loss = np.nansum(r**2) + share * (self.decay_diagonal @ p**2)
        gradient = 2 * np.einsum("kr,krp->p", np.nan_to_num(r), jacobian[chosen])
        return float(loss), gradient + 2 * share * self.decay_diagonal * p

    def residuals(self, p: np.ndarray, batch: np.ndarray | None = None) -> list[np.ndarray]:
        chosen = range(self.n_structures) if batch is None else batch
        values = self._function(p)[0] - self.labels
        return [values[k] for k in chosen]

    def rows(self, p: np.ndarray, structure: int, chosen: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        values, jacobian = self._function(p)
        rows = np.arange(ROWS) if chosen is None else chosen
        return (values - self.labels)[structure][rows], jacobian[structure][rows]

    def errors(self, p: np.ndarray) -> SimpleNamespace:
        r = np.array(self.residuals(p))
        energies, forces = r[:, 0] / ATOMS, r[:, 1:]
        return SimpleNamespace(energy_rmse=np.sqrt(np.nanmean(energies**2)), forces_rmse=np.sqrt(np.nanmean(forces**2)))
