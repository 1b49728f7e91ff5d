"""Masses and fixed atoms of a start in the files of a run, and constraints that a run cannot keep."""

from dataclasses import replace

import ase.io
import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms, FixBondLength, FixCartesian, FixScaled
from support.harmonic import Harmonic, simulate

from fastsf.analysis.source import read_frames
from fastsf.errors import InputError
from fastsf.simulation.fixed import apply_constraints, fixed_atoms, unusual_masses

MASSES = np.array([2.014, 4.0026, 6.015, 9.0122, 10.811, 13.003])
FIXED = np.array([True, False, False, True, False, False])


class Isotopes(Harmonic):
    """Atoms with masses of isotopes, of which two are fixed."""

    def frame(self):
        return replace(super().frame(), masses=MASSES, fixed=FIXED)


def frames_of(folder):
    """Return all frames of the trajectories, and the last atoms, as readers see them."""
    found = {name: ase.io.read(folder / name, ":") for name in ("trajectory.extxyz", "trajectory.traj", "final.extxyz")}
    found["trajectory.h5"] = [each.atoms for each in read_frames(folder / "trajectory.h5")]
    return found


def test_every_file_of_a_run_has_them(tmp_path):
    simulate(tmp_path / "run", 20, engine=Isotopes())
    velocities = Isotopes()
    velocities.advance(20, 20)
    for name, frames in frames_of(tmp_path / "run").items():
        for atoms in frames:
            np.testing.assert_array_equal(atoms.get_masses(), MASSES, name)
            np.testing.assert_array_equal(fixed_atoms(atoms), FIXED, name)
        expected = np.where(FIXED[:, None], frames[-1].get_velocities(), velocities.frame().velocities / ase.units.fs)
        np.testing.assert_allclose(frames[-1].get_velocities(), expected, rtol=1e-6)


def test_standard_masses_and_free_atoms_add_nothing(tmp_path):
    simulate(tmp_path / "run", 20)
    assert "masses" not in (tmp_path / "run/final.extxyz").read_text()
    assert "move_mask" not in (tmp_path / "run/final.extxyz").read_text()
    with h5py.File(tmp_path / "run/trajectory.h5") as file:
        assert not {"mass", "move_mask"} & set(file["particles/atoms"])


def test_runs_of_older_files_continue(tmp_path):
    simulate(tmp_path / "run", 20)
    simulate(tmp_path / "run", 40, engine=Isotopes())
    for name, frames in frames_of(tmp_path / "run").items():
        np.testing.assert_array_equal(frames[-1].get_masses(), MASSES, name)
        np.testing.assert_array_equal(fixed_atoms(frames[-1]), FIXED, name)


def test_unusual_masses():
    water = Atoms("OH2")
    assert unusual_masses(water) is None
    water.set_masses(water.get_masses())
    assert unusual_masses(water) is None
    water.set_masses([15.999, 2.014, 2.014])
    np.testing.assert_array_equal(unusual_masses(water), [15.999, 2.014, 2.014])


@pytest.mark.parametrize("kind", [FixCartesian, FixScaled])
def test_atoms_that_other_constraints_fix_completely(kind):
    atoms = Atoms("OH2", positions=np.eye(3), cell=[5, 5, 5])
    atoms.set_constraint([kind([1], (True, True, True)), FixAtoms([2])])
    assert fixed_atoms(atoms).tolist() == [False, True, True]


def test_partial_constraints_are_named_with_the_way_on():
    atoms = Atoms("OH2", positions=np.eye(3), cell=[5, 5, 5])
    atoms.set_constraint([FixCartesian([1], (True, False, False)), FixBondLength(0, 1), FixAtoms([2])])
    with pytest.raises(InputError, match=r"FixCartesian of the atom 1, FixBondLength.*--constraints ignore"):
        fixed_atoms(atoms)
    assert apply_constraints(atoms.copy(), "refuse") is None
    fewer = atoms.copy()
    assert "FixCartesian of the atom 1" in apply_constraints(fewer, "ignore")
    assert fixed_atoms(fewer).tolist() == [False, False, True]
    assert "FixAtoms of the atom 2" in apply_constraints(atoms, "none")
    assert not atoms.constraints
    assert apply_constraints(atoms, "none") is None
