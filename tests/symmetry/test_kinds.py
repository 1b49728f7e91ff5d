"""Tables of symmetry functions: every record is covered by the kernels, the plain reference and the batteries."""

from __future__ import annotations

import numpy as np
import pytest
from reference.acsf import core
from support.battery import SETS, functions_of
from support.pcsf_battery import pcsf_functions_of

from fastsf.io.n2p2.symfunction_lines import TYPES
from fastsf.kernels.acsf.cutoffs import Core
from fastsf.symmetry.definition import ATOM_CENTERED, FORMS, PAIR_CENTERED
from fastsf.symmetry.factors import BUMPS, CUTOFFS
from fastsf.symmetry.kinds import KINDS, kind_of


def test_kernels_know_every_cutoff():
    assert {name.upper() for name in CUTOFFS} == set(Core.__members__)
    assert len({core.number for core in CUTOFFS.values()}) == len(CUTOFFS)
    assert len({CUTOFFS[name].subtype for name in BUMPS}) == len(BUMPS)


@pytest.mark.parametrize("name", CUTOFFS)
def test_every_cutoff_has_a_reference(name):
    value, slope = core(name, np.linspace(0.0, 0.99, 5))
    assert value.shape == slope.shape == (5,)


def test_batteries_have_every_kind():
    drawn = [function for name in SETS for function in functions_of(name)] + pcsf_functions_of("all")
    assert {kind_of(function).name for function in drawn} == {kind.name for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_records_are_consistent(kind):
    assert kind.form in FORMS
    assert kind.name in {**ATOM_CENTERED.kinds, **PAIR_CENTERED.kinds}
    assert len(set(kind.keys)) == len(kind.keys)
    for line in kind.runner:
        assert TYPES[str(line.number)][1] == line


def test_numbers_of_lines_are_those_of_n2p2():
    assert list(TYPES) == ["2", "3", "9", "12", "13", "20", "21", "22", "23", "24", "25"]
