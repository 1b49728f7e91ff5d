"""Spellings in comment lines of extended XYZ files: periodic directions, keys in any case; never a silent default."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsf.errors import FormatError, InputError
from fastsf.io.extxyz import parse_frame
from fastsf.io.extxyz_comment import normalized, periodic_directions

LATTICE = 'Lattice="4 0 0 0 5 0 0 0 6"'


def read(comment, tmp_path, row="O 0.1 0.2 0.3"):
    return parse_frame((1, f"1\n{comment}\n{row}\n"), tmp_path / "a.xyz", 0)


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ('pbc="F F F"', "FFF"),
        ("pbc=FFF", "FFF"),
        ("pbc=ttf", "TTF"),
        ('PBC="F F F"', "FFF"),
        ('Pbc="T F T"', "TFT"),
        ('pbc="[False, False, False]"', "FFF"),
        ('pbc="[True, True, False]"', "TTF"),
        ("pbc=[True,True,False]", "TTF"),
        ("pbc={T F T}", "TFT"),
        ("pbc=(T,F,T)", "TFT"),
        ('pbc="f f f"', "FFF"),
        ("pbc='T T F'", "TTF"),
        ('pbc="1 1 0"', "TTF"),
        ("pbc=110", "TTF"),
        ("pbc=F", "FFF"),
        ("pbc=false", "FFF"),
        ('pbc = "T F F"', "TFF"),
        ('pbc="true,true,FALSE"', "TTF"),
        ("", "TTT"),
    ],
)
def test_periodic_directions(spelling, expected, tmp_path):
    for comment in (f"{LATTICE} {spelling}", f"{spelling} {LATTICE} Properties=species:S:1:pos:R:3 energy=1"):
        atoms = read(comment, tmp_path)
        assert "".join("FT"[int(each)] for each in atoms.pbc) == expected
        assert not {key.lower() for key in atoms.info} & {"pbc"}


@pytest.mark.parametrize("spelling", ['"p p f"', "None", '"T T"', '"T T T T"', "2", "xyz", '""', '"-1 1 1"', "TTFF"])
def test_other_periodic_directions_are_errors(spelling, tmp_path):
    with pytest.raises(FormatError) as caught:
        read(f"{LATTICE} pbc={spelling}", tmp_path)
    bare = spelling.strip('"')
    assert str(caught.value).startswith(f"{tmp_path}/a.xyz:2")
    assert f'pbc: expected one or three booleans, as pbc="T T F", found {bare!r}' in str(caught.value)


@given(st.text(max_size=12))
def test_periodic_directions_are_booleans_or_errors(text):
    try:
        found = periodic_directions(text)
    except InputError:
        return
    assert found.split() and set(found.split()) <= {"T", "F"} and len(found.split()) == 3


@pytest.mark.parametrize("key", ["Lattice", "lattice", "LATTICE"])
def test_lattices_in_any_case(key, tmp_path):
    atoms = read(f'{key}="4 0 0 0 5 0 0 0 6"', tmp_path)
    np.testing.assert_array_equal(np.diag(atoms.cell), [4, 5, 6])
    assert atoms.pbc.all()


def test_quoted_texts_are_not_changed(tmp_path):
    text = 'PBC=no stress="1 2" Properties=x'
    atoms = read(f"{LATTICE} note='{text}' pbc=F", tmp_path)
    assert atoms.info["note"] == text
    assert not atoms.pbc.any()


@given(st.text(st.characters(codec="ascii", exclude_characters="\n\r"), max_size=40))
def test_any_line_has_a_result_or_an_error_in_words(line):
    try:
        found = normalized(line)
    except InputError as error:
        assert "expected one or three booleans" in str(error)
    else:
        assert "\n" not in found.text
