"""Recognition of formats: by content whatever the name, by name, and by the user."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from fastsf.errors import InputError
from fastsf.io.formats.recognition import file_format, format_name
from fastsf.io.structures import iread_structures

BLOCK = """\
begin
lattice 12.0 0 0
lattice 0 12.0 0
lattice 0 0 12.0
atom 1.0 2.0 3.0 O 0 0 0.5 -0.25 0.125
atom 2.0 2.0 3.0 H 0 0 -0.5 0.25 -0.125
energy -9.5
charge 0
end
"""
DUMP = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\n"
DATA = "title\n\n2 atoms\n1 atom types\n0 9 xlo xhi\n"
XYZ = '1\nLattice="9 0 0 0 9 0 0 0 9" pbc="T T T"\nH 0 0 0\n'
IPI = "1\n# CELL(abcABC): 9 9 9 90 90 90 Step: 0 positions{angstrom} cell{angstrom}\nH 0 0 0\n"


@pytest.mark.parametrize(
    "name", ["input.data", "input.data.old", "train.txt", "set1.runner", "a.xyz", "train", "a.json"]
)
@pytest.mark.parametrize("before", ["", "# a remark\n\n", "! a remark\n"])
def test_blocks_of_runner_are_known_whatever_the_name(tmp_path, name, before):
    path = tmp_path / name
    path.write_text(before + BLOCK)
    ((_, _, atoms),) = iread_structures(path)
    assert file_format(path) == "input.data"
    np.testing.assert_array_equal(atoms.positions[0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(atoms.cell.lengths(), 12.0)
    assert atoms.calc.results["energy"] == -9.5
    np.testing.assert_array_equal(atoms.calc.results["forces"][0], [0.5, -0.25, 0.125])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BLOCK.replace("begin", "begin set=train"), "input.data"),
        (BLOCK.replace("begin", "BEGIN"), "input.data"),
        (DUMP, "lammps-dump"),
        (DATA, "lammps-data"),
        (DATA.replace("1 atom types", "12 bonds"), "lammps-data"),
        (XYZ, "extxyz"),
        (IPI, "ipi-xyz"),
    ],
)
def test_formats_are_known_by_content(tmp_path, text, expected):
    for name in ("structures", "start.data", "x.lmp", "data.water", "a.txt", "a.out"):
        (tmp_path / name).write_text(text)
        assert file_format(tmp_path / name) == expected
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        assert file_format(tmp_path / f"{name}.gz") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("xyz", "extxyz"),
        ("runner", "input.data"),
        ("OUTCAR", "vasp-out"),
        ("cif", "cif"),
        ("lammps-dump", "lammps-dump"),
    ],
)
def test_formats_by_the_user(tmp_path, given, expected):
    path = tmp_path / "a.txt"
    path.write_text(BLOCK)
    assert file_format(path, given) == expected
    with pytest.raises(InputError, match=r"expected input\.data, extxyz, .*, found 'runer'"):
        format_name("runer")
