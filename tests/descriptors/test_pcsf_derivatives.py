"""Derivatives of pair-centred functions: the plain reference, central differences, products."""

import numpy as np
import pytest
from ase import Atoms
from support.battery import ELEMENTS, UNDERFLOW
from support.differences import is_smooth, position_derivatives
from support.differences import strain_derivatives as strain_by_differences
from support.pcsf_battery import PCSF_SETS, assert_like, in_order, pcsf_descriptor, pcsf_functions_of
from support.systems import SYSTEMS

from fastsf import PCSF
from fastsf.structure import Structure


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_jacobian_equals_reference(system, name):
    atoms, pcsf, reference = SYSTEMS[system](), pcsf_descriptor(name), in_order(system, name)
    dense, values = pcsf.derivatives(atoms)
    assert dense.shape == (len(values), len(atoms), 3, pcsf.n_features)
    np.testing.assert_allclose(values, pcsf.create(atoms), rtol=1e-12, atol=1e-14)
    if len(values):
        assert_like(dense, reference.derivatives, reference.scale, 1e-9, 2e-12)


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_jvp_equals_reference(system, name):
    atoms, pcsf, reference = SYSTEMS[system](), pcsf_descriptor(name), in_order(system, name)
    displacements = np.random.default_rng(42).normal(size=(len(atoms), 3))
    change = pcsf.jvp(atoms, displacements)
    if not len(change):
        assert change.shape == (0, pcsf.n_features)
        return
    size = np.einsum("maxs,ax->ms", np.abs(reference.derivatives), np.abs(displacements))
    excess = np.abs(change - np.einsum("maxs,ax->ms", reference.derivatives, displacements))
    assert (excess <= 1e-10 * size + 1e-11 * reference.scale + UNDERFLOW).all()


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_strain_equals_reference(system, name):
    atoms, pcsf, reference = SYSTEMS[system](), pcsf_descriptor(name), in_order(system, name)
    strain = pcsf.strain_derivatives([Structure.from_atoms(atoms)])
    assert strain.shape == (len(reference.values), 6, pcsf.n_features)
    if len(strain):
        full = 0.5 * (reference.strain + reference.strain.swapaxes(1, 2))
        voigt = full[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        assert_like(strain, voigt, reference.scale, 1e-9, 4e-11)


def smooth(name: str) -> PCSF:
    """Return the functions of a set that have four continuous derivatives, except the distance itself."""
    functions = [f for f in pcsf_functions_of(name) if f.envelope is not None and is_smooth(f)]
    return PCSF(functions, elements=ELEMENTS)


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_vjp_is_the_derivative(system, name):
    """By central differences of a sum over all pairs, whose rows may be in another order when atoms have moved."""
    atoms, pcsf = SYSTEMS[system](), smooth(name)
    weights = np.random.default_rng(43).normal(size=(len(pcsf.kinds), pcsf.n_features))

    def scalar(moved: Atoms) -> float:
        values, _, rows = pcsf.evaluate_batch([Structure.from_atoms(moved)])
        return float(np.sum(weights[rows.kind] * np.sin(values)))

    values, _, rows = pcsf.evaluate_batch([Structure.from_atoms(atoms)])
    gradient, virial = pcsf.vjp(atoms, weights[rows.kind] * np.cos(values))
    numerical = position_derivatives(lambda many: [np.array([[scalar(one)]]) for one in many], atoms)[0, :, :, 0]
    size = np.abs(gradient).max(initial=0.01)
    np.testing.assert_allclose(numerical, gradient, rtol=0, atol=1e-8 * size)
    if "million" not in system:
        size = np.abs(virial).max(initial=0.01)
        np.testing.assert_allclose(strain_by_differences(scalar, atoms), virial, rtol=0, atol=1e-8 * size)


def test_no_atoms():
    pcsf = pcsf_descriptor("all")
    dense, values = pcsf.derivatives(Atoms())
    assert (dense.shape, values.shape) == ((0, 0, 3, pcsf.n_features), (0, pcsf.n_features))
    assert pcsf.jvp(Atoms(), np.zeros((0, 3))).shape == (0, pcsf.n_features)
    assert pcsf.strain_derivatives([]).shape == (0, 6, pcsf.n_features)


def test_sparse_layout():
    atoms, pcsf = SYSTEMS["triclinic"](), pcsf_descriptor("all")
    jacobian, values = pcsf.derivatives(atoms, sparse=True)
    np.testing.assert_array_equal(jacobian.centers, pcsf.rows(atoms).i)
    assert jacobian.start.shape == (len(values) + 1,)
    assert jacobian.start[-1] == len(jacobian.column) == len(jacobian.atom) == len(jacobian)
    assert (jacobian.column.dtype, jacobian.atom.dtype) == (np.int32, np.int32)
    assert (jacobian.column.min(), jacobian.column.max()) == (0, pcsf.n_features - 1)
    assert (jacobian.atom.min(), jacobian.atom.max()) == (0, len(atoms) - 1)


def test_batches_are_structures_behind_each_other():
    pcsf, structures = pcsf_descriptor("all"), [Structure.from_atoms(SYSTEMS[s]()) for s in ("slab", "molecule")]
    values, jacobian, rows = pcsf.evaluate_batch(structures, jacobian=True)
    first, one, _ = pcsf.evaluate_batch(structures[:1], jacobian=True)
    second, other, _ = pcsf.evaluate_batch(structures[1:], jacobian=True)
    np.testing.assert_array_equal(values, np.vstack([first, second]))
    np.testing.assert_array_equal(jacobian.atom, np.concatenate([one.atom, other.atom + len(structures[0])]))
    np.testing.assert_array_equal(jacobian.data, np.vstack([one.data, other.data]))
    np.testing.assert_array_equal(jacobian.centers, rows.i)
    assert rows.i.max() >= len(structures[0])
