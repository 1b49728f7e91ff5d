"""Structures of input.data files: values, units, errors with file and line, round trips."""

from __future__ import annotations

import gzip
from itertools import islice

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import Bohr, Hartree
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import ELEMENTS, REPEATABLE, WORDS, mutations, number

from fastsf.errors import FormatError, InputError, StorageError
from fastsf.io.input_data import iread_input_data
from fastsf.io.input_data_writer import write_input_data

TWO = """\
begin set=test
comment   water,  one molecule
comment from nowhere
atom 0.0 0.1 0.2 O -0.8 0.0 0.5 0.25 -1.0
atom 1.0D0 0.0 0.0 H 0.4 0.0 -0.25 0.0 0.5
atom -1.0 -1.0 0.0 H 0.4 0.0 -0.25 -0.25 0.5 ignored
energy -76.5
charge 0.0
end

# a remark between the structures
  begin
lattice 4.0 0.0 0.0
lattice 1.0 5.0 0.0
lattice 0.0 0.0 6.0
atom 9.0 0.0 0.0 Cu 0.0 0.0 0.0 0.0 0.0
end
"""


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "input.data"
    path.write_text(TWO)
    return path


def test_values(two):
    molecule, crystal = iread_input_data(two)
    assert molecule.get_chemical_symbols() == ["O", "H", "H"]
    np.testing.assert_array_equal(molecule.positions, [[0.0, 0.1, 0.2], [1.0, 0.0, 0.0], [-1.0, -1.0, 0.0]])
    assert not molecule.pbc.any()
    assert molecule.info == {"set": "test", "comment": "water,  one molecule\nfrom nowhere", "charge": 0.0}
    assert molecule.calc.results["energy"] == -76.5
    np.testing.assert_array_equal(molecule.calc.results["forces"][0], [0.5, 0.25, -1.0])
    np.testing.assert_array_equal(molecule.calc.results["charges"], [-0.8, 0.4, 0.4])
    assert crystal.pbc.all()
    np.testing.assert_array_equal(crystal.cell, [[4.0, 0.0, 0.0], [1.0, 5.0, 0.0], [0.0, 0.0, 6.0]])
    assert crystal.positions[0, 0] == 9.0
    assert crystal.info == {}
    assert sorted(crystal.calc.results) == ["forces"]


def test_units(two):
    molecule, crystal = iread_input_data(two, "Bohr", "Hartree")
    assert molecule.positions[1, 0] == Bohr
    assert molecule.calc.results["energy"] == -76.5 * Hartree
    np.testing.assert_allclose(molecule.calc.results["forces"][0, 0], 0.5 * Hartree / Bohr, rtol=1e-15)
    assert crystal.cell[0, 0] == 4.0 * Bohr


def test_compressed_and_other_line_ends(two, tmp_path):
    plain = list(iread_input_data(two))
    packed = tmp_path / "input.data.gz"
    packed.write_bytes(gzip.compress(TWO.replace("\n", "\r\n").encode()))
    assert [atoms.info for atoms in iread_input_data(packed)] == [atoms.info for atoms in plain]
    assert list(iread_input_data(packed)) == plain


def test_is_read_block_by_block(tmp_path):
    path = tmp_path / "input.data"
    path.write_text(TWO + "this is not read\n")
    first, second = islice(iread_input_data(path), 2)
    assert (len(first), len(second)) == (3, 1)


def test_reference_structures(shared):
    """The reference structures are those that n2p2 has read."""
    for case in ("custom_exp_ct1", "predict_H2O_RPBE-D3", "LJ"):
        folder = shared / "reference" / case
        with np.load(folder / "expected.npz") as expected:
            for frame, atoms in enumerate(iread_input_data(folder / "input.data")):
                prefix = f"{frame:04d}_"
                np.testing.assert_array_equal(atoms.numbers, expected[prefix + "Z"])
                shift = atoms.positions - expected[prefix + "positions_remapped"]
                if atoms.pbc.all():
                    np.testing.assert_array_equal(atoms.cell, expected[prefix + "lattice"])
                    shift = atoms.cell.scaled_positions(shift)
                np.testing.assert_allclose(shift, np.rint(shift), atol=1e-12)
                np.testing.assert_array_equal(atoms.calc.results["forces"], expected[prefix + "forces_ref"])
                assert atoms.calc.results["energy"] == expected[prefix + "energies"][4]
            assert f"{frame + 1:04d}_Z" not in expected


ATOM = "atom 0 0 0 H 0 0 0 0 0\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", None, "no structure"),
        ("\n# only a remark\n", None, "no structure"),
        (ATOM, 1, "expected 'begin', found 'atom'"),
        ("begin\n" + ATOM + "end\nnonsense\n" + TWO, 4, "expected 'begin', found 'nonsense'"),
        ("begin\n" + ATOM, 1, "the file ends before the 'end'"),
        ("begin\n" + ATOM + "begin\n", 3, "expected 'end' before the next 'begin'"),
        ("begin\nend\n", 1, "expected at least one atom"),
        ("begin set=validation\n" + ATOM + "end\n", 1, "found 'set=validation'"),
        ("begin\nAtom 0 0 0 H 0 0 0 0 0\nend\n", 2, "found 'Atom'"),
        ("begin\natom 0 0 0 H 0 0 0 0\nend\n", 2, "atom: expected 9 values, found 8"),
        ("begin\n" + ATOM + "atom 0 0 0 Q 0 0 0 0 0\nend\n", 3, "'Q' is not a chemical symbol"),
        ("begin\n" + ATOM + "atom 0 nan 0 H 0 0 0 0 0\nend\n", 3, "found 'nan'"),
        ("begin\n" + ATOM + "atom 0 0 0 H 0 0 0 *** 0\nend\n", 3, "found '***'"),
        ("begin\n" + ATOM + "atom 0 0 0 H 0 0 0 1_0 0\nend\n", 3, "found '1_0'"),
        ("begin\n" + ATOM + "atom 0 0 0 H 0 0 0 \u0661 0\nend\n", 3, "found '\u0661'"),
        ("begin\nlattice 1 0 0\nlattice 0 1 0\n" + ATOM + "end\n", 1, "3 lattice lines or none, found 2"),
        ("begin\nlattice 1 0\n" + ATOM + "end\n", 2, "lattice: expected 3 values, found 2"),
        ("begin\n" + ATOM + "energy\nend\n", 3, "energy: expected 1 values"),
        ("begin\n" + ATOM + "energy x\nend\n", 3, "a number for energy"),
        ("begin\n" + ATOM + "energy 1\nenergy 2\nend\n", 4, "energy: expected one line in a structure, found 2"),
        ("begin\n" + ATOM + "charge 0\ncharge 0\nend\n", 4, "charge: expected one line in a structure, found 2"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, line, said):
    path = tmp_path / "input.data"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        list(iread_input_data(path))
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}" if line else f"{path}: ")


def test_files_that_cannot_be_read(two, tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        next(iread_input_data(tmp_path / "nowhere.data"))
    with pytest.raises(InputError, match="unknown energy unit"):
        next(iread_input_data(two, energy_unit="erg"))
    cut = tmp_path / "cut.data.gz"
    cut.write_bytes(gzip.compress(TWO.encode())[:-20])
    with pytest.raises(FormatError, match="damaged or cut off"):
        list(iread_input_data(cut))


@st.composite
def structures(draw: st.DrawFn) -> Atoms:
    n = draw(st.integers(1, 4))
    vectors = st.lists(st.tuples(*[number(-1e3, 1e3)] * 3), min_size=n, max_size=n)
    atoms = Atoms(draw(st.lists(st.sampled_from(ELEMENTS), min_size=n, max_size=n)), draw(vectors))
    if draw(st.booleans()):
        atoms.set_cell(np.diag([3.0, 4.0, 5.0]) + draw(number(0.0, 1.0)))
        atoms.pbc = True
    results = {"forces": np.array(draw(vectors))}
    if draw(st.booleans()):
        results["energy"] = draw(number(-1e6, 1e6))
    if draw(st.booleans()):
        results["charges"] = 1.0 + np.arange(n)
    atoms.calc = SinglePointCalculator(atoms, **results)
    if draw(st.booleans()):
        atoms.info["set"] = draw(st.sampled_from(("train", "test")))
    if draw(st.booleans()):
        atoms.info["comment"] = "first line\nsecond  line"
    return atoms


@REPEATABLE
@given(st.lists(structures(), min_size=1, max_size=3))
def test_written_structures_read_back(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("data")
    write_input_data(folder / "input.data", drawn)
    for before, after in zip(drawn, iread_input_data(folder / "input.data"), strict=True):
        assert after == before
        assert after.info == {**before.info, "charge": 0.0}
        assert after.calc.results.keys() == before.calc.results.keys()
        for name, value in before.calc.results.items():
            np.testing.assert_array_equal(after.calc.results[name], value)
    write_input_data(folder / "bohr.data.gz", drawn, "Bohr", "Hartree")
    for before, after in zip(drawn, iread_input_data(folder / "bohr.data.gz", "Bohr", "Hartree"), strict=True):
        np.testing.assert_allclose(after.positions, before.positions, rtol=1e-15)
        for name, value in before.calc.results.items():
            np.testing.assert_allclose(after.calc.results[name], value, rtol=1e-14)


def test_writing_structures_without_labels_and_what_cannot_be_written(tmp_path):
    path = tmp_path / "input.data"
    write_input_data(path, [Atoms("H", charges=[1.0])])
    (atoms,) = iread_input_data(path)
    assert sorted(atoms.calc.results) == ["charges", "forces"]
    assert not atoms.calc.results["forces"].any()
    with pytest.raises(InputError, match=r"structure 1: .* periodicity in all directions"):
        write_input_data(path, [Atoms("H"), Atoms("H", cell=[1, 1, 1], pbc=[True, True, False])])
    with pytest.raises(
        InputError, match=r"structure 0: input.data: expected set=train or set=test, found 'validation'"
    ):
        write_input_data(path, [Atoms("H", info={"set": "validation"})])
    assert next(iread_input_data(path)) == atoms, "what was there stays"
    with pytest.raises(StorageError, match="no such file"):
        write_input_data(tmp_path / "no" / "input.data", [Atoms("H")])


GARBAGE = st.lists(st.lists(WORDS | st.text(max_size=8), max_size=11).map(" ".join), max_size=8).map("\n".join)


@REPEATABLE
@given(mutations(TWO) | GARBAGE.map(lambda garbage: f"begin\natom 0 0 0 H {garbage}\nend"))
def test_damaged_files_give_errors_or_structures(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("data") / "input.data"
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        for atoms in iread_input_data(path):
            assert np.isfinite(atoms.positions).all()
            assert atoms.pbc.all() or not atoms.cell.any()
    except FormatError as error:
        assert str(error).startswith(str(path))
        assert error.line is not None or "no structure" in str(error)
