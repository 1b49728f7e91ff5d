"""Derivatives of atom-centred symmetry functions: the plain reference, central differences, products."""

import numpy as np
import pytest
from ase import Atoms
from reference.acsf import evaluate
from reference.assemble import neighbours
from support.battery import SETS, assert_derivatives, by_center, expected, functions_of
from support.descriptors import descriptor
from support.differences import geometry, is_smooth, is_smooth_around, position_derivatives, strain_derivatives
from support.systems import RADIUS, SYSTEMS

from fastsf import ACSF

SOME = ("molecule", "slab", "cell_smaller_than_cutoff", "cell_much_smaller_than_cutoff", "strongly_skewed")


def random_weights(name: str, atoms: Atoms, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(atoms), descriptor(name).n_features))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_equals_reference(system, name):
    reference = expected(system, name)
    dense, values = descriptor(name).derivatives(SYSTEMS[system]())
    assert_derivatives(dense, reference.derivatives, reference.scale)
    np.testing.assert_allclose(values, descriptor(name).create(SYSTEMS[system]()), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_central_differences(system, name):
    """All functions but those that have a kink at one of the distances or angles of the structure."""
    atoms = SYSTEMS[system]()
    where = geometry(atoms, RADIUS + 0.01)
    acsf = descriptor(name)
    smooth = np.zeros((len(atoms), acsf.n_features), dtype=bool)
    for a, symbol in enumerate(atoms.get_chemical_symbols()):
        kept = [is_smooth_around(function, where) for function in acsf.columns[symbol]]
        assert sum(kept) >= len(kept) / 4
        smooth[a, : len(kept)] = kept
    dense, _ = acsf.derivatives(atoms)
    numerical = position_derivatives(acsf.create, atoms)
    mask = smooth[:, None, None, :]
    scale = np.maximum(expected(system, name).scale, 1e-2)  # a fifth derivative that jumps leaves 1e-13
    assert_derivatives(numerical * mask, dense * mask, scale, 1e-8, 1e-10)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_sparse_equals_dense(system, name):
    atoms = SYSTEMS[system]()
    dense, values = descriptor(name).derivatives(atoms)
    jacobian, again = descriptor(name).derivatives(atoms, sparse=True)
    np.testing.assert_array_equal(again, values)
    assert_derivatives(
        jacobian.dense(len(atoms), descriptor(name).n_features), dense, expected(system, name).scale, 1e-13
    )


@pytest.mark.parametrize("name", SETS)
def test_sparse_layout(name):
    atoms = SYSTEMS["triclinic"]()
    jacobian, _ = descriptor(name).derivatives(atoms, sparse=True)
    entries = len(jacobian.data)
    assert jacobian.start.dtype == np.int64
    assert (jacobian.column.dtype, jacobian.atom.dtype) == (np.int32, np.int32)
    assert jacobian.data.dtype == np.float64
    assert jacobian.start.shape == (len(atoms) + 1,)
    assert jacobian.column.shape == jacobian.atom.shape == (entries,)
    assert jacobian.data.shape == (entries, 3)
    assert jacobian.start[0] == 0
    assert jacobian.start[-1] == entries
    assert (np.diff(jacobian.start) >= 0).all()
    assert 0 <= jacobian.column.min() <= jacobian.column.max() < descriptor(name).n_features
    assert 0 <= jacobian.atom.min() <= jacobian.atom.max() < len(atoms)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SOME)
def test_centers_are_rows_of_the_full_result(system, name):
    atoms = SYSTEMS[system]()
    full, _ = descriptor(name).derivatives(atoms)
    for centers in ([1], [1, 0], []):
        dense, values = descriptor(name).derivatives(atoms, centers=centers)
        np.testing.assert_array_equal(dense, full[centers])
        assert values.shape == (len(centers), full.shape[3])


def test_no_atoms():
    acsf = descriptor("elements")
    dense, values = acsf.derivatives(Atoms())
    assert dense.shape == (0, 0, 3, acsf.n_features)
    assert values.shape == (0, acsf.n_features)


def test_derivatives_have_dscribes_shape():
    atoms = SYSTEMS["slab"]()
    dense, _ = descriptor("elements").derivatives(atoms, centers=[3, 1])
    assert dense.shape == (2, len(atoms), 3, descriptor("elements").n_features)
    assert dense.dtype == np.float64


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_rigid_translation_changes_nothing(system, name):
    dense, _ = descriptor(name).derivatives(SYSTEMS[system]())
    scale = expected(system, name).scale[:, None, :]
    largest = np.abs(dense).max(axis=(1, 2), initial=0.0)[:, None, :]
    assert (np.abs(dense.sum(axis=1)) <= 1e-12 * largest + 1e-12 * scale).all()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_vjp_is_the_product_with_weights(system, name):
    atoms = SYSTEMS[system]()
    weights = random_weights(name, atoms, seed=21)
    dense, _ = descriptor(name).derivatives(atoms)
    gradient, virial = descriptor(name).vjp(atoms, weights)
    assert (gradient.shape, virial.shape) == ((len(atoms), 3), (3, 3))
    size = np.einsum("is,iaxs->ax", np.abs(weights), np.abs(dense)).max(initial=0.0)
    allowed = 1e-12 * size + 2e-12 * np.sum(np.abs(weights) * expected(system, name).scale)
    np.testing.assert_allclose(gradient, np.einsum("is,iaxs->ax", weights, dense), rtol=0, atol=allowed)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_jvp_is_the_product_with_displacements(system, name):
    atoms = SYSTEMS[system]()
    displacements = np.random.default_rng(22).normal(size=(len(atoms), 3))
    dense, _ = descriptor(name).derivatives(atoms)
    change = descriptor(name).jvp(atoms, displacements)
    assert change.shape == (len(atoms), descriptor(name).n_features)
    size = np.einsum("iaxs,ax->is", np.abs(dense), np.abs(displacements))
    excess = np.abs(change - np.einsum("iaxs,ax->is", dense, displacements))
    assert (excess <= 1e-12 * size + 1e-11 * expected(system, name).scale).all()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_vjp_and_jvp_are_adjoint(system, name):
    atoms = SYSTEMS[system]()
    weights = random_weights(name, atoms, seed=23)
    displacements = np.random.default_rng(24).normal(size=(len(atoms), 3))
    gradient, _ = descriptor(name).vjp(atoms, weights)
    change = descriptor(name).jvp(atoms, displacements)
    size = np.sum(np.abs(gradient * displacements)) + np.sum(np.abs(weights * change))
    allowed = 1e-12 * size + 1e-11 * np.sum(np.abs(weights) * expected(system, name).scale)
    assert abs(np.sum(gradient * displacements) - np.sum(weights * change)) <= allowed


@pytest.mark.parametrize("system", SOME)
def test_virial_is_the_sum_over_pairs(system):
    atoms = SYSTEMS[system]()
    weights = random_weights("mixtures", atoms, seed=25)
    columns = by_center(functions_of("mixtures"))
    virial = np.zeros((3, 3))
    for a, (_, vectors, numbers) in enumerate(neighbours(atoms, RADIUS)):
        for function, weight in zip(columns[atoms[a].symbol], weights[a], strict=True):
            virial += weight * vectors.T @ evaluate(function, vectors, numbers).gradient
    np.testing.assert_allclose(
        descriptor("mixtures").vjp(atoms, weights)[1], virial, rtol=0, atol=1e-10 * np.abs(virial).max()
    )


@pytest.mark.parametrize("system", SOME)
@pytest.mark.parametrize("name", ["powers", "compact"])
def test_virial_is_the_strain_derivative(system, name):
    atoms = SYSTEMS[system]()
    functions = [function for function in functions_of(name) if is_smooth(function)]
    acsf = ACSF(functions)
    weights = np.random.default_rng(26).normal(size=(len(atoms), acsf.n_features))
    numerical = strain_derivatives(lambda strained: float(np.sum(weights * acsf.create(strained))), atoms)
    _, virial = acsf.vjp(atoms, weights)
    size = np.abs(virial).max()
    np.testing.assert_allclose(virial, virial.T, rtol=0, atol=1e-12 * size)
    np.testing.assert_allclose(numerical, virial, rtol=0, atol=1e-8 * size)
