"""Symmetry functions of input.nn files: n2p2's order, every type, errors with file and line, round trips."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from ase.units import Bohr
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import ELEMENTS, REPEATABLE, WORDS, cutoffs, mutations, runner_functions

from fastsf.errors import FormatError, InputError, StorageError
from fastsf.io.n2p2.functions import read_functions, write_functions
from fastsf.symmetry.atoms import G2, G3, G4, G5, Angular, Radial
from fastsf.symmetry.factors import Compact, Cutoff, Power, Window
from fastsf.symmetry.kinds import runner_type
from fastsf.symmetry.sets import column_order

EVERY_TYPE = """\
! a comment, then settings in an unusual order
symfunction H 2 O 0.5 1.2 6.0            # alias
cutoff_type\t1 0.3
symfunction_short O 3 O H 0.1 -1 4.0 6.0
number_of_elements 2
symfunction_short O 9 H H 0.1 1.0D0 2.5 5.0 0.7! comment without a blank
elements O H
random_seed 1234
symfunction_short H 12 0.2 0.4 5.5
symfunction_short H 13 0.2 0.4 -1.0 2.0 5.5
symfunction_short H 20 O -1.0 6.0 p1a
symfunction_short H 21 H O 0.5 6.0 10.0 90.0 p2
symfunction_short H 22 O H 0.5 6.0 -60.0 60.0 e
symfunction_short O 23 1.0 6.0 p4
symfunction_short O 24 1.0 6.0 0.0 360.0 p3
symfunction_short O 25 1.0 6.0 80.0 179.0 p3a
scale_symmetry_functions
"""


def write(folder: Path, text: str, name: str = "input.nn") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_every_type(tmp_path):
    elements, functions = read_functions(write(tmp_path, EVERY_TYPE))
    cosine = {"kind": "cosine", "alpha": 0.3}
    assert elements == ["H", "O"]
    assert functions == [
        Radial("H", "O", Cutoff(6.0, **cosine), 0.5, 1.2),
        Radial("H", None, Cutoff(5.5, **cosine), 0.2, 0.4),
        Angular("H", None, Cutoff(5.5, **cosine), Power(2.0, -1.0), 0.2, 0.4, narrow=True),
        Radial("H", "O", Compact(-1.0, 6.0, "poly1", asymmetric=True)),
        Angular("H", ("H", "O"), Compact(0.5, 6.0, "poly2"), Window(10.0, 90.0, "poly2"), narrow=True),
        Angular("H", ("H", "O"), Compact(0.5, 6.0, "exp"), Window(-60.0, 60.0, "exp"), narrow=False),
        Angular("O", ("H", "O"), Cutoff(6.0, **cosine), Power(4.0, -1.0), 0.1, 0.0, narrow=True),
        Angular("O", ("H", "H"), Cutoff(5.0, **cosine), Power(2.5, 1.0), 0.1, 0.7, narrow=False),
        Radial("O", None, Compact(1.0, 6.0, "poly4")),
        Angular("O", None, Compact(1.0, 6.0, "poly3"), Window(0.0, 360.0, "poly3"), narrow=True),
        Angular("O", None, Compact(1.0, 6.0, "poly3", asymmetric=True), Window(80.0, 179.0, "poly3"), narrow=False),
    ]
    assert [runner_type(function).number for function in functions] == [2, 12, 13, 20, 21, 22, 3, 9, 23, 24, 25]


def test_lengths_are_converted_and_angles_are_not(tmp_path):
    _, in_bohr = read_functions(write(tmp_path, EVERY_TYPE), "Bohr")
    radial, window = in_bohr[0], in_bohr[4]
    assert radial.envelope.radius == pytest.approx(6.0 * Bohr, rel=1e-15)
    assert (radial.rs, radial.eta) == pytest.approx((1.2 * Bohr, 0.5 / Bohr**2), rel=1e-15)
    assert (window.envelope.left, window.envelope.right) == pytest.approx((0.5 * Bohr, 6.0 * Bohr), rel=1e-15)
    assert (window.angle.left, window.angle.right) == (10.0, 90.0)
    _, in_nm = read_functions(write(tmp_path, EVERY_TYPE), "nm")
    assert in_nm[0].envelope.radius == 60.0


@pytest.mark.parametrize(
    ("setting", "kind", "alpha"),
    [
        ("0", "hard", 0.0),
        ("1", "cosine", 0.0),
        ("1 0.25", "cosine", 0.25),
        ("2", "tanh3", 0.0),
        ("2 0.25", "tanh3", 0.0),
        ("3", "tanh3_normalized", 0.0),
        ("4 0.25", "exp", 0.25),
        ("5", "poly1", 0.0),
        ("6", "poly2", 0.0),
        ("7 0.5", "poly3", 0.5),
        ("8", "poly4", 0.0),
    ],
)
def test_cutoff_types(tmp_path, setting, kind, alpha):
    text = f"elements H\ncutoff_type {setting}\nsymfunction_short H 2 H 0.1 0 6\n"
    assert read_functions(write(tmp_path, text))[1] == [Radial("H", "H", Cutoff(6.0, kind, alpha), 0.1)]


def test_line_ends_of_other_systems(tmp_path):
    unix, windows = write(tmp_path, EVERY_TYPE), write(tmp_path, EVERY_TYPE.replace("\n", "\r\n"), "crlf.nn")
    assert read_functions(unix) == read_functions(windows)


def test_order_is_n2p2s_for_every_reference_case(shared):
    folders = sorted(path.parent for path in shared.glob("reference/*/symfunc_sorted.txt"))
    assert len(folders) > 30
    for folder in folders:
        elements, functions = read_functions(folder / "input.nn")
        lines = (folder / "input.nn").read_text().splitlines()
        rows = [row.split() for row in (folder / "symfunc_sorted.txt").read_text().splitlines()]
        assert len(rows) == len(functions), folder
        for row, function in zip(rows, functions, strict=True):
            assert _numbers_of(function) == _words(lines[int(row[2]) - 1]), f"{folder}: {' '.join(row)}"
        centers = [function.center for function in functions]
        assert centers == sorted(centers, key=elements.index), folder


def _words(line: str) -> list[str | float]:
    """Return the arguments of a line: numbers as numbers, 0 for a missing shift, and pairs in order."""
    words = line.split("#")[0].split("!")[0].split()[1:]
    if words[1] in ("3", "9") and len(words) == 8:
        words.append("0")
    if words[1] in ("3", "9", "21", "22"):
        words[2:4] = sorted(words[2:4], key=["H", "C", "O", "Ne", "S", "Cu"].index)
    return [word if word[0].isalpha() else float(word) for word in words]


def _numbers_of(function: Radial | Angular) -> list[str | float]:
    """Return the same from a function, written out type by type."""
    head = [function.center, float(runner_type(function).number)]
    envelope = function.envelope
    if isinstance(envelope, Compact):
        last = {"exp": "e"}.get(envelope.kind, "p" + envelope.kind[-1]) + "a" * envelope.asymmetric
        edges = [envelope.left, envelope.right]
        if isinstance(function, Radial):
            return head + ([function.neighbor] if function.neighbor else []) + [*edges, last]
        return [*head, *(function.neighbors or ()), *edges, function.angle.left, function.angle.right, last]
    if isinstance(function, Radial):
        species = [function.neighbor] if function.neighbor else []
        return [*head, *species, function.eta, function.rs, envelope.radius]
    lam, zeta = function.angle.lam, function.angle.zeta
    if function.neighbors is None:
        return [*head, function.eta, function.rs, lam, zeta, envelope.radius]
    return [*head, *function.neighbors, function.eta, lam, zeta, envelope.radius, function.rs]


def test_sorted_by_the_numbers_of_the_file(tmp_path):
    text = "elements H\ncutoff_type 1\n" + "".join(
        f"symfunction_short H 2 H {eta!r} 0 6\n" for eta in (0.3, 0.1 + 0.2, 0.1, 1.0)
    )
    etas = [function.eta * Bohr**2 for function in read_functions(write(tmp_path, text), "Bohr")[1]]
    assert etas == pytest.approx([0.1, 0.3, 0.1 + 0.2, 1.0], rel=1e-15)


HEAD = "elements H O\ncutoff_type 1\n"
LINE = "symfunction_short H 2 H 0.1 0.0 6.0\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (LINE, None, "'elements' is missing"),
        ("elements\n" + LINE, 1, "at least one"),
        ("elements H Xx\n" + LINE, 1, "'Xx' is not a chemical symbol"),
        ("elements H H\n" + LINE, 1, "each once"),
        ("number_of_elements 3\n" + HEAD + LINE, 1, "expected 3 elements, found H O"),
        ("number_of_elements two\n" + HEAD + LINE, 1, "expected a whole number"),
        (HEAD, None, "no symmetry function"),
        (HEAD + "cutoff_type 1\n" + LINE, 3, "line 2 already"),
        (HEAD + "epochs 1\nepochs 2\n" + LINE, 4, "line 3 already"),
        (HEAD + "nnp_gen 2\nnnp_type 2\n" + LINE, 4, "line 3 already"),
        ("elements H O\ncutoff_type 9\n" + LINE, 2, "from 0 to 8"),
        ("elements H O\ncutoff_type 1 1.0\n" + LINE, 2, "[0, 1)"),
        ("elements H O\ncutoff_type\n" + LINE, 2, "1 to 2 arguments, found 0"),
        ("elements H O\ncutoff_type 1.0\n" + LINE, 2, "expected a whole number"),
        (HEAD + "symfunction_short H\n", 3, "a central element and a type"),
        (HEAD + "symfunction_short H 7 H 1 1 1\n", 3, "unknown type '7'"),
        (HEAD + "symfunction_short C 2 H 0.1 0 6\n", 3, "one of the elements H O, found 'C'"),
        (HEAD + "symfunction_short H 3 O C 0.1 1 1 6\n", 3, "found 'C'"),
        (HEAD + "symfunction_short H 2 H 0.1 0\n", 3, "expected 6 arguments, found 5"),
        (HEAD + "symfunction_short H 2 H 0.1 0 6 0\n", 3, "expected 6 arguments, found 7"),
        (HEAD + "symfunction_short H 3 H H 0.1 1 1\n", 3, "expected 8 to 9 arguments"),
        (HEAD + LINE + "symfunction_short H 2 H O.1 0 6\n", 4, "a number for eta, found 'O.1'"),
        (HEAD + "symfunction_short H 2 H nan 0 6\n", 3, "a number for eta"),
        (HEAD + "symfunction_short H 2 H 0.1 1_0 6\n", 3, "a number for rs"),
        (HEAD + "symfunction_short H 2 H 0.1 0 1e999\n", 3, "a number for the cutoff radius"),
        (HEAD + "symfunction_short H 2 H 0.1 0 0\n", 3, "radius must be positive"),
        (HEAD + "symfunction_short H 2 H -0.1 0 6\n", 3, "eta must not be negative"),
        (HEAD + "symfunction_short H 3 H H 0.1 1 0 6\n", 3, "zeta must be positive"),
        (HEAD + "symfunction_short H 20 H 0 6 p5\n", 3, "unknown subtype 'p5'"),
        (HEAD + "symfunction_short H 20 H 0 6 ea\n", 3, "unknown subtype 'ea'"),
        (HEAD + "symfunction_short H 20 H 6 0 p1\n", 3, "left < right"),
        (HEAD + "symfunction_short H 22 H H 0 6 -10 90 p1\n", 3, "centred at 0 or 180"),
        (HEAD + "global_symfunction_short 2 0.1 0\n", 3, "expected 4 arguments, found 3"),
        (HEAD + "global_symfunction_short 2 H 0.1 0 6\n", 3, "expected 4 arguments, found 5"),
        (HEAD + "global_symfunction_short\n", 3, "expected a type, found nothing"),
        (HEAD + "global_symfunction_short 1 6\n", 3, "unknown type '1'"),
        (HEAD + "element_symfunction_short C 2 0.1 0 6\n", 3, "one of the elements H O, found 'C'"),
        (HEAD + "element_symfunction_short H\n", 3, "expected an element and a type, found H"),
        (HEAD + "element_symfunction_short H 2 0.1 0\n", 3, "expected 5 arguments, found 4"),
        (HEAD + "cutoff_alpha 1.0\n" + LINE, 3, "[0, 1)"),
        (HEAD + "cutoff_alpha\n" + LINE, 3, "expected 1 arguments, found 0"),
        (
            "elements H O\ncutoff_type 1 0.3\ncutoff_alpha 0.4\n" + LINE,
            3,
            "inner cutoff of cutoff_type, 0.3, found 0.4",
        ),
        ("elements H O\ncutoff_type 2\ncutoff_alpha 0.4\n" + LINE, 3, "RuNNer's cutoff function jumps there"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, line, said):
    path = write(tmp_path, text)
    with pytest.raises(FormatError) as caught:
        read_functions(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert caught.value.line == line


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(StorageError, match=r"nowhere\.nn: No such file"):
        read_functions(tmp_path / "nowhere.nn")
    with pytest.raises(StorageError, match="directory"):
        read_functions(tmp_path)
    with pytest.raises(InputError, match="unknown length unit 'furlong', expected one of Angstrom"):
        read_functions(write(tmp_path, HEAD + LINE), "furlong")


def test_compressed(tmp_path):
    import gzip

    path = tmp_path / "input.nn.gz"
    path.write_bytes(gzip.compress((HEAD + LINE).encode()))
    assert len(read_functions(path)[1]) == 1
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(FormatError, match="damaged or cut off"):
        read_functions(path)


def test_negative_shift_of_an_angular_function_warns_and_is_kept(tmp_path):
    path = write(tmp_path, HEAD + "symfunction_short H 3 H H 0.1 1 1 6 -0.5\n")
    with pytest.warns(UserWarning, match=r"input\.nn:3: the negative shift rs = -0\.5"):
        _, (function,) = read_functions(path)
    assert function.rs == -0.5


def test_missing_cutoff_type_warns_only_where_it_matters(tmp_path):
    with pytest.warns(UserWarning, match=r"cutoff_type is missing, but line 2 needs it"):
        _, (function,) = read_functions(write(tmp_path, "elements H\n" + LINE))
    assert function.envelope == Cutoff(6.0, "cosine")
    read_functions(write(tmp_path, "elements H\nsymfunction_short H 20 H 0 6 p2\n"))


@REPEATABLE
@given(st.data())
def test_written_functions_read_back(tmp_path_factory, data):
    cutoff = data.draw(cutoffs())
    drawn = data.draw(st.lists(runner_functions(cutoff), min_size=1, max_size=8))
    path = tmp_path_factory.mktemp("nn") / "input.nn"
    write_functions(path, drawn, ELEMENTS)
    elements, read = read_functions(path)
    assert elements == list(ELEMENTS)
    assert read == sorted(drawn, key=column_order)
    write_functions(path, drawn, length_unit="Bohr")
    for before, after in zip(sorted(drawn, key=column_order), read_functions(path, "Bohr")[1], strict=True):
        assert after.envelope.range == pytest.approx(before.envelope.range, rel=1e-14)
        assert (after.eta, after.rs) == pytest.approx((before.eta, before.rs), rel=1e-14)
        assert getattr(after, "angle", None) == getattr(before, "angle", None)


@pytest.mark.parametrize(
    ("functions", "said"),
    [
        ([G3("H", "H", 1.0, 6.0)], "has the form of G3"),
        ([G5("H", None, 0.1, 1.0, 1.0, 6.0)], "has the form of wG5"),
        ([Radial("H", "H", Compact(0.0, 6.0), eta=1.0)], "has the form of compact"),
        ([G2("H", "H", 1.0, 6.0), G2("H", "H", 1.0, Cutoff(6.0, "tanh3"))], "one cutoff type"),
        (
            [G2("H", "H", 1.0, Cutoff(6.0, alpha=0.1)), G4("H", ("H", "H"), 1.0, 1.0, 1.0, 6.0)],
            "one cutoff type",
        ),
        ([Radial("H", "H", Compact(0.0, 6.0, "exp", asymmetric=True))], "no asymmetric exp"),
        ([Angular("H", ("H", "H"), Compact(0.0, 6.0, "poly1"), Window(0.0, 90.0, "poly2"))], "one shape"),
        ([G2("H", "O", 1.0, 6.0)], "functions name the elements H O, expected H only"),
    ],
)
def test_functions_without_counterpart_are_refused(tmp_path, functions, said):
    with pytest.raises(InputError, match=said):
        write_functions(tmp_path / "input.nn", functions, ["H"])
    assert not (tmp_path / "input.nn").exists()


def test_writing_into_a_missing_folder(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        write_functions(tmp_path / "no" / "input.nn", [G2("H", "H", 1.0, 6.0)])


@REPEATABLE
@given(mutations(EVERY_TYPE))
def test_damaged_files_give_errors_or_functions(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("nn") / "input.nn"
    path.write_text(text, encoding="utf-8", errors="replace")
    _expect_error_or_functions(path)


@REPEATABLE
@given(st.lists(st.lists(WORDS | st.text(max_size=8), max_size=10).map(" ".join), max_size=8).map("\n".join))
def test_garbage_lines_give_errors_with_the_line(tmp_path_factory, garbage):
    path = tmp_path_factory.mktemp("nn") / "input.nn"
    path.write_text(f"{HEAD}symfunction_short {garbage}\n", encoding="utf-8", errors="replace")
    _expect_error_or_functions(path)


@REPEATABLE
@given(st.binary(max_size=200))
def test_bytes_give_errors(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("nn") / "input.nn"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"input\.nn"):
        read_functions(path)


def _expect_error_or_functions(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            elements, functions = read_functions(path)
        except FormatError as error:
            assert str(error).startswith(str(path))
            return
    assert functions
    assert {function.center for function in functions} <= set(elements)


def test_functions_that_n2p2_lacks_come_last_of_their_element():
    lacking, wide, other = (
        G3("H", "H", 1.0, 6.0),
        G5("H", ("H", "H"), 0.1, 1.0, 1.0, 6.0),
        G2("O", "H", 1.0, 6.0),
    )
    assert sorted([other, lacking, wide], key=column_order) == [wide, lacking, other]
