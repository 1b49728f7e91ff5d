"""Symmetry functions, energies and forces against the numbers of n2p2 in tests/data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from fastsf import ACSF, Potential
from fastsf.potentials.scaling import Scaling
from fastsf.training.objective.initialization import initial_network

DATA = Path(__file__).resolve().parents[1] / "data"


def numbers(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / name).read_text()))


def test_values_and_derivatives() -> None:
    golden = numbers("n2p2_functions.json")
    atoms = Atoms(golden["symbols"], golden["positions"], cell=golden["cell"], pbc=True)
    acsf = ACSF.from_dict(golden["functions"])
    dense, values = acsf.derivatives(atoms)
    assert acsf.elements == ("H", "O", "S")
    for element in acsf.elements:
        own = np.flatnonzero(atoms.symbols == element)
        expected = np.array(golden["values"][element])
        assert expected.shape == (len(own), 14)
        np.testing.assert_allclose(values[own, :14], expected, rtol=1e-11)
        gradients = dense[own[0]].transpose(2, 0, 1)[:14:5]
        expected = np.array(golden["derivatives"][element])
        np.testing.assert_allclose(gradients, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("index", range(9))
def test_energies_and_forces(index: int) -> None:
    golden = numbers("n2p2_dimers.json")
    structure, network, scaling = golden["structures"][index], golden["network"], golden["scaling"]
    plain = initial_network(network["sizes"], network["activations"])
    arrays = {name: np.array(scaling.pop(name)) for name in ("minimum", "maximum", "mean", "sigma")}
    potential = Potential(
        ACSF.from_dict(golden["functions"]),
        {"Ne": plain.with_parameters(network["parameters"])},
        {"Ne": Scaling(**scaling, **arrays)},
    )
    result = potential.evaluate(Atoms(structure["symbols"], structure["positions"]))
    np.testing.assert_allclose(result.values, structure["values"], rtol=1e-11)
    assert result.energy == pytest.approx(structure["energy"], rel=1e-11, abs=1e-13)
    np.testing.assert_allclose(result.forces, structure["forces"], rtol=1e-10, atol=1e-13)
