"""Values and gradients of pair-centred functions against the plain reference, and which pairs they are of."""

import numpy as np
import pytest
from support.battery import ELEMENTS, assert_values
from support.pcsf_battery import PCSF_SETS, in_order, kinds_in_order, named, pcsf_descriptor, pcsf_functions_of
from support.systems import SYSTEMS

from fastsf.symmetry.pcsf import kinds_of


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_equals_reference(system, name):
    values = pcsf_descriptor(name).create(SYSTEMS[system]())
    reference = in_order(system, name)
    if len(values):
        assert_values(values, reference.values, reference.scale)


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_vjp_equals_reference(system, name):
    atoms, pcsf = SYSTEMS[system](), pcsf_descriptor(name)
    reference = in_order(system, name)
    weights = np.random.default_rng(41).normal(size=(len(reference.values), pcsf.n_features))
    gradient, virial = pcsf.vjp(atoms, weights)
    if not len(weights):
        assert not gradient.any()
        assert not virial.any()
        return
    derivatives, strain = reference.derivatives, reference.strain
    rounding = 2e-12 * np.sum(np.abs(weights) * reference.scale)
    size = np.einsum("ms,maxs->ax", np.abs(weights), np.abs(derivatives)).max()
    expected = np.einsum("ms,maxs->ax", weights, derivatives)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-10 * size + rounding)
    size = np.einsum("ms,mxys->xy", np.abs(weights), np.abs(strain)).max()
    expected = np.einsum("ms,mxys->xy", weights, strain)
    np.testing.assert_allclose(virial, expected, rtol=0, atol=1e-10 * size + 4 * rounding)


@pytest.mark.parametrize("system", SYSTEMS)
def test_rows_say_which_pairs(system):
    atoms, pcsf = SYSTEMS[system](), pcsf_descriptor("all")
    rows = pcsf.rows(atoms)
    assert rows.first[-1] == len(rows) == len(rows.i) == len(rows.j)
    vectors = atoms.positions[rows.j] - atoms.positions[rows.i] + rows.shift @ atoms.cell.array
    np.testing.assert_allclose(rows.vector, vectors, atol=1e-9)
    np.testing.assert_allclose(rows.distance, np.linalg.norm(rows.vector, axis=1), rtol=1e-15)
    assert [kinds_of(ELEMENTS)[kind] for kind in rows.kind] == kinds_in_order(atoms, rows)
    assert (rows.i == np.repeat(np.arange(len(atoms)), np.diff(rows.first))).all()


@pytest.mark.parametrize("name", PCSF_SETS)
def test_columns_and_labels(name):
    pcsf, functions = pcsf_descriptor(name), pcsf_functions_of(name)
    assert pcsf.functions == tuple(functions)
    assert pcsf.kinds == kinds_of(ELEMENTS)
    for kind in pcsf.kinds:
        mine = tuple(function for function in functions if function.kind == kind)
        assert pcsf.columns[kind] == mine
        assert pcsf.labels[kind] == [function.label for function in mine]
        assert pcsf.cutoffs[kind] == max(function.radius for function in mine)
    assert pcsf.n_features == max(len(columns) for columns in pcsf.columns.values())


def test_several_structures():
    pcsf, structures = pcsf_descriptor("all"), [SYSTEMS[name]() for name in ("slab", "single_atom", "molecule")]
    together = pcsf.create(structures)
    for values, atoms in zip(together, structures, strict=True):
        np.testing.assert_array_equal(values, pcsf.create(atoms))
        assert len(values) == len(set(named(pcsf.rows(atoms))))
