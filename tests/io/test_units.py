"""Units by ASE's names."""

import pytest
from ase import units

from fastsf.errors import InputError
from fastsf.units import ENERGY_UNITS, LENGTH_UNITS, energy_factor, length_factor


def test_factors_are_ases():
    assert length_factor("Bohr") == units.Bohr
    assert length_factor("angstrom") == 1.0
    assert length_factor("nm") == 10.0
    assert energy_factor("Hartree") == energy_factor("ha") == units.Hartree
    assert energy_factor("eV") == 1.0
    assert energy_factor("kcal/mol") == pytest.approx(0.0433641, rel=1e-6)
    assert energy_factor("Ry") == units.Hartree / 2


@pytest.mark.parametrize("unit", ["", "m", "Bohr ", 1.0, None])
def test_other_units_are_errors(unit):
    with pytest.raises(InputError, match="unknown length unit"):
        length_factor(unit)
    with pytest.raises(InputError, match="unknown energy unit"):
        energy_factor(unit)


def test_names_are_unique_without_case():
    for table in (LENGTH_UNITS, ENERGY_UNITS):
        assert len({name.casefold() for name in table}) == len(table)
