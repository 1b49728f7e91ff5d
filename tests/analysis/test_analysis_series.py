"""Quantities of frames against ASE, and the energy whose drift is computed."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms

from fastsf.analysis.series import FrameSeries, Series, frame_values
from fastsf.errors import InputError


def frame(energy: float = -3.0, seed: int = 0) -> Atoms:
    rng = np.random.default_rng(seed)
    atoms = Atoms("H2O" * 4, positions=rng.random((12, 3)) * 5, cell=[5, 5, 6], pbc=True)
    atoms.set_momenta(rng.normal(size=(12, 3)))
    atoms.calc = SinglePointCalculator(atoms, energy=energy, stress=rng.normal(size=6) * 0.01)
    return atoms


def test_values_of_a_frame_are_those_of_ase() -> None:
    atoms = frame()
    found = frame_values(atoms)
    pressure = -atoms.get_stress(include_ideal_gas=True)[:3].mean() / units.bar
    assert found["pressure"] == pytest.approx(pressure)
    assert found["temperature"] == pytest.approx(atoms.get_temperature())
    assert found["total energy"] == pytest.approx(atoms.get_total_energy())
    assert found["density"] == pytest.approx(4 * 18.015 / 6.02214e23 / 150e-24, rel=1e-5)
    assert found["volume"] == pytest.approx(150.0)


def test_fixed_atoms_are_no_degrees_of_freedom() -> None:
    atoms = frame()
    atoms.set_constraint(FixAtoms([0, 1, 2]))
    assert frame_values(atoms)["temperature"] == pytest.approx(atoms.get_temperature())


def test_what_frames_lack_is_left_out() -> None:
    series = FrameSeries()
    bare = Atoms("Ar", cell=[4, 4, 4], pbc=True)
    for atoms in (frame(), bare):
        series.add(atoms, None)
    found = series.result()
    assert list(found.columns) == ["volume", "density"] and found.time is None
    nothing = FrameSeries()
    nothing.add(Atoms("Ar"), 0.0)
    with pytest.raises(InputError, match="means: expected frames with energies, velocities or a cell"):
        nothing.result()
    with pytest.raises(InputError, match="means: expected frames with energies, velocities or a cell"):
        FrameSeries().result()


def test_drift_of_the_conserved_energy_comes_first() -> None:
    time = np.arange(400) * 2.0
    columns = {"total energy": np.zeros(400), "conserved energy": 64 * 1e-5 * time / 1000}
    name, slope, error = Series(time, columns, {}).drift(64)
    assert name == "conserved energy" and slope == pytest.approx(1e-5) and error < 1e-12
    assert Series(time, {"temperature": time}, {}).drift(64) is None
    assert Series(None, columns, {}).drift(64) is None


def test_a_centre_of_mass_at_rest_is_no_degree_of_freedom() -> None:
    atoms = frame()
    momenta = atoms.get_momenta()
    atoms.set_momenta(momenta - momenta.mean(axis=0))
    found = frame_values(atoms)
    assert found["temperature"] == pytest.approx(atoms.get_temperature() * 36 / 33)
    atoms.set_constraint(FixAtoms([0]))
    momenta[0] = 0.0
    atoms.set_momenta(momenta)
    assert frame_values(atoms)["temperature"] == pytest.approx(atoms.get_temperature())
    still = Atoms("Ar", momenta=[[0.0, 0.0, 0.0]])
    still.set_constraint(FixAtoms([0]))
    assert "temperature" not in frame_values(still)
