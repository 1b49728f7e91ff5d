"""Training without costs: a linear model of "energies", and an optimiser with a state and random numbers.

The program ``python fake_training.py FOLDER EPOCHS SECONDS`` trains in a folder with a pause after every epoch.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from fastsf.storage.atomic import write_atomically
from fastsf.storage.interruption import Interruption
from fastsf.storage.states import generator_state, restored_generator
from fastsf.training.config.sections import TrainingLimits
from fastsf.training.objective.balance import Balance
from fastsf.training.objective.measures import Errors, Sigma
from fastsf.training.optimizers.base import OptimizerStep
from fastsf.training.run.loop import TrainingLoop, TrainingProgress
from fastsf.training.run.run import TrainingFiles, TrainingRun, unfinished

START = np.zeros(6)
IDENTITY = {"config": {"optimizer": {"name": "fake"}, "seed": 3}, "data": ["abc"]}


class FakeObjective:
    """Energies that are products of rows with the parameters."""

    def __init__(self, seed: int, n: int = 40) -> None:
        rng = np.random.default_rng(seed)
        self.rows = rng.normal(size=(n, len(START)))
        self.labels = self.rows @ np.arange(1.0, 7.0) + 0.1 * rng.normal(size=n)
        self.sigma = Sigma(energy=0.5, forces=1.0, stress=1.0)

    def errors(self, parameters) -> Errors:
        left = self.rows @ parameters - self.labels
        nan = float("nan")
        return Errors(
            energy_rmse=float(np.sqrt(np.mean(left**2))),
            energy_mae=float(np.abs(left).mean()),
            forces_rmse=nan,
            forces_mae=nan,
            stress_rmse=nan,
            stress_mae=nan,
        )

    def gradient(self, parameters):
        left = self.rows @ parameters - self.labels
        return 2 * left @ self.rows / len(left) / self.sigma.energy**2


class FakeOptimizer:
    """Noisy descent with momentum."""

    name = "fake"

    def __init__(self, objective: FakeObjective, seed: int, pause: float = 0.0) -> None:
        self.objective, self.pause = objective, pause
        self.rng = np.random.default_rng(seed)
        self.momentum, self.steps = np.zeros_like(START), 0

    def step(self, parameters) -> OptimizerStep:
        time.sleep(self.pause)
        gradient = self.objective.gradient(parameters) + self.rng.normal(size=len(START))
        self.momentum = 0.8 * self.momentum - 0.004 * gradient
        self.steps += 1
        return OptimizerStep(parameters + self.momentum, float(gradient @ gradient), {"noise": self.rng.normal()})

    def state(self):
        return {"momentum": self.momentum.copy(), "steps": self.steps, "generator": generator_state(self.rng)}

    def restore(self, state) -> None:
        self.momentum, self.steps = state["momentum"], int(state["steps"])
        self.rng = restored_generator(state["generator"])


def make_loop(limits: TrainingLimits, validation: bool = True, pause: float = 0.0) -> TrainingLoop:
    objective = FakeObjective(1)
    optimizer = FakeOptimizer(objective, 5, pause)
    return TrainingLoop(
        optimizer, objective, FakeObjective(2) if validation else None, limits, Balance(first=3, every=2)
    )


def save_model(path: Path, progress: TrainingProgress) -> None:
    write_atomically(path, lambda file: file.write(progress.best_parameters.tobytes()))


def train(folder: Path, epochs: int, *, pause: float = 0.0, minutes: float = 1e9, stopping=lambda: False, **limits):
    """Train or continue in a folder; return the progress and the reason of the end."""
    files = TrainingFiles(folder)
    loop = make_loop(TrainingLimits(epochs, **limits), pause=pause)
    run = TrainingRun(files, loop, IDENTITY, save_model, minutes)
    return run.go(START, unfinished(files, IDENTITY), stopping=stopping)


if __name__ == "__main__":
    if len(sys.argv) > 4:  # as on a full disk
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
    with Interruption(lambda: print("stopping", flush=True)) as interruption:
        print("ready", flush=True)
        train(
            Path(sys.argv[1]),
            int(sys.argv[2]),
            pause=float(sys.argv[3]),
            minutes=0.0,
            stopping=lambda: interruption.requested,
        )
