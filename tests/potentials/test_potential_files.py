"""Folders of RuNNer and n2p2: their contents and their errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from ase.units import Bohr, Hartree
from hypothesis import given
from hypothesis import strategies as st
from support.potential_folders import SETTINGS, SIZES, files, same, weights_text, write
from support.strategies import REPEATABLE, mutations

from fastsf.errors import FastsfError, FormatError, InputError, StorageError
from fastsf.io.n2p2.scaling_data import format_scaling_data, read_scaling_data
from fastsf.io.n2p2.weights import count_parameters, format_weights, read_weights, weights_name
from fastsf.potentials.files.folder import read_potential_folder
from fastsf.potentials.potential import Potential

# --- reading folders ---


def test_everything_in_a_folder(tmp_path):
    own = Potential.load(write(tmp_path), "Bohr", "Hartree")
    assert own.elements == ("H", "O")
    assert own.networks["H"].sizes == (2, 3, 2, 1) and own.networks["O"].sizes == (3, 4, 2, 1)
    assert own.networks["H"].activations == ("logistic", "gaussian", "linear")
    assert own.networks["O"].activations == ("tanh", "softplus", "linear")
    assert own.energy_scale == pytest.approx(Hartree / 4.0, rel=1e-15)
    assert own.length_scale == pytest.approx(2.0 / Bohr, rel=1e-15)
    assert own.offsets == pytest.approx({"H": -1.75 * Hartree, "O": -76.25 * Hartree}, rel=1e-15)
    scaling = own.scalings["O"]
    assert (scaling.mode, scaling.lowest, scaling.highest) == ("scale_center", -1.0, 2.0)
    assert scaling.maximum.tolist() == [1.5, 2.5, 1.0] and scaling.sigma.tolist() == [0.2, 0.2, 0.3]
    assert own.descriptor.cutoff == pytest.approx(6 * Bohr, rel=1e-15)
    assert own.metadata["length_unit"] == "Bohr"
    written = [float(line.split()[0]) for line in weights_text("O").splitlines() if line[0] != "#"]
    assert own.networks["O"].parameters.tolist() == written
    assert own.networks["O"].weights[0][1].tolist() == written[4:8]  # second input to all nodes


def test_last_entry_for_an_element_is_ignored_as_in_n2p2(tmp_path):
    text = SETTINGS.replace("O 4 2", "O 4 9").replace("H s g l", "H s g t")
    own = Potential.load(write(tmp_path, {**files(), "input.nn": text}))
    assert same(own, Potential.load(write(tmp_path / "plain")))


@pytest.mark.parametrize(
    ("keywords", "mode"),
    [
        ((), "none"),
        (("scale_symmetry_functions",), "scale"),
        (("center_symmetry_functions",), "center"),
        (("scale_symmetry_functions", "center_symmetry_functions"), "scale_center"),
        (("scale_symmetry_functions_sigma",), "scale_sigma"),
        (("scale_symmetry_functions_sigma", "center_symmetry_functions"), "center"),
    ],
)
def test_modes_of_scaling(tmp_path, keywords, mode):
    plain = SETTINGS.replace("scale_symmetry_functions\n", "").replace("center_symmetry_functions\n", "")
    text = plain + "".join(f"{keyword}\n" for keyword in keywords)
    assert Potential.load(write(tmp_path, {**files(), "input.nn": text})).scalings["H"].mode == mode


def test_no_hidden_layer_and_normalized_nodes(tmp_path):
    text = SETTINGS.replace("short 2\n", "short 0\n", 1).replace("global_nodes_short 3 2\n", "")
    text = text.replace("short t p l", "short t").replace("element_nodes_short O 4 2\n", "normalize_nodes\n")
    text = text.replace("element_activation_short H s g l\n", "")
    weights = {"weights.001.data": "1\n2\n3\n", "weights.008.data": "1\n2\n3\n4"}
    own = Potential.load(write(tmp_path, {**files(), "input.nn": text, **weights}))
    assert own.networks["H"].sizes == (2, 1) and own.networks["H"].activations == ("tanh",)
    assert own.networks["H"].normalize_nodes
    assert own.networks["O"].parameters.tolist() == [1, 2, 3, 4]


def in_fortran(text: str) -> str:
    return text.replace("E+", "D+").replace("E-", "D-")


def with_tabs(text: str) -> str:
    return "".join("\t" + line.replace(" ", "\t") + " \t\n" for line in text.splitlines())


def with_comments(text: str) -> str:
    return "! before\n\n" + "".join(f"{line}#1.0 2.0! 3\n  \n" for line in text.splitlines())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "\ufeff" + text,
        in_fortran,
        with_tabs,
        with_comments,
    ],
    ids=["crlf", "no_last_line_end", "byte_order_mark", "fortran", "tabs", "comments"],
)
def test_the_same_written_otherwise(tmp_path, change):
    texts = {name: change(text) for name, text in files().items()}
    assert same(Potential.load(write(tmp_path / "a")), Potential.load(write(tmp_path / "b", texts)))


def test_misspelt_keywords(tmp_path):
    text = SETTINGS.replace("scale_symmetry_functions", "scale_symetry_functions", 1)
    folder = write(tmp_path, {**files(), "input.nn": text})
    with pytest.warns(UserWarning, match="nn:8: unknown keyword 'scale_symetry_functions'"):
        assert Potential.load(folder).scalings["H"].mode == "center"


def test_old_scaling_files(tmp_path):
    without_sigma = "1 1 0 1 0.5\n1 2 0 2 0.5\n2 1 0 1 0.5\n"
    table = read_scaling_data(write(tmp_path, {"s": without_sigma}) / "s", {"H": 2, "O": 1})
    assert table["H"][:, :3].tolist() == [[0, 1, 0.5], [0, 2, 0.5]] and np.isnan(table["O"][:, 3]).all()
    with_energies = without_sigma + "-10.5 3.5\n"
    again = read_scaling_data(write(tmp_path, {"s": with_energies}) / "s", {"H": 2, "O": 1})
    np.testing.assert_array_equal(again["O"], table["O"])


def test_published_silicon_and_lithium(shared):
    for symbol in ("Si", "Li"):
        own = Potential.load(shared / "data" / "mlearn_nnp" / symbol, "Bohr", "Hartree")
        assert 5.0 < own.descriptor.cutoff < 6.0 and own.networks[symbol].sizes[1:] == (24, 24, 1)


# --- errors ---


def edited(name: str, before: str, after: str, count: int = 1) -> dict[str, str]:
    texts = files()
    assert before in texts[name]
    return {**texts, name: texts[name].replace(before, after, count)}


def line_of(name: str, text: str) -> int:
    return next(number for number, line in enumerate(files()[name].splitlines(), 1) if line.startswith(text))


@pytest.mark.parametrize(
    ("name", "before", "after", "line", "said"),
    [
        (
            "input.nn",
            "nnp_type 2G-HDNNP",
            "nnp_type 4G-HDNNP",
            "nnp_type",
            "expected 2G-HDNNP or 2 (other kinds are not supported)",
        ),
        ("input.nn", "nnp_type 2G-HDNNP", "nnp_gen 4", "nnp_type", "(other kinds are not supported), found '4'"),
        ("input.nn", "nnp_type 2G-HDNNP", "use_electrostatics", "nnp_type", "electrostatic energies are not"),
        ("input.nn", "mean_energy -1.25\n", "", "conv_energy", "expected all of mean_energy, conv_energy, conv_length"),
        ("input.nn", "conv_energy 4.0", "conv_energy 0", "conv_energy", "expected a positive factor, found 0"),
        ("input.nn", "atom_energy O -75.0", "atom_energy C -75.0", "atom_energy O", "one of the elements H O"),
        (
            "input.nn",
            "atom_energy O -75.0",
            "atom_energy H -75.0",
            "atom_energy O",
            "H: expected one energy, found -75.0 and, on line 5, -0.5",
        ),
        ("input.nn", "atom_energy O -75.0", "atom_energy O nan", "atom_energy O", "expected a number for the energy"),
        (
            "input.nn",
            "global_nodes_short 3 2\n",
            "",
            None,
            "expected the keyword 'global_nodes_short', which is missing",
        ),
        ("input.nn", "nodes_short 3 2", "nodes_short 3", "global_nodes", "expected 2 arguments, found 1"),
        ("input.nn", "nodes_short 3 2", "nodes_short 3 0", "global_nodes", "from 1 to"),
        ("input.nn", "nodes_short 3 2", "nodes_short 3 2.5", "global_nodes", "expected a whole number"),
        ("input.nn", "short 2\n", "short -1\n", "global_hidden", "hidden layers from 0 to"),
        (
            "input.nn",
            "short t p l",
            "short t q l",
            "global_activation",
            "activation function: expected one of l t s p r g c S e h, found 'q'",
        ),
        ("input.nn", "short t p l", "short t p", "global_activation", "expected 3 arguments, found 2"),
        ("input.nn", "H s g l", "H s g", "element_activation", "expected 4 arguments, found 3"),
        ("input.nn", "O 4 2", "C 4 2", "element_nodes", "expected one of the elements H O, found 'C'"),
        ("input.nn", "O 4 2", "O 4", "element_nodes", "expected 3 arguments, found 2"),
        ("input.nn", "max_short 2.0", "max_short -1.0", "scale_max", "expected a range from lower to higher"),
        (
            "scaling.data",
            "1 2 0.5",
            "1 3 0.5",
            "1 2",
            "element 1 (H), function 2; found element 1, function 3",
        ),
        ("scaling.data", "1 2 0.5", "2 2 0.5", "1 2", "found element 2, function 2"),
        ("scaling.data", "1 2 0.5", "1 2 x", "1 2", "expected a number for the minimum, found 'x'"),
        ("scaling.data", "1 2 0.5", "1 2 1.5", "1 2", "expected a minimum up to the maximum"),
        ("scaling.data", "0.75 0.1", "0.75 -0.1", "1 2", "sigma of at least 0"),
        ("scaling.data", "0.75 0.1", "0.75", "1 2", "expected 6 numbers, found 5"),
        ("scaling.data", "2 1 0.0 1.5 1.0 0.2\n", "", "2 1", "function 1; found element 2, function 2"),
        ("scaling.data", "2 3 -0.0 1.0 0.5 0.3\n", "", None, "expected 5 functions as in input.nn, found 4: the first"),
        ("scaling.data", "2 3 -0.0", "2 3 0 1 0 0\n2 4 -0.0", None, "expected 5 functions as in input.nn, found more"),
        ("scaling.data", "# e", "1 2\n# e", None, "expected 5 or 6 numbers, found 2"),
    ],
)
def test_errors_name_file_and_line(tmp_path, name, before, after, line, said):
    path = write(tmp_path, edited(name, before, after))
    with pytest.raises(FormatError) as caught:
        Potential.load(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path / name))
    if line is not None:
        assert caught.value.line == line_of(name, line) - ("mean_energy" in before)


def test_elements_without_functions(tmp_path):
    text = "\n".join(line for line in SETTINGS.splitlines() if not line.startswith("symfunction_short O"))
    with pytest.raises(FormatError, match="expected symmetry functions for all elements, found none for O"):
        Potential.load(write(tmp_path, {**files(), "input.nn": text}))


def test_missing_files(tmp_path):
    for name in files():
        folder = write(tmp_path / name)
        (folder / name).unlink()
        with pytest.raises(StorageError, match=rf"{name}: No such file"):
            Potential.load(folder)
    with pytest.raises(StorageError, match="no such file"):
        Potential.load(tmp_path / "nowhere")
    with pytest.raises(StorageError, match=r"expected a folder with input\.nn"):
        read_potential_folder(tmp_path / "nowhere")


def test_unknown_units(tmp_path):
    with pytest.raises(InputError, match="unknown energy unit 'cal'"):
        Potential.load(write(tmp_path), "Bohr", "cal")
    with pytest.raises(InputError, match="unknown length unit"):
        Potential.load(write(tmp_path), "furlong")


# --- weights ---


def numbers_of(symbol: str) -> list[str]:
    return [line for line in weights_text(symbol).splitlines() if line[0] != "#"]


@pytest.mark.parametrize("columns", [1, 2, 7])
def test_truncated_weights(tmp_path, columns):
    """Truncation is noticed; in files with one column if it is inside a number."""
    lines = [" ".join(line.split()[:columns]) for line in numbers_of("H")]
    whole = "\n".join(lines)
    path = tmp_path / "weights"
    path.write_text(whole)
    parameters = read_weights(path, SIZES["H"])
    assert len(parameters) == count_parameters(SIZES["H"]) == 20
    for length in range(len(whole)):
        path.write_text(whole[:length])
        try:
            found = read_weights(path, SIZES["H"])
        except FormatError as error:
            assert str(error).startswith(str(path))
        else:
            np.testing.assert_array_equal(found, parameters)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-1], "expected 20 weights and biases for the layers 2-3-2-1, found 19"),
        (lambda lines: [*lines, "1.0 b 21 3 1"], "found 21"),
        (lambda lines: [lines[0], *lines[:-1]], ":2: expected the running number 2 in column 3, found 1"),
        (lambda lines: [*lines[:5], "x a", *lines[6:]], ":6: expected a number for a weight or bias, found 'x'"),
        (lambda lines: [*lines[:5], "inf a", *lines[6:]], ":6: expected a number"),
        (lambda lines: [*lines[:5], "1.0", *lines[6:]], ":6: expected 7 columns as before, found only 1.0"),
        (lambda lines: [], "found 0"),
    ],
)
def test_wrong_weights(tmp_path, change, said):
    path = tmp_path / "weights.001.data"
    path.write_text("\n".join(change(numbers_of("H"))) + "\n")
    with pytest.raises(FormatError) as caught:
        read_weights(path, SIZES["H"])
    assert said in str(caught.value) and str(path) in str(caught.value)


# --- mutations ---


@REPEATABLE
@given(st.data())
def test_damaged_folders_give_errors_or_potentials(tmp_path_factory, data):
    texts = files()
    name = data.draw(st.sampled_from(sorted(texts)))
    texts[name] = data.draw(mutations(texts[name]))
    folder = write(tmp_path_factory.mktemp("nn"), texts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            own = Potential.load(folder)
        except FastsfError as error:
            assert str(folder) in str(error)
            return
    check_against(own, texts)


def check_against(own: Potential, texts: dict[str, str]) -> None:
    """Check that the files contain every number of the potential in the same order."""
    for symbol in own.elements:
        parameters = own.networks[symbol].parameters
        assert len(parameters) == count_parameters(own.networks[symbol].sizes)
        np.testing.assert_array_equal(parameters, first_column(texts[weights_name(symbol)]))
        assert own.networks[symbol].sizes[0] == len(own.scalings[symbol]) == len(own.descriptor.columns[symbol])
    rows = [line.split("#")[0].split("!")[0].split() for line in texts["scaling.data"].splitlines()]
    minima = [float(row[2].replace("D", "e").replace("d", "e")) for row in rows if len(row) > 2]
    np.testing.assert_array_equal(np.concatenate([own.scalings[symbol].minimum for symbol in own.elements]), minima)
    for values in (own.offsets.values(), [own.energy_scale]):
        assert np.isfinite(list(values)).all()


def first_column(text: str) -> list[float]:
    words = [line.split("#")[0].split("!")[0].split() for line in text.splitlines()]
    return [float(row[0].replace("D", "e").replace("d", "e")) for row in words if row]


@REPEATABLE
@given(st.binary(max_size=300), st.sampled_from(["input.nn", "scaling.data", "weights.001.data"]))
def test_bytes_give_errors(tmp_path_factory, junk, name):
    folder = write(tmp_path_factory.mktemp("nn"))
    (folder / name).write_bytes(junk)
    with pytest.raises(FormatError, match=name):
        Potential.load(folder)


@REPEATABLE
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=20, max_size=20))
def test_any_weights_read_back(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("w") / "weights.001.data"
    path.write_text(format_weights(np.array(numbers), SIZES["H"]))
    np.testing.assert_array_equal(read_weights(path, SIZES["H"]), numbers)


def test_any_statistics_read_back(tmp_path):
    rng = np.random.default_rng(8)
    tables = {symbol: np.sort(rng.lognormal(size=(4, 4)) * 10.0 ** rng.integers(-300, 300), axis=1) for symbol in "HO"}
    tables = {symbol: table[:, [0, 3, 1, 2]] for symbol, table in tables.items()}
    tables["O"][:, 3] = np.nan
    tables["H"][:, 3] = np.nan
    path = tmp_path / "scaling.data"
    path.write_text(format_scaling_data(tables))
    again = read_scaling_data(path, {"H": 4, "O": 4})
    for symbol, table in tables.items():
        np.testing.assert_array_equal(again[symbol], table)
