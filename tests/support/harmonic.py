"""A simulation that takes no time: atoms on springs with noise, and the errors that a test wants.

As a program: ``python harmonic.py FOLDER STEPS PAUSE [BYTES]`` runs in a folder with a checkpoint after every block,
pauses after each step, and may write no file longer than so many bytes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.units import fs, kB

from fastsf.errors import FastsfError
from fastsf.simulation.engine import Advance, Column, EngineFrame, Halt
from fastsf.simulation.running import run
from fastsf.simulation.settings import RunSettings, TrajectorySettings

COLUMNS = (
    Column("step", ""),
    Column("time", "fs"),
    Column("potential energy", "eV"),
    Column("temperature", "K"),
    Column("conserved energy", "eV"),
)
ALL = tuple(TrajectorySettings(kind, 5, velocities=True, forces=True) for kind in ("extxyz", "traj", "h5md"))


class Harmonic:
    """Atoms on springs (1 eV/Å^2), pushed at random.

    `bad` has the steps of errors by kind; `atoms` replaces the default structure.
    """

    columns = COLUMNS

    def __init__(self, seed: int = 0, pause: float = 0.0, bad: dict[str, int] | None = None, atoms=None) -> None:
        self.seed, self.pause, self.bad = seed, pause, bad or {}
        self.rng = np.random.default_rng(seed)
        atoms = Atoms(range(1, 7), 3.0 * np.arange(18).reshape(6, 3), cell=[20.0] * 3) if atoms is None else atoms
        self.numbers, self.home, self.cell = atoms.numbers, atoms.positions, atoms.cell.array
        self.positions = self.home + 0.1 * self.rng.normal(size=self.home.shape)
        self.velocities = np.zeros_like(self.home)
        self.steps_done = self.drawn = 0
        self.drift = 0.0

    def advance(self, steps: int, every: int) -> Advance:
        rows = []
        for done in range(1, steps + 1):
            self.step()
            if self.steps_done % every == 0:
                rows.append(self.row())
            if self.steps_done == self.bad.get("halt"):
                halt = Halt("lost", self.steps_done, "atom 3 is lost")
                return Advance(done, np.array(rows).reshape(-1, len(COLUMNS)), halt)
            if self.steps_done == self.bad.get("error"):
                raise FastsfError("a kernel gave up")
        return Advance(steps, np.array(rows).reshape(-1, len(COLUMNS)))

    def step(self) -> None:
        time.sleep(self.pause)
        noise = self.rng.normal(size=self.positions.shape)
        self.velocities = 0.99 * (self.velocities - 1e-3 * (self.positions - self.home)) + 1e-4 * noise
        self.positions = self.positions + self.velocities
        self.steps_done += 1
        if self.steps_done >= self.bad.get("leak", 2**62):
            self.drift += 1.0

    def row(self) -> list[float]:
        potential = 0.5 * float(((self.positions - self.home) ** 2).sum())
        temperature = float((self.velocities**2).mean()) / (fs**2 * kB)
        return [float(self.steps_done), 0.5 * self.steps_done, potential, temperature, self.drift]

    def frame(self) -> EngineFrame:
        return EngineFrame(
            self.steps_done,
            0.5 * self.steps_done,
            self.numbers.copy(),
            self.positions.copy(),
            self.cell.copy(),
            np.ones(3, dtype=bool),
            self.velocities.copy(),
            self.home - self.positions,
            self.row()[2],
            dict(zip((column.name for column in COLUMNS), self.row(), strict=True)),
        )

    def state(self):
        generator = repr(self.rng.bit_generator.state)
        arrays = {"positions": self.positions.copy(), "velocities": self.velocities.copy()}
        return {**arrays, "steps": self.steps_done, "drift": self.drift, "generator": generator}

    def restore(self, state) -> None:
        self.positions, self.velocities = state["positions"], state["velocities"]
        self.steps_done, self.drift = state["steps"], state["drift"]
        self.rng.bit_generator.state = eval(state["generator"])

    def identity(self):
        return {"engine": "harmonic", "seed": self.seed, "atoms": self.numbers.tolist()}


def simulate(folder, steps, engine=None, *, watches=(), overwrite=False, **settings):
    """Run with all trajectories, a row every 3 steps."""
    settings = {"log_every": 3, "trajectories": ALL, **settings}
    return run(engine or Harmonic(), folder, RunSettings(steps, **settings), watches, overwrite=overwrite)


if __name__ == "__main__":
    if len(sys.argv) > 4:  # as on a full disk
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
    try:
        print("ready", flush=True)
        simulate(Path(sys.argv[1]), int(sys.argv[2]), Harmonic(pause=float(sys.argv[3])), checkpoint_seconds=0.0)
    except FastsfError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt as error:
        print(error)
        sys.exit(130)
