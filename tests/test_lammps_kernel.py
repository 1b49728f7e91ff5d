"""The kernel behind LAMMPS over lists made by hand: ghosts, flags, several blocks, things that are not finite."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from potentials import ELEMENTS, random_potential
from systems import SYSTEMS

from fastsf import InputError, neighbor_list
from fastsf.committee import Committee
from fastsf.kernels import lammps as kernels
from fastsf.lammps.model import LammpsModel

TYPE_OF = {1: 3, 8: 1, 16: 2}
ELEMENT_OF_TYPE = np.array([0, 1, 2, 0])
"""Types in another order than the elements of the potential."""

SKIN = 0.5


class Listed:
    """A structure as LAMMPS has it on one rank: images are atoms behind its own."""

    def __init__(self, atoms: Atoms, cutoff: float) -> None:
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
            np.array([TYPE_OF[number] for number in atoms.numbers[owners]], np.int32),
            ELEMENT_OF_TYPE,
            rng.permutation(len(atoms)).astype(np.int32),
            counts.astype(np.int32),
            self.listed.ctypes.data + 4 * starts,
        )

    def rooms(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = len(self.owners)
        return np.zeros((n, 3)), np.zeros(n), np.zeros((n, 6))


@pytest.mark.parametrize(("name", "repeat"), [("triclinic", (4, 3, 3)), ("slab", (2, 1, 1)), ("molecule", (1, 1, 1))])
def test_same_as_the_potential(name: str, repeat: tuple[int, int, int]) -> None:
    atoms = SYSTEMS[name]()
    atoms = atoms if name == "molecule" else atoms.repeat(repeat)
    potential, unit = random_potential(), 2.5
    model = LammpsModel(potential)
    expected, listed = potential.evaluate(atoms), Listed(atoms, model.cutoff)
    n = len(atoms)
    assert name != "triclinic" or n > kernels.BLOCK
    forces, energies, virials = listed.rooms()
    forces[:n] = 1.0  # it is added to
    assert model.add_forces(listed.atoms, unit, forces, energies, virials) == -1
    forces[:n] -= 1.0
    home = np.zeros((n, 3))
    np.add.at(home, listed.owners, forces)
    np.testing.assert_allclose(home, unit * expected.forces, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(energies[:n], unit * expected.energies, rtol=1e-12)
    tensors = 0.5 * unit * (expected.virials + expected.virials.transpose(0, 2, 1)).reshape(-1, 9)
    np.testing.assert_allclose(virials[:n], tensors[:, [0, 4, 8, 1, 2, 5]], rtol=1e-10, atol=1e-11)
    assert not energies[n:].any() and not virials[n:].any()
    assert model.counts.tolist() == [expected.outside.sum(), (expected.outside > 0).sum(), n]


def test_what_is_not_finite() -> None:
    atoms = SYSTEMS["triclinic"]()
    potential = random_potential()
    model = LammpsModel(potential)
    listed = Listed(atoms, model.cutoff)
    listed.atoms.positions[3, 1] = np.nan
    assert model.add_forces(listed.atoms, 1.0, *listed.rooms()) == 3
    listed = Listed(atoms, model.cutoff)
    potential.model.networks.offset[2] = np.nan
    wrong = model.add_forces(listed.atoms, 1.0, *listed.rooms())
    assert atoms.symbols[wrong] == ELEMENTS[2]


def test_only_potentials() -> None:
    with pytest.raises(InputError, match=r"LAMMPS runs one potential, found <Committee of 2"):
        LammpsModel(Committee([random_potential(1), random_potential(2)]))
    with pytest.raises(InputError, match=r"the potential knows no element Cu, Xx, but H O S"):
        LammpsModel(random_potential()).element_of_type(["Xx", "H", "Cu"])
