"""``fastsf inspect`` of potentials: explanations of all lines, errors and remarks."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.golden_n2p2 import CASES
from support.potential_folders import SETTINGS, files, write
from support.potentials import random_potential
from support.strategies import REPEATABLE, mutations

from fastsf.cli.main import main
from fastsf.errors import FastsfError, InputError
from fastsf.potentials.potential import Potential
from fastsf.reports.potential import describe_folder, describe_model

CLEAN = SETTINGS.replace(
    "symfunction_short O 2 O 0.25 1.0 6.0\n", "symfunction_short O 2 O 0.25 1.0 6.0\nuse_short_forces\n"
)


def explained(text: str, line: str) -> str:
    """Return the explanation of a line of input.nn."""
    found = re.search(rf"^ *\d+  {re.escape(line)}  +(.*)$", text, re.MULTILINE)
    assert found is not None, line
    return found[1]


def findings(text: str) -> str:
    return text[re.search(r"^found \d+ errors?$", text, re.MULTILINE).start() :]


def test_every_line_in_words(tmp_path):
    text, wrong = describe_folder(write(tmp_path, {**files(), "input.nn": CLEAN}), "Angstrom", "Hartree")
    assert wrong == 0 and findings(text) == "found 0 errors\nfound 0 remarks"
    for line in CLEAN.splitlines()[1:]:
        words = " ".join(line.split("!")[0].split())
        assert explained(text, words) not in ("unknown", "")
    said = {
        "cutoff_type 1": "cutoff function cosine: (1 + cos(pi x)) / 2",
        "atom_energy H -0.5": "energy of a free atom, added for each atom of the element (Hartree)",
        "symfunction_short O 2 H 0.25 1.0 6.0": "O: over H neighbours exp(-0.25 (r - 1)^2) fc(r), rc = 6",
        "symfunction_short O 3 H H 0.1 -1 2.0 6.0": "O: over pairs of H neighbours (1 - cos)^2 times "
        "exp(-0.1 r^2) fc(r) for all three distances, rc = 6",
        "use_short_forces": "forces are trained too (training)",
        "global_activation_short t p l": "activation functions: hidden layers tanh, softplus; output linear",
    }
    for line, words in said.items():
        assert explained(text, line) == words
    assert "  O  3 functions, layers 3-4-2-1 (tanh, softplus, linear), 29 weights and biases" in text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "H 12 0.2 -0.5 5.5",
            "H: over all neighbours, times their atomic number, exp(-0.2 (r + 0.5)^2) fc(r), rc = 5.5",
        ),
        ("H 20 O -1.0 6.0 p1a", "H: over O neighbours a bump (poly1, asymmetric), from -1 to 6"),
        (
            "H 22 O H 0.5 6.0 -60.0 60.0 e",
            "H: over pairs of H and O neighbours angles from -60 to 60 degrees (exp) times a bump (exp) for "
            "the distances from the centre, from 0.5 to 6",
        ),
        (
            "H 13 0.0 0.0 0.5 2.5 5.5",
            "H: over all pairs of neighbours, times their atomic numbers, (1 + 0.5 cos)^2.5 times fc(r) for "
            "all three distances, rc = 5.5",
        ),
        ("H 2 X", "symmetry function (this line cannot be read)"),
    ],
)
def test_functions_in_words(tmp_path, line, words):
    text, _ = describe_folder(write(tmp_path, {"input.nn": f"elements H O\nsymfunction_short {line}\n"}))
    assert explained(text, f"symfunction_short {line}") == words


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("input.nn", "cutoff_type 1\n", "", "cutoff_type is missing, but line"),
        (
            "input.nn",
            "cutoff_type",
            "cutof_type",
            "keyword 'cutof_type' has no effect; is 'cutoff_type' meant?",
        ),
        ("input.nn", "use_short_forces", "use_the_force", "unknown keyword 'use_the_force' has no effect\n"),
        ("input.nn", " 6.0\n", " 12.0\n", "12 Angstrom = 12.00 Å, is unusually large; it would be 6.35 Å if it is in"),
        ("input.nn", " 6.0\n", " 0.6\n", "0.6 Angstrom = 0.60 Å, is far too small; it would be 6.00 Å if it is in nm"),
        ("input.nn", "O 4 2", "O 4 9", "the last entry of element_nodes_short, 9, has no effect"),
        ("input.nn", "H s g l", "H s g t", "the last entry of element_activation_short, t, has no effect"),
        ("input.nn", "t p l", "t p t", "the output is not linear (t)"),
        ("input.nn", "atom_energy O -75.0\n", "", "atom_energy is given for H, not for O"),
        ("input.nn", "O 2 O 0.25", "O 2 H 0.25", "2 times the same function: G2(O;H) eta=0.25"),
        ("input.nn", "O 2 O 0.25", "O 2 H 0.2", "no function of O sees O neighbours"),
        ("input.nn", "0.1 -1 2.0", "0.1 0 2.0", "forces of n2p2 are NaN with lambda = 0: G4(O;H,H)"),
        ("input.nn", "scale_symmetry_functions\n", "", "scale_min_short has no effect: functions are not scaled"),
        ("input.nn", "center_", "scale_symmetry_functions_sigma\ncenter_", "sigma has no effect with center_symm"),
        ("scaling.data", "1 2 0.5 1.0", "1 2 1.0 1.0", "H function 2 never changed in the training set (minimum ="),
        ("scaling.data", "1 2 0.5 1.0", "1 2 0.75 0.75000001", "H function 2 changed by 1.0e-08 only: G2(H;O)"),
        ("scaling.data", "0.5 1.0 0.75", "0.5 1.0 1.75", "H function 2: the mean is not between minimum and maximum"),
    ],
)
def test_what_is_suspicious(tmp_path, name, before, after, said):
    texts = {**files(), "input.nn": CLEAN}
    assert before in texts[name]
    texts[name] = texts[name].replace(before, after)
    text, wrong = describe_folder(write(tmp_path, texts))
    assert wrong == 0 and said in findings(text) + "\n"


def test_suspicious_weights(tmp_path):
    numbers = "\n".join(["0.0"] * 20) + "\n"
    texts = {**files(), "weights.001.data": numbers, "weights.006.data": "1.0\n"}
    text, wrong = describe_folder(write(tmp_path, texts))
    assert wrong == 0
    assert "weights.001.data: all weights and biases are zero" in text
    assert "weights.006.data: belongs to none of the elements H, O" in text
    text, _ = describe_folder(write(tmp_path, {"weights.001.data": numbers.replace("0.0\n", "1e6\n", 1)}))
    assert "weights.001.data: the largest weight or bias is 1e+06" in text


def test_sigma_of_zero(tmp_path):
    settings = CLEAN.replace("scale_symmetry_functions\ncenter_symmetry_functions", "scale_symmetry_functions_sigma")
    texts = {**files(), "input.nn": settings}
    texts["scaling.data"] = texts["scaling.data"].replace("0.75 0.1", "0.75 0.0")
    text, wrong = describe_folder(write(tmp_path, texts))
    assert wrong == 0 and "(sigma = 0); n2p2 divides by zero, fastsf ignores the function: G2(H;O)" in text


def test_all_errors_at_once(tmp_path):
    texts = {**files(), "scaling.data": "1 1 0 1 0\n", "weights.008.data": "1.0\n"}
    texts["input.nn"] = CLEAN.replace("2G-HDNNP", "4G-HDNNP")
    folder = write(tmp_path, texts)
    (folder / "weights.001.data").unlink()
    text, wrong = describe_folder(folder)
    assert wrong == 4
    for said in (
        f"{folder}/input.nn:4: nnp_type: expected 2G-HDNNP",
        "scaling.data: expected 5 functions as in input.nn, found 1",
        "weights.001.data: No such file",
        "weights.008.data: expected 29 weights and biases for the layers 3-4-2-1, found 1",
    ):
        assert said in findings(text)


@pytest.mark.parametrize("case", CASES)
def test_reference_cases_have_nothing_wrong(shared, case):
    text, wrong = describe_folder(shared / "reference" / case)
    assert wrong == 0
    assert "unknown" not in text and "cannot be read" not in text


def test_unknown_units(tmp_path):
    with pytest.raises(InputError, match="unknown length unit"):
        describe_folder(write(tmp_path), "furlong")
    with pytest.raises(InputError, match="unknown energy unit"):
        describe_folder(tmp_path, energy_unit="cal")


@REPEATABLE
@given(st.data())
def test_damaged_folders_are_described(tmp_path_factory, data):
    texts = files()
    for name in data.draw(st.sets(st.sampled_from(sorted(texts)), min_size=1)):
        texts[name] = data.draw(mutations(texts[name]))
    folder = write(tmp_path_factory.mktemp("nn"), texts)
    _, wrong = describe_folder(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            Potential.load(folder)
        except FastsfError:
            assert wrong > 0
        else:
            assert wrong == 0


# --- on the command line ---


def test_inspect(tmp_path, capsys):
    folder = write(tmp_path / "folder")
    assert main(["inspect", str(folder), "--length-unit", "Bohr"]) == 0
    assert "read in Bohr and eV" in capsys.readouterr().out
    Potential.load(folder).export_n2p2(tmp_path / "exported", "Bohr", "Hartree")
    assert main(["inspect", str(tmp_path / "exported")]) == 0
    assert "read in Bohr and Hartree" in capsys.readouterr().out
    (folder / "weights.008.data").unlink()
    assert main(["inspect", str(folder)]) == 2
    output = capsys.readouterr()
    assert "weights.008.data: No such file" in output.out
    assert output.err == f"fastsf: {folder}: the potential cannot be used: found 1 error\n"


def test_inspect_of_a_model_file(tmp_path, capsys):
    path = tmp_path / "model"
    random_potential().save(path)
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert text == describe_model(path) + "\n"
    assert "O  network 10-6-4-1 (tanh, softplus, linear)" in text and "     6  wG2(S;*)" not in text
    assert "  ... and 5 functions more (--verbose lists all)" in text
    assert main(["inspect", str(path), "--verbose"]) == 0
    assert "     6  wG2(S;*)" in capsys.readouterr().out
    assert main(["inspect", str(path), "--plots", str(tmp_path / "p")]) == 2
    assert "--plots belongs to feature files" in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-1])
    assert main(["inspect", str(path)]) == 2
    assert "damaged or cut off" in capsys.readouterr().err
