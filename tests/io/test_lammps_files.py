"""Dumps and data files of LAMMPS: values, units, elements of types, errors with file and line."""

from __future__ import annotations

import numpy as np
import pytest
from ase import units
from ase.build import bulk
from ase.io.lammpsdata import write_lammps_data
from hypothesis import given
from support.strategies import REPEATABLE, mutations

from fastsf.errors import FormatError, InputError
from fastsf.io.labels import labels_of
from fastsf.io.structures import iread_structures

DUMP = """\
ITEM: TIMESTEP
100
ITEM: NUMBER OF ATOMS
3
ITEM: BOX BOUNDS pp pp ff
1.0 11.0
0.0 12.0
0.0 13.0
ITEM: ATOMS id type element x y z vx vy vz fx fy fz q
2 2 H 5.0 6.0 7.0 1.0 0.0 0.0 0.5 0.0 0.0 0.25
1 1 O 4.0 6.0 7.0 0.0 2.0 0.0 -1.0 0.0 0.125 -0.5
3 2 H 3.0 6.0 7.0 0.0 0.0 4.0 0.5 0.0 -0.125 0.25
"""
DATA = """\
# made by hand

3 atoms
2 atom types
0.0 10.0 xlo xhi
0.0 11.0 ylo yhi
0.0 12.0 zlo zhi

Masses

1 15.9994  # oxygen
2 1.00794

Atoms # charge

2 2 0.25 5.0 6.0 7.0
1 1 -0.5 4.0 6.0 7.0
3 2 0.25 3.0 6.0 7.0

Velocities

1 0 2.0 0
2 1.0 0 0
3 0 0 4.0
"""


def read(folder, text, name="a.txt", **options):
    """Return the structures of a file without errors."""
    path = folder / name
    path.write_text(text)
    found = [item for _, _, item in iread_structures(path, **options)]
    for item in found:
        if isinstance(item, FormatError):
            raise item
    return found


def without_elements(text):
    return text.replace("type element", "type").replace("2 H", "2").replace("1 O", "1")


def test_dumps(tmp_path):
    first, second = read(tmp_path, DUMP + DUMP.replace("100", "200"), "run.lammpstrj")
    for atoms in (first, second):
        assert atoms.get_chemical_symbols() == ["O", "H", "H"]
        np.testing.assert_array_equal(atoms.positions, [[4, 6, 7], [5, 6, 7], [3, 6, 7]])
        np.testing.assert_array_equal(atoms.cell, np.diag([10.0, 12.0, 13.0]))
        assert atoms.pbc.tolist() == [True, True, False]
        assert labels_of(atoms).keys() == {"forces"}, "dumps hold no energies"
        np.testing.assert_array_equal(labels_of(atoms)["forces"][0], [-1.0, 0.0, 0.125])
        np.testing.assert_allclose(atoms.get_velocities()[0] * 1000 * units.fs, [0.0, 2.0, 0.0], rtol=1e-14)
        np.testing.assert_array_equal(atoms.get_initial_charges(), [-0.5, 0.25, 0.25])
    assert (first.info["step"], second.info["step"]) == (100, 200)


def test_units_of_dumps(tmp_path):
    force = -units.kcal / units.mol
    (given,) = read(tmp_path, DUMP, energy_unit="kcal/mol")
    named = read(tmp_path, "ITEM: UNITS\nreal\nITEM: TIME\n50.0\n" + DUMP + DUMP)
    for atoms in (given, *named):
        assert labels_of(atoms)["forces"][0, 0] == pytest.approx(force, rel=1e-15)
        assert atoms.get_velocities()[0, 1] * units.fs == pytest.approx(2.0, rel=1e-14)
    assert named[0].info["time"] == 50.0
    (electron,) = read(tmp_path, DUMP, length_unit="Bohr", energy_unit="Hartree")
    assert electron.positions[0, 0] == 4.0 * units.Bohr
    assert labels_of(electron)["forces"][0, 0] == pytest.approx(-units.Hartree / units.Bohr)
    with pytest.raises(FormatError, match=r"expected metal or real or electron, found 'lj'"):
        read(tmp_path, "ITEM: UNITS\nlj\n" + DUMP)
    with pytest.raises(FormatError, match="--length-unit and --energy-unit"):
        read(tmp_path, DUMP, energy_unit="Hartree")


def test_scaled_positions_and_tilted_boxes(tmp_path):
    tilted = """\
ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
1
ITEM: BOX BOUNDS xy xz yz pp pp pp
0.0 13.0 1.0
0.0 12.5 2.0
1.0 13.0 0.5
ITEM: ATOMS id element xs ys zs
1 Cu 0.5 0.25 0.5
"""
    (atoms,) = read(tmp_path, tilted)
    cell = np.array([[10.0, 0, 0], [1.0, 12.0, 0], [2.0, 0.5, 12.0]])
    np.testing.assert_allclose(atoms.cell, cell, rtol=1e-15)
    np.testing.assert_allclose(atoms.positions[0], [0, 0, 1] + np.array([0.5, 0.25, 0.5]) @ cell, rtol=1e-15)


def test_types_without_elements_need_names(tmp_path):
    text = without_elements(DUMP)
    with pytest.raises(FormatError, match=r"a\.txt:9, frame 0: type 1 .* does not name .* --types O,H"):
        read(tmp_path, text)
    (atoms,) = read(tmp_path, text, types=("O", "H"))
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    with pytest.raises(FormatError, match="--types: expected an element for type 2, found 1: O"):
        read(tmp_path, text, types=("O",))
    with pytest.raises(InputError, match="'Q'"):
        read(tmp_path, text, types=("Q", "H"))
    masses = text.replace("id type", "id type mass")
    for each, mass in ((1, 15.999), (2, 2.014)):
        masses = "\n".join(
            f"{line[:3]} {mass} {line[4:]}" if line[1:4] == f" {each} " else line for line in masses.splitlines()
        )
    (heavy,) = read(tmp_path, masses)
    assert heavy.get_chemical_symbols() == ["O", "H", "H"]
    np.testing.assert_allclose(heavy.get_masses(), [15.999, 2.014, 2.014])


def test_elements_that_lammps_invents_are_refused(tmp_path):
    text = DUMP.replace("1 O", "1 C").replace("2 H", "2 C")
    with pytest.raises(FormatError, match="dump_modify element"):
        read(tmp_path, text)
    assert read(tmp_path, text, types=("O", "H"))[0].get_chemical_symbols() == ["O", "H", "H"]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("pp pp ff", "", 5, "expected the periodicity of the box, as pp pp ff"),
        ("5.0 6.0 7.0 1.0", "5.0 6.0 7.0", 10, "expected 13 values"),
        ("5.0 6.0", "5.0 six", 10, "a number for y, found 'six'"),
        ("2 2 H", "2 2 Q", 10, "expected an element, found 'Q'"),
        ("3 2 H 3.0 6.0 7.0 0.0 0.0 4.0 0.5 0.0 -0.125 0.25\n", "", 9, "expected 3 atoms, found 2"),
        ("x y z", "a b c", 9, "expected columns x y z"),
    ],
)
def test_errors_of_dumps(tmp_path, old, new, line, said):
    with pytest.raises(FormatError) as caught:
        read(tmp_path, DUMP.replace(old, new))
    assert f"a.txt:{line}" in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize("name", ["start.data", "x.lmp", "data.water", "water"])
def test_data_files(tmp_path, name):
    (atoms,) = read(tmp_path, DATA, name)
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    np.testing.assert_array_equal(atoms.positions, [[4, 6, 7], [5, 6, 7], [3, 6, 7]])
    np.testing.assert_array_equal(atoms.cell, np.diag([10.0, 11.0, 12.0]))
    np.testing.assert_array_equal(atoms.get_initial_charges(), [-0.5, 0.25, 0.25])
    np.testing.assert_allclose(atoms.get_velocities()[2] * 1000 * units.fs, [0.0, 0.0, 4.0], rtol=1e-14)
    assert atoms.pbc.all() and labels_of(atoms) == {}


def test_periodicity_of_data_files(tmp_path, caplog):
    assert read(tmp_path, DATA)[0].pbc.all()
    assert "periodic in all directions" in caplog.text
    caplog.clear()
    named = DATA.replace("made by hand", "units metal; boundary p s p")
    assert read(tmp_path, named)[0].pbc.tolist() == [True, False, True]
    assert not caplog.records


def test_atom_styles_of_data_files(tmp_path):
    atomic = DATA.replace("# charge", "").replace("2 0.25 5.0", "2 5.0").replace("1 -0.5 4", "1 4")
    atomic = atomic.replace("2 0.25 3", "2 3")
    charge = DATA.replace("# charge", "")
    full = charge.replace("2 2 0.25", "2 1 2 0.25").replace("1 1 -0.5", "1 1 1 -0.5").replace("3 2 0.25", "3 1 2 0.25")
    for text in (atomic, charge, full, full.replace("7.0\n", "7.0 0 0 1\n")):
        (atoms,) = read(tmp_path, text)
        assert atoms.get_chemical_symbols() == ["O", "H", "H"]
        np.testing.assert_array_equal(atoms.positions, [[4, 6, 7], [5, 6, 7], [3, 6, 7]])
    molecular = charge.replace("2 0.25", "1 2").replace("1 -0.5", "1 1")
    assert read(tmp_path, molecular.replace("Atoms ", "Atoms # bond"))[0].get_chemical_symbols() == ["O", "H", "H"]
    with pytest.raises(FormatError, match=r"the atom style is not clear; name it .* 'Atoms # full'"):
        read(tmp_path, molecular)
    with pytest.raises(FormatError, match=r"atom style: expected .*, found 'dipole'"):
        read(tmp_path, DATA.replace("# charge", "# dipole"))


def test_masses_name_elements(tmp_path):
    with pytest.raises(FormatError, match=r"type 2 .* found 5.*--types O,H"):
        read(tmp_path, DATA.replace("2 1.00794", "2 5.0"))
    with pytest.raises(FormatError, match=r"found 40, which Ar and Ca have nearly; .*--types O,H"):
        read(tmp_path, DATA.replace("2 1.00794", "2 40.0"))
    (heavy,) = read(tmp_path, DATA.replace("2 1.00794", "2 3.0"), types=("O", "H"))
    np.testing.assert_allclose(heavy.get_masses(), [15.999, 3.0, 3.0])
    with pytest.raises(FormatError, match="does not name"):
        read(tmp_path, DATA.replace("Masses\n\n1 15.9994  # oxygen\n2 1.00794\n", ""))
    labels = DATA.replace("Masses\n", "Atom Type Labels\n\n1 OW\n2 HW\n\nMasses\n").replace("2 1.00794", "HW 5.0")
    assert read(tmp_path, labels.replace("2 2 0.25", "2 HW 0.25"))[0].get_chemical_symbols() == ["O", "H", "H"]


def test_data_files_of_ase(tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    write_lammps_data(tmp_path / "a.lmp", atoms, masses=True)
    ((_, _, found),) = iread_structures(tmp_path / "a.lmp")
    assert found.get_chemical_symbols() == ["Cu"] * 4
    np.testing.assert_allclose(found.positions, atoms.positions, atol=1e-6)
    np.testing.assert_allclose(found.cell, atoms.cell, atol=1e-6)


@REPEATABLE
@given(mutations(DUMP) | mutations(DATA))
def test_damaged_files_give_errors_or_structures(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("lammps") / "a.txt"
    path.write_text(text, encoding="utf-8", errors="replace")
    form = "lammps-data" if "made by hand" in text else "lammps-dump"
    try:
        for _, _, item in iread_structures(path, form=form):
            assert str(path) in str(item) if isinstance(item, FormatError) else np.isfinite(item.positions).all()
    except FormatError as error:
        assert str(path) in str(error)
