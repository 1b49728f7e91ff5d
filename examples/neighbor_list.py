"""Find the neighbours of atoms, and count them by distance."""

import numpy as np
from ase.build import bulk

from fastsf import neighbor_list

silicon = bulk("Si", cubic=True).repeat(3)
i, j, distances, vectors, shifts = neighbor_list("ijdDS", silicon, 6.0)
print(f"{len(i)} pairs of {len(silicon)} atoms")

shells, counts = np.unique(np.round(distances, 3), return_counts=True)
for distance, count in zip(shells, counts, strict=True):
    print(f"{distance:6.3f} Å: {count // len(silicon):3d} neighbours")

# The vectors run from atom i to the image of atom j that the shift names.
assert np.allclose(vectors, silicon.positions[j] - silicon.positions[i] + shifts @ silicon.cell[:])
