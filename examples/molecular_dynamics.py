"""Run molecular dynamics in a folder, and compute means with errors (after training.py)."""

import sys

from ase.build import bulk

from fastsf import Potential
from fastsf.analysis import AnalysisSettings, Source, study
from fastsf.md import Bussi, MolecularDynamics, maxwell_boltzmann
from fastsf.simulation import RunSettings, TrajectorySettings, run

potential = Potential.load(sys.argv[1] if len(sys.argv) > 1 else "training/model.h5")
silicon = bulk("Si", cubic=True).repeat(2)
maxwell_boltzmann(silicon, 300.0, seed=1)
engine = MolecularDynamics(potential, silicon, Bussi(300.0), timestep=2.0)  # K, fs
run(engine, "dynamics", RunSettings(steps=1000, trajectories=(TrajectorySettings("h5md", 10),)))

results = study(Source.of("dynamics"), AnalysisSettings(("means", "rdf"), skip=0.5))  # ps
temperature = results.series.means()["temperature"]
print(f"temperature {temperature.value:.0f} +- {temperature.error:.0f} K")
