"""The fast parser of extended XYZ frames returns exactly what the reader of ASE returns, or leaves the frame to it."""

from io import StringIO

import numpy as np
import pytest
from ase.io import write
from ase.io.extxyz import key_val_str_to_dict, read_xyz
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.featurizing import structures

from fastsf.io.extxyz_columns import read_comment, read_regular_frame


def by_ase(text):
    return next(read_xyz(StringIO(text), 0))


def assert_same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected or (found != found and expected != expected)


def assert_same_atoms(found, expected):
    assert found == expected
    assert_same(found.info, expected.info)
    assert_same(found.arrays, expected.arrays)
    assert (found.calc is None) == (expected.calc is None)
    if expected.calc is not None:
        assert_same(found.calc.results, expected.calc.results)


def frame(properties, *rows, keys=""):
    return f"{len(rows)}\n{keys} Properties={properties}\n" + "\n".join(rows) + "\n"


REGULAR = {
    "positions only": frame("species:S:1:pos:R:3", "Si 0 1 2", "O 1e-3 -2.5E2 .5"),
    "no properties": '2\nLattice="1 0 0 0 2 0 0 0 3"\nH 0 0 0\nHe 1 1 1\n',
    "plain xyz": "1\n\nH 0 0 0\n",
    "forces": frame("species:S:1:pos:R:3:forces:R:3", "H 0 0 0 1 2 3", keys="energy=-1.5"),
    "own columns": frame("species:S:1:pos:R:3:energies:R:1:REF_forces:R:3", "H 0 0 0 7 1 2 3"),
    "stress": frame("species:S:1:pos:R:3", "H 0 0 0", keys='stress="1 2 3 2 5 6 3 6 9" virial="1 0 0 0 1 0 0 0 1"'),
    "one column": frame("species:S:1:pos:R:3:q:R:1", "H 0 0 0 0.5", "H 1 1 1 -0.5"),
    "molecule in a cell": frame("species:S:1:pos:R:3", "H 0 0 0", keys='Lattice="9 0 0 0 9 0 1 0 9" pbc="F F F"'),
    "slab": frame("species:S:1:pos:R:3", "H 0 0 0", keys='Lattice="9 0 0 0 9 0 1 0 9" pbc="T T F"'),
    "lower case symbols": frame("species:S:1:pos:R:3", "si 0 0 0", "CL 1 1 1"),
    "pbc of words": frame("species:S:1:pos:R:3", "H 0 0 0", keys='pbc="x y z"'),
    "blank comment": "1\n \t \nH 0 0 0\n",
    "infinite energy": frame("species:S:1:pos:R:3", "H 0 0 0", keys="energy=inf free_energy=-inf"),
}

IRREGULAR = {
    "integers": frame("species:S:1:pos:R:3:tag:I:1", "H 0 0 0 1"),
    "atomic numbers": frame("Z:I:1:pos:R:3", "1 0 0 0"),
    "charges": frame("species:S:1:pos:R:3:initial_charges:R:1", "H 0 0 0 1.0"),
    "fixed atoms": frame("species:S:1:pos:R:3:move_mask:L:1", "H 0 0 0 T"),
    "symbols last": frame("pos:R:3:species:S:1", "0 0 0 H"),
    "more words than columns": frame("species:S:1:pos:R:3", "H 0 0 0 # comment", "H 1 1 1"),
    "labels of atoms": frame("species:S:1:pos:R:3", "H1 0 0 0"),
    "word for a number": frame("species:S:1:pos:R:3", "H 0 zero 0"),
    "stress of six numbers": frame("species:S:1:pos:R:3", "H 0 0 0", keys='stress="1 2 3 4 5 6"'),
    "cell vectors": "1\ncomment\nH 0 0 0\nVEC1 9 0 0\nVEC2 0 9 0\nVEC3 0 0 9\n",
    "no atoms": "0\n\n",
    "no lines": "1",
    "cell of eight numbers": frame("species:S:1:pos:R:3", "H 0 0 0", keys='Lattice="1 0 0 0 1 0 0 0"'),
    "no positions": frame("species:S:1:forces:R:3", "H 0 0 0"),
    "two positions": frame("species:S:1:pos:R:3:pos:R:3", "H 0 0 0 1 1 1"),
}


@pytest.mark.parametrize("name", REGULAR)
def test_regular_frames(name):
    found = read_regular_frame(REGULAR[name])
    assert found is not None
    assert_same_atoms(found, by_ase(REGULAR[name]))


def test_positions_that_are_no_numbers_are_kept():
    assert np.isnan(read_regular_frame(frame("species:S:1:pos:R:3", "H 0 nan 0")).positions[0, 1])


@pytest.mark.parametrize("name", IRREGULAR)
def test_irregular_frames_are_left_to_ase(name):
    assert read_regular_frame(IRREGULAR[name]) is None


def test_what_ase_writes(tmp_path):
    images = structures(20, seed=3)
    images[3].info.update(name="a b", flag=True, vector=[1, 2, 3], number=7, text='with "quotes"')
    write(tmp_path / "data.xyz", images)
    lines = (tmp_path / "data.xyz").read_text().splitlines(keepends=True)
    for atoms in images:
        n = len(atoms) + 2
        text, lines = "".join(lines[:n]), lines[n:]
        assert_same_atoms(read_regular_frame(text), by_ase(text))


_words = st.text("abcTFnife019.-+_,:;/", min_size=1, max_size=8)
_values = st.one_of(
    _words,
    st.lists(st.one_of(st.integers(-99, 99).map(str), st.floats().map(repr), _words), max_size=4).map(
        lambda words: '"' + " ".join(words) + '"'
    ),
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(repr),
    st.sampled_from(["T", "F", "true", '"T F T"', "nan", "inf", "Infinity", "1_000", "0x10", "_JSON", '""']),
)
_pairs = st.tuples(st.one_of(_words, st.sampled_from(["pbc", "uid", "energy", "UID", "stress"])), _values)


def attempt(parse, line):
    try:
        return parse(line)
    except ValueError:
        return "refused"


@given(st.lists(st.one_of(_pairs.map("=".join), _words), max_size=6).map(" ".join))
@example("a = 1")
@example('a="x"b=2')
@example("a={1 2} b=[1, 2]")
@example("a=b=c")
@example("a= b=1")
@example("key='x y'")
@example(r"a=b\ c")
@example('a="_JSON [1, 2]"')
@settings(max_examples=500, deadline=None)
def test_comment_lines(line):
    expected = attempt(key_val_str_to_dict, line.strip()) if line.strip() else {}
    assert_same(attempt(read_comment, line), expected)
