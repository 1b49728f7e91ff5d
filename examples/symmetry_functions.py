"""Evaluate symmetry functions that are given one by one, and their derivatives."""

import numpy as np
from ase.build import bulk

from fastsf import ACSF, G2, G4, Cutoff

cutoff = Cutoff(6.0, "tanh3")  # Å
functions = [G2("Si", "Si", eta=eta, cutoff=cutoff) for eta in (0.05, 0.2, 0.8)]
functions += [G4("Si", ("Si", "Si"), eta=0.01, zeta=zeta, lam=lam, cutoff=cutoff) for zeta in (1, 4) for lam in (-1, 1)]
acsf = ACSF(functions)

silicon = bulk("Si", cubic=True)
silicon.rattle(0.05, seed=1)
values = acsf.create(silicon)  # (atoms, functions)
derivatives, _ = acsf.derivatives(silicon)  # (atoms, atoms, 3, functions), 1/Å
for label, value in zip(acsf.labels["Si"], values[0], strict=True):
    print(f"{label:50s} {value:10.6f}")

# A small displacement of atom 1 changes the functions of atom 0 as the derivatives say.
moved = silicon.copy()
moved.positions[1, 0] += 1e-5
assert np.allclose((acsf.create(moved) - values)[0] / 1e-5, derivatives[0, 1, 0], atol=1e-3)
