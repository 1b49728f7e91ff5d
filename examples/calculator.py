"""Compute energies and forces with a potential, and relax a structure with ASE (after training.py)."""

import sys

from ase.build import bulk
from ase.optimize import BFGS

from fastsf import Calculator, ExtrapolationPolicy, Potential

potential = Potential.load(sys.argv[1] if len(sys.argv) > 1 else "training/model.h5")
print(potential.describe())

silicon = bulk("Si", cubic=True, a=5.5)
silicon.rattle(0.05, seed=1)
result = potential.evaluate(silicon)
print(f"energy {result.energy:.4f} eV, largest force {abs(result.forces).max():.4f} eV/Å")
print(f"{len(result.extrapolations)} values are outside the range of the training set")

silicon.calc = Calculator(potential, extrapolation=ExtrapolationPolicy("ignore"))
BFGS(silicon, logfile=None).run(fmax=0.05, steps=50)
print(f"after relaxation: {silicon.get_potential_energy():.4f} eV")
