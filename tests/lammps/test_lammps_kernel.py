"""The kernel for LAMMPS with lists made by hand: ghosts, flags, several blocks, values that are not finite."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from ase import Atoms
from numpy import ctypeslib
from support.lammps_lists import Listed
from support.potentials import ELEMENTS, random_potential
from support.systems import SYSTEMS

from fastsf import InputError
from fastsf.kernels import _jit
from fastsf.kernels.dynamics import lammps as kernels
from fastsf.lammps.model import LammpsModel
from fastsf.potentials.committee import Committee


def listed_of(atoms: Atoms, model: LammpsModel) -> Listed:
    """Return lists with types in another order than the elements of the potential."""
    symbols = ["O", "S", "H"]
    return Listed(atoms, model.cutoff, symbols, model.element_of_type(symbols))


@pytest.mark.parametrize(("name", "repeat"), [("triclinic", (4, 3, 3)), ("slab", (2, 1, 1)), ("molecule", (1, 1, 1))])
def test_same_as_the_potential(name: str, repeat: tuple[int, int, int]) -> None:
    atoms = SYSTEMS[name]()
    atoms = atoms if name == "molecule" else atoms.repeat(repeat)
    potential, unit = random_potential(), 2.5
    model = LammpsModel(potential)
    expected, listed = potential.evaluate(atoms), listed_of(atoms, model)
    n = len(atoms)
    assert name != "triclinic" or n > kernels.BLOCK
    forces, energies, virials = listed.zeros()
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


@pytest.mark.skipif(bool(getattr(numba.config, "DISABLE_JIT", 0)), reason="C calls compiled code")
def test_entry_for_c_is_the_same() -> None:
    """C passes addresses: of the record that describes the model, and of the arrays of LAMMPS."""
    atoms, unit = SYSTEMS["triclinic"]().repeat((4, 3, 3)), 2.5
    model = LammpsModel(random_potential())
    listed = listed_of(atoms, model)
    expected, found, counts = listed.zeros(), listed.zeros(), np.zeros(3, np.int64)
    assert model.add_forces(listed.atoms, unit, *expected) == -1
    described, known, energy = model.for_plugin().described, listed.atoms, np.ones(1)
    sizes = len(known.element) - 1, len(known.types), len(known.counts), len(known.centers)
    arrays = known.types, known.positions, known.centers, known.counts, known.lists
    pointers = [ctypeslib.as_ctypes(each.reshape(-1)) for each in (*arrays, energy, *found, counts)]
    call = _jit.callback(kernels.entry, kernels.SIGNATURE).ctypes
    element = ctypeslib.as_ctypes(known.element)
    assert call(described, element, *sizes, *pointers[:5], unit, 1, 1, *pointers[5:]) == kernels.DONE
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(energy[0] - 1, expected[1].sum(), rtol=1e-12)
    assert counts.tolist() == model.counts.tolist()


def test_mixed_precision() -> None:
    """The potential's precision is respected; neighbours have another order, so that roundings differ."""
    atoms, results = SYSTEMS["triclinic"](), []
    for precision in ("double", "mixed"):
        potential = random_potential()
        potential.model = potential.model.in_precision(precision)
        model = LammpsModel(potential)
        listed = listed_of(atoms, model)
        forces, energies, virials = listed.zeros()
        assert model.add_forces(listed.atoms, 1.0, forces, energies, virials) == -1
        results.append(energies[: len(atoms)])
        np.testing.assert_allclose(results[-1], potential.evaluate(atoms).energies, rtol=1e-4)
    assert 1e-10 < abs(results[1] - results[0]).max() < 1e-4


def test_what_is_not_finite() -> None:
    atoms = SYSTEMS["triclinic"]()
    potential = random_potential()
    model = LammpsModel(potential)
    listed = listed_of(atoms, model)
    listed.atoms.positions[3, 1] = np.nan
    assert model.add_forces(listed.atoms, 1.0, *listed.zeros()) == 3
    listed = listed_of(atoms, model)
    potential.model.networks.offset[2] = np.nan
    wrong = model.add_forces(listed.atoms, 1.0, *listed.zeros())
    assert atoms.symbols[wrong] == ELEMENTS[2]


def test_only_potentials() -> None:
    with pytest.raises(InputError, match=r"LAMMPS runs one potential, found <Committee of 2"):
        LammpsModel(Committee([random_potential(1), random_potential(2)]))
    with pytest.raises(InputError, match=r"expected elements of the potential \(H O S\), found Cu, Xx"):
        LammpsModel(random_potential()).element_of_type(["Xx", "H", "Cu"])
