"""What every descriptor of atomic surroundings must fulfil, for all named systems and sets of functions."""

import numba
import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from support.battery import (
    ELEMENTS,
    SETS,
    assert_derivatives,
    assert_values,
    by_center,
    expected,
    features,
    functions_of,
)
from support.descriptors import descriptor
from support.systems import SAME, SYSTEMS, on_grid, scattered

from fastsf import ACSF
from fastsf.errors import InputError, StructureError

WITH_EDGE = {"two_atoms_at_the_cutoff"}
"""Here the hard cutoff jumps when a distance changes by a rounding error."""


def continuous(system: str, name: str, symbols: list[str]) -> np.ndarray:
    """Return the mask (n, s) of the functions that do not jump under rounding errors of the positions."""
    mask = np.ones((len(symbols), descriptor(name).n_features), dtype=bool)
    if system in WITH_EDGE:
        for a, symbol in enumerate(symbols):
            columns = descriptor(name).columns[symbol]
            mask[a, : len(columns)] = [function.envelope.kind != "hard" for function in columns]
    return mask


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_translation(system, name):
    atoms = SYSTEMS[system]()
    before = descriptor(name).create(atoms)
    atoms.positions += on_grid([0.1, -3.7, 12.3])
    assert_values(descriptor(name).create(atoms), before, expected(system, name).scale)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", [system for system in SYSTEMS if "million" not in system])
def test_rotation(system, name):
    atoms = SYSTEMS[system]()
    mask = continuous(system, name, atoms.get_chemical_symbols())
    dense, values = descriptor(name).derivatives(atoms)
    matrix = Rotation.from_quat(np.random.default_rng(31).normal(size=4)).as_matrix()
    atoms.set_cell(atoms.cell.array @ matrix.T)
    atoms.positions = atoms.positions @ matrix.T
    dense_after, after = descriptor(name).derivatives(atoms)
    scale = np.maximum(expected(system, name).scale, 1e-3)  # some distances end within an ulp of an edge
    assert_values(after * mask, values * mask, 10 * scale)
    rotated = np.einsum("xy,iays->iaxs", matrix, dense)
    mask = mask[:, None, None, :]
    assert_derivatives(dense_after * mask, rotated * mask, scale, 1e-10, 2e-11)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_permutation(system, name):
    atoms = SYSTEMS[system]()
    order = np.random.default_rng(32).permutation(len(atoms))
    dense, values = descriptor(name).derivatives(atoms)
    dense_after, after = descriptor(name).derivatives(atoms[order])
    scale = expected(system, name).scale[order]
    assert_values(after, values[order], scale)
    assert_derivatives(dense_after, dense[order][:, order], scale, 1e-11)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", [system for system, factory in SYSTEMS.items() if factory().pbc.any()])
def test_supercell_equals_cell(system, name):
    atoms = SYSTEMS[system]()
    copies = np.where(atoms.pbc, (2, 1, 3), 1)
    values = descriptor(name).create(atoms.repeat(tuple(copies)))
    scale = np.tile(expected(system, name).scale, (copies.prod(), 1))
    assert_values(values, np.tile(descriptor(name).create(atoms), (copies.prod(), 1)), scale)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("system", "original"), SAME.items())
def test_same_structure_written_differently(system, original, name):
    dense, values = descriptor(name).derivatives(SYSTEMS[system]())
    dense_plain, plain = descriptor(name).derivatives(SYSTEMS[original]())
    scale = expected(original, name).scale
    assert_values(values, plain, scale)
    assert_derivatives(dense, dense_plain, scale, 1e-11)


@pytest.mark.parametrize("name", SETS)
def test_far_parts_add(name):
    names = ("molecule", "collinear", "single_atom", "element_absent")
    parts = [SYSTEMS[system]() for system in names]
    whole = Atoms()
    for n, part in enumerate(parts):
        moved = part.copy()
        moved.positions += [64.0 * n, -32.0 * n, 16.0 * n]
        whole += moved
    separate = np.vstack(descriptor(name).create(parts))
    scale = np.vstack([expected(s, name).scale for s in ("molecule", "collinear", "single_atom", "element_absent")])
    assert_values(descriptor(name).create(whole), separate, scale)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", [system for system in SYSTEMS if system != "single_atom"])
def test_moving_an_atom_out_of_reach_removes_it(system, name):
    """Descriptors of the rest are those without the atom."""
    atoms = SYSTEMS[system]()
    if atoms.pbc.any():
        atoms = Atoms(atoms.get_chemical_symbols(), positions=atoms.positions)
    far = atoms.copy()
    far.positions[-1] += [0, 0, 2.0**22]
    values = descriptor(name).create(far)
    assert not values[-1].any()
    assert_values(values[:-1], descriptor(name).create(atoms[:-1]), expected(system, name).scale[:-1])


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="only one thread to be had")
@pytest.mark.parametrize("name", SETS)
def test_threads_do_not_matter(name):
    """Bitwise, on enough atoms for every thread to have some."""
    atoms = SYSTEMS["triclinic"]().repeat((3, 2, 4))
    atoms.positions += np.random.default_rng(33).normal(scale=0.02, size=(len(atoms), 3))
    weights = np.random.default_rng(34).normal(size=(len(atoms), descriptor(name).n_features))
    displacements = np.random.default_rng(35).normal(size=(len(atoms), 3))
    results = []
    for threads in (1, 2):
        acsf = ACSF(functions_of(name), elements=ELEMENTS, threads=threads)
        jacobian, values = acsf.derivatives(atoms, sparse=True)
        gradient, virial = acsf.vjp(atoms, weights)
        results.append(
            [
                *(acsf.create(atoms), values, gradient, virial, acsf.jvp(atoms, displacements)),
                *(jacobian.start, jacobian.column, jacobian.atom, jacobian.data),
            ]
        )
    for one, many in zip(*results, strict=True):
        np.testing.assert_array_equal(one, many)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    shear=st.tuples(*[st.floats(-3, 3)] * 3),
    shifts=st.integers(0, 3),
)
def test_random_structures_equal_reference(seed, pbc, shear, shifts):
    cell = np.diag([3.0, 3.5, 4.0])
    cell[1, 0], cell[2, 0], cell[2, 1] = shear
    atoms = scattered("H2OS", cell, pbc, 0.75, seed)
    lattice = np.random.default_rng(seed).integers(-shifts, shifts + 1, size=(len(atoms), 3)) * pbc
    atoms.positions += lattice @ atoms.cell.array
    reference = features(by_center(functions_of("mixtures")), atoms)
    dense, values = descriptor("mixtures").derivatives(atoms)
    assert_values(values, reference.values, reference.scale)
    assert_derivatives(dense, reference.derivatives, reference.scale)


def every_entry(acsf: ACSF, atoms: Atoms) -> list:
    """Yield calls of every method that takes a structure."""
    return [
        lambda: acsf.create(atoms),
        lambda: acsf.create([SYSTEMS["molecule"](), atoms]),
        lambda: acsf.derivatives(atoms),
        lambda: acsf.vjp(atoms, np.zeros((len(atoms), acsf.n_features))),
        lambda: acsf.jvp(atoms, np.zeros((len(atoms), 3))),
    ]


def test_unknown_element_is_named_with_the_known_ones():
    for call in every_entry(descriptor("elements"), Atoms("OC", positions=[[0, 0, 0], [1, 0, 0]])):
        with pytest.raises(StructureError, match=r"C\b.*H.*O.*S"):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_positions_must_be_numbers(bad):
    for call in every_entry(descriptor("elements"), Atoms("OH", positions=[[0, 0, 0], [1, bad, 0]])):
        with pytest.raises(StructureError, match="atom 1"):
            call()


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([[3, 0, 0], [0, 3, 0], [3, 3, 0]], "no volume"),
        ([[3, 0, 0], [0, 0, 0], [0, 0, 3]], "along b"),
        ([[3, 0, 0], [0, np.nan, 0], [0, 0, 3]], "cell: expected finite numbers, found NaN"),
    ],
)
def test_cell_must_have_a_volume(cell, message):
    for call in every_entry(descriptor("elements"), Atoms("OH", [[0, 0, 0], [1, 0, 0]], cell=cell, pbc=True)):
        with pytest.raises(StructureError, match=message):
            call()


@pytest.mark.parametrize("wrong", [None, 3.0, "H2O", np.zeros((2, 3))])
def test_structures_must_be_atoms(wrong):
    with pytest.raises(InputError, match="expected"):
        descriptor("elements").create(wrong)


def test_weights_and_displacements_need_the_right_shape():
    atoms, acsf = SYSTEMS["molecule"](), descriptor("elements")
    with pytest.raises(InputError, match="weights"):
        acsf.vjp(atoms, np.zeros((len(atoms), acsf.n_features - 1)))
    with pytest.raises(InputError, match="displacements"):
        acsf.jvp(atoms, np.zeros((len(atoms) + 1, 3)))
