"""Symmetry functions of input.nn files of RuNNer 1 and RuNNer 2 that n2p2 does not read."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase import Atoms
from ase.units import Bohr

from fastsf import ACSF
from fastsf.errors import FormatError
from fastsf.io.n2p2.functions import read_functions
from fastsf.symmetry.atoms import Angular, Radial
from fastsf.symmetry.factors import Cutoff, Power

HEAD = "elements H O\ncutoff_type 1\n"
COSINE = Cutoff(6.0, "cosine")


def read(folder: Path, text: str) -> list[Radial | Angular]:
    path = folder / "input.nn"
    path.write_text(text)
    return read_functions(path)[1]


# --- RuNNer 1 ---


def test_functions_of_all_elements_and_neighbours(tmp_path):
    found = read(tmp_path, HEAD + "global_symfunction_short 2 0.1 0.5 6.0\nglobal_symfunction_short 3 0.2 -1 4 6.0\n")
    pairs = [("H", "H"), ("H", "O"), ("O", "O")]
    assert found == [
        function
        for center in "HO"
        for function in (
            *(Radial(center, neighbor, COSINE, 0.1, 0.5) for neighbor in "HO"),
            *(Angular(center, pair, COSINE, Power(4.0, -1.0), 0.2, narrow=True) for pair in pairs),
        )
    ]


def test_functions_of_one_element_and_all_neighbours(tmp_path):
    lines = "element_symfunction_short O 9 0.2 1 2 6.0\nelement_symfunction_short O 12 0.1 0 6.0\n"
    found = read(tmp_path, HEAD + lines + "symfunction_short H 2 O 0.3 0 6.0\n")
    assert found == [
        Radial("H", "O", COSINE, 0.3),
        *(
            Angular("O", pair, COSINE, Power(2.0, 1.0), 0.2, narrow=False)
            for pair in (("H", "H"), ("H", "O"), ("O", "O"))
        ),
        Radial("O", None, COSINE, 0.1),
    ]


def test_repeated_lines_add_functions(tmp_path):
    lines = "".join(f"global_symfunction_short 2 {eta} 0 6.0\n" for eta in (0.1, 0.2, 0.3))
    assert len(read(tmp_path, HEAD + lines)) == 12


def test_keywords_in_upper_case_and_with_endings(tmp_path):
    text = "ELEMENTS O H\nCutoff_Type 1\nGLOBAL_SYMFUNCTION_SHORT_ATOMIC 2 0.1 0 6.0\nSymFunction H 2 O 0.3 0 6.0\n"
    assert len(read(tmp_path, text)) == 5


@pytest.mark.parametrize("lines", ["cutoff_type 1\ncutoff_alpha 0.5\n", "cutoff_alpha 0.5\ncutoff_type 1 0.5\n"])
def test_inner_cutoff(tmp_path, lines):
    (found,) = read(tmp_path, f"elements H\n{lines}symfunction_short H 2 H 0.1 0 6.0\n")
    assert found.envelope == Cutoff(6.0, "cosine", 0.5)


def test_inner_cutoff_of_hard_and_smooth_cutoffs(tmp_path):
    for number, kind, alpha in ((0, "hard", 0.0), (4, "exp", 0.5), (8, "poly4", 0.5)):
        lines = f"elements H\ncutoff_type {number}\ncutoff_alpha 0.5\n"
        (found,) = read(tmp_path, lines + "symfunction_short H 2 H 0.1 0 6.0\n")
        assert found.envelope == Cutoff(6.0, kind, alpha)


# --- RuNNer 2 ---

RUNNER2 = """\
nnp_generation 2
runner_mode train
elements O H
fc_cosine 1 8.0
fc_cosine 2 2.0 8.0
fc_hard 3 0.0 5.0
default_nodes 15 15
symfunction H 2 O 0.02 0.5 1
symfunction H 3 O H 0.01 -1.0 4.0 2
symfunction O 2 H 0.03 0.0 3
"""


def test_numbers_of_cutoff_functions(tmp_path):
    assert read(tmp_path, RUNNER2) == [
        Radial("H", "O", Cutoff(8.0, "cosine"), 0.02, 0.5),
        Angular("H", ("H", "O"), Cutoff(8.0, "cosine", 0.25), Power(4.0, -1.0), 0.01, narrow=True),
        Radial("O", "H", Cutoff(5.0, "hard"), 0.03),
    ]


def test_features_are_those_of_the_same_functions_in_runner_1(tmp_path):
    water = Atoms("OH2", [[0.1, 0.2, 0.3], [1.0, 0.2, 0.3], [-0.1, 1.1, 0.3]])
    lines = "".join(f"symfunction {a} 2 {b} 0.02 0.0 {{}}\n" for a in "HO" for b in "HO")
    old, new = tmp_path / "old.nn", tmp_path / "new.nn"
    old.write_text("elements H O\ncutoff_type 1\n" + lines.replace("{}", "8.0"))
    new.write_text("elements H O\nfc_cosine 1 0.0 8.0\n" + lines.replace("{}", "1"))
    values = [ACSF.from_file(path, "Bohr").create(water) for path in (old, new)]
    assert values[0].tobytes() == values[1].tobytes() and values[0].any()
    radius = read_functions(new, "Bohr")[1][0].envelope.radius
    assert radius == pytest.approx(8 * Bohr, rel=1e-15)


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("fc_hard 3", "fc_tanhu 3", 6, "expected a cutoff function fc_cosine or fc_hard"),
        ("fc_cosine 2 2.0", "fc_cosine 1 2.0", 5, "expected each number once, found 1 again"),
        ("2 2.0 8.0", "2 9.0 8.0", 5, "expected an inner cutoff from 0 to the outer one, found 9 and 8"),
        ("fc_cosine 1 8.0", "fc_cosine 1", 4, "expected 2 to 3 arguments, found 1"),
        ("0.5 1\n", "0.5 8.0\n", 8, "number of a cutoff function in RuNNer 2: expected one of 1, 2, 3; found 8.0"),
        ("H 3 O H", "H 22 O H", 9, "expected a type 2 or 3 (others of RuNNer 2 are not supported)"),
        ("runner_mode train", "cutoff_type 1", 2, "expected no such keyword with cutoff functions of RuNNer 2"),
        ("fc_cosine 1 8.0\nfc_cosine 2 2.0 8.0\nfc_hard 3 0.0 5.0\n", "", 5, "a line fc_cosine NUMBER INNER OUTER"),
    ],
)
def test_errors_name_file_and_line(tmp_path, before, after, line, said):
    assert RUNNER2.count(before) == 1
    with pytest.raises(FormatError) as caught:
        read(tmp_path, RUNNER2.replace(before, after))
    assert said in str(caught.value) and caught.value.line == line
