"""Suggested functions and networks."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk, molecule

from fastsf import ACSF
from fastsf.datasets.labelled import LabelledSet
from fastsf.errors import InputError
from fastsf.structure import Structure
from fastsf.symmetry import recipes
from fastsf.training.config.suggest import suggest


def labelled(*structures) -> LabelledSet:
    m = len(structures)
    checked = [Structure.from_atoms(each) for each in structures]
    forces = [np.zeros((len(each), 3)) for each in checked]
    return LabelledSet(checked, np.zeros(m), forces, np.full((m, 6), np.nan), [""] * m, np.ones(m), [""] * m)


def descriptor(data: LabelledSet) -> ACSF:
    recipe = dict(suggest(data).recipe)
    return ACSF(recipes.make(recipe.pop("name"), data.elements, **recipe), elements=data.elements)


def test_cutoff_has_forty_five_neighbours_whatever_the_density():
    for symbol in ("Si", "Cu", "Al", "Pb"):
        atoms = bulk(symbol, cubic=True) * (2, 2, 2)
        recipe = suggest(labelled(atoms)).recipe
        radius = (45 / (4 / 3 * np.pi * len(atoms) / atoms.get_volume())) ** (1 / 3)
        assert recipe["cutoff"] == pytest.approx(max(5.5, radius), abs=0.6)


def test_grid_begins_below_the_shortest_distance():
    assert suggest(labelled(molecule("H2O"))).recipe["r_min"] < molecule("H2O").get_distance(0, 1)


@pytest.mark.parametrize("name", ["H2O", "CH3CH2OH", "CH3CONH2", "CH3SiH3", "SiH4"])
def test_functions_can_be_made_and_are_not_too_many(name):
    data = labelled(molecule(name))
    acsf = descriptor(data)
    assert acsf.n_features <= 220 and np.isfinite(acsf.create(molecule(name))).all()


def test_five_elements_share_their_angles():
    atoms = molecule("CH3CONH2")
    atoms.symbols[0] = "S"
    atoms.symbols[3] = "F"
    assert len(set(atoms.symbols)) >= 5
    assert suggest(labelled(atoms)).recipe["weighted_angles"]
    assert descriptor(labelled(atoms)).n_features < 150


def test_more_labels_larger_networks():
    small, large = labelled(molecule("H2O")), labelled(*[bulk("Si", cubic=True) * (5, 5, 5)] * 120)
    assert suggest(small).hidden < suggest(large).hidden


def test_nothing_to_choose_from():
    with pytest.raises(InputError, match="no two atoms"):
        suggest(labelled(molecule("H")))
    with pytest.raises(InputError, match="expected at least one structure to choose functions for, found none"):
        suggest(labelled())
