"""Neighbour lists as LAMMPS would have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from ase import Atoms

from fastsf import neighbor_list
from fastsf.kernels.dynamics import lammps as kernels

SKIN = 0.5


class Listed:
    """A structure as LAMMPS has it on one rank: images follow its own atoms.

    Parameters
    ----------
    atoms : ase.Atoms
    cutoff : float
        Cutoff in Å; the lists extend to `SKIN` more.
    symbols : sequence of str
        Elements of the types, from 1.
    element : array
        Their element indices in a potential, after a number for type 0.
    """

    def __init__(self, atoms: Atoms, cutoff: float, symbols: Sequence[str], element: npt.ArrayLike) -> None:
        i, j, shifts = neighbor_list("ijS", atoms, cutoff + SKIN)
        images: dict[tuple[int, ...], int] = {(k, 0, 0, 0): k for k in range(len(atoms))}
        neighbors = [images.setdefault((b, *shift), len(images)) for b, shift in zip(j, shifts.tolist(), strict=True)]
        owners = np.array([key[0] for key in images])
        offsets = np.array([key[1:] for key in images]) @ atoms.cell.array
        rng = np.random.default_rng(1)
        flags = rng.integers(-4, 4, len(neighbors)) << 29  # kinds of bonds, in the highest bits
        self.listed = (np.array(neighbors) | flags).astype(np.int32)
        counts = np.bincount(i, minlength=len(atoms))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self.owners = owners
        self.atoms = kernels.Atoms(
            atoms.positions[owners] + offsets,
            np.array([1 + symbols.index(symbol) for symbol in atoms.symbols[owners]], np.int32),
            np.asarray(element, np.int64),
            rng.permutation(len(atoms)).astype(np.int32),
            counts.astype(np.int32),
            self.listed.ctypes.data + 4 * starts,
        )

    def zeros(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = len(self.owners)
        return np.zeros((n, 3)), np.zeros(n), np.zeros((n, 6))
