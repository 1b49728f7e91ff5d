"""The Kalman filter on the training sets that n2p2 comes with, with the settings of their input.nn.

    FASTSF_SHARED=... NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 python bench/bench_kalman.py water [--seeds 5] [--streams 8]

The folder has n2p2_train_H2O_RPBE-D3 and n2p2_train_Cu2S_PBE in data/. From each set as many structures as the
settings say, chosen by the seed, take no part. Printed are the errors on the training set after ten epochs, in the
units of the folder, and the time of an epoch, which includes the errors of the whole training set. With --streams, each
update on forces takes several components, and an epoch as many times more of them, so that there are as many updates
as with n2p2's settings. n2p2's numbers are those of one run of its nnp-train with these settings.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from fastsf.datasets.frames import Reading
from fastsf.datasets.labelled import LabelledSet, read_labelled
from fastsf.threads import most_threads
from fastsf.training.config.n2p2_folder import TrainingFolder
from fastsf.training.objective.objective import Objective
from fastsf.training.objective.samples import Samples
from fastsf.training.optimizers.kalman import Kalman
from fastsf.training.preparation.n2p2_models import model_of_folder
from fastsf.units import energy_factor, length_factor

SETS = {
    "water": ("n2p2_train_H2O_RPBE-D3", "Bohr", "Hartree", (1.35e-4, 1.55e-2, 1.8)),
    "Cu2S": ("n2p2_train_Cu2S_PBE", "Angstrom", "eV", (2.7e-4, 3.5e-2, 17.0)),
}
"""Folder, units, and n2p2's errors of energies per atom and of forces after ten epochs, and seconds per epoch."""
EPOCHS = 10


def objective_of(folder: TrainingFolder, labelled: LabelledSet, seed: int) -> Objective:
    """Structures but those kept for testing, and a random network."""
    model = model_of_folder(folder, labelled, seed)
    kept = np.random.default_rng(seed).permutation(len(labelled))[
        round(folder.training.test_fraction * len(labelled)) :
    ]
    chosen = labelled.select(np.sort(kept))
    samples = Samples(model.descriptor, model.scalings, chosen.structures)
    for _ in samples.fill():
        pass
    return Objective(model, samples, chosen)


def train(objective: Objective, filtering: Kalman, epochs: int) -> tuple[float, float, list[float]]:
    """Errors after so many epochs (eV/atom, eV/Å), and the seconds of each."""
    parameters, seconds = objective.model.parameters, []
    for _ in range(epochs):
        start = time.perf_counter()
        parameters = filtering.step(parameters).parameters
        errors = objective.errors(parameters)
        seconds.append(time.perf_counter() - start)
    return errors.energy_rmse, errors.forces_rmse, seconds


def main() -> None:
    """Print a line for each seed and their medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    given = parser.parse_args()
    name, length_unit, energy_unit, theirs = SETS[given.set]
    path = Path(os.environ["FASTSF_SHARED"]) / "data" / name
    folder = TrainingFolder.read(path, length_unit, energy_unit)
    settings = folder.settings
    settings = replace(
        settings,
        force_batch=given.streams * settings.force_batch,
        force_fraction=min(1.0, given.streams * settings.force_fraction),
    )
    labelled = read_labelled([path / "input.data"], Reading(length_unit, energy_unit))
    energy = energy_factor(energy_unit)
    force = energy / length_factor(length_unit)
    print(f"{given.set}: {given.streams} force components in an update, {most_threads()} thread(s)")
    print(f"  energies ({energy_unit}/atom), forces ({energy_unit}/{length_unit}), seconds per epoch")
    results = []
    for seed in range(given.seeds):
        objective = objective_of(folder, labelled, seed)
        energies, forces, seconds = train(objective, Kalman(objective, settings, seed), given.epochs)
        results.append((energies / energy, forces / force, median(seconds)))
        print(f"  seed {seed}: {results[-1][0]:.2e} {results[-1][1]:.2e} {results[-1][2]:.3f}", flush=True)
    ours = [median(column) for column in zip(*results, strict=True)]
    print(f"  median: {ours[0]:.2e} {ours[1]:.2e} {ours[2]:.3f}    n2p2: {theirs[0]:.2e} {theirs[1]:.2e} {theirs[2]}")
    print(f"  n2p2 = 1: {ours[0] / theirs[0]:.2f} {ours[1] / theirs[1]:.2f}, {theirs[2] / ours[2]:.1f} times faster")


if __name__ == "__main__":
    main()
