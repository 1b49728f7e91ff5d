"""Derivatives of pair-centred functions: the plain reference, central differences, products."""

import numpy as np
import pytest
from ase import Atoms
from pair_battery import PAIR_SETS, assert_like, in_order, pair_descriptor
from systems import SYSTEMS


@pytest.mark.parametrize("name", PAIR_SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_jacobian_equals_reference(system, name):
    atoms, pcsf, reference = SYSTEMS[system](), pair_descriptor(name), in_order(system, name)
    dense, values = pcsf.derivatives(atoms)
    assert dense.shape == (len(values), len(atoms), 3, pcsf.n_features)
    np.testing.assert_allclose(values, pcsf.create(atoms), rtol=1e-12, atol=1e-14)
    if len(values):
        assert_like(dense, reference.derivatives, reference.scale, 1e-9, 2e-12)


def test_no_atoms():
    pcsf = pair_descriptor("all")
    dense, values = pcsf.derivatives(Atoms())
    assert (dense.shape, values.shape) == ((0, 0, 3, pcsf.n_features), (0, pcsf.n_features))
