"""Weights under the names that trainings of RuNNer and n2p2 leave, and numbers that n2p2 cannot know."""

from __future__ import annotations

import numpy as np
import pytest
from support.potential_folders import SETTINGS, files, same, weights_text, write

from fastsf.errors import FastsfWarning, FormatError, StorageError
from fastsf.io.n2p2.scaling_data import format_scaling_data, read_scaling_data
from fastsf.potentials.files.folder import read_potential_folder
from fastsf.potentials.potential import Potential
from fastsf.reports.potential import describe_folder


def renamed(form: str, *more: str) -> dict[str, str]:
    """Return the files of a folder with weights of other names; those of `more` forms have other numbers."""
    texts = {name: text for name, text in files().items() if not name.startswith("weights")}
    for number, symbol in ((1, "H"), (8, "O")):
        texts |= {other.format(number): weights_text(symbol, 77) for other in more}
        texts[form.format(number)] = weights_text(symbol)
    return texts


@pytest.mark.parametrize(
    ("form", "more", "said"),
    [
        ("optweights.{:03d}.out", ("weights.{:03d}.000009.out",), "best epoch: optweights.001.out, optweights.008.out"),
        (
            "weights.{:03d}.000010.out",
            ("weights.{:03d}.000009.out", "weights.{:03d}.000002.out"),
            "epoch 10: weights.001.000010.out, weights.008.000010.out",
        ),
        ("{:03d}.data", (), None),
        ("000030.short.{:03d}.out", ("000005.short.{:03d}.out",), "epoch 30: 000030.short.001.out"),
    ],
)
def test_weights_of_a_training(tmp_path, form, more, said):
    expected = Potential.load(write(tmp_path / "usual"))
    folder = write(tmp_path / "other", renamed(form, *more))
    if said is None:
        with pytest.raises(StorageError, match=r"weights\.001\.data: No such file"):
            Potential.load(folder)
        return
    with pytest.warns(FastsfWarning, match=said):
        assert same(Potential.load(folder), expected)


def test_last_epoch_that_has_all_elements(tmp_path):
    folder = write(tmp_path / "other", renamed("weights.{:03d}.000010.out"))
    (folder / "weights.001.000011.out").write_text(weights_text("H", 77))
    with pytest.warns(FastsfWarning, match="epoch 10"):
        assert same(Potential.load(folder), Potential.load(write(tmp_path / "usual")))


def test_weights_of_different_kinds_are_not_mixed(tmp_path):
    folder = write(tmp_path)
    (folder / "weights.001.data").rename(folder / "optweights.001.out")
    with pytest.raises(StorageError, match=r"weights\.001\.data: no such file; to use optweights\.001\.out, rename"):
        Potential.load(folder)
    text, wrong = describe_folder(folder)
    assert wrong == 1 and "to use optweights.001.out, rename it so" in text


@pytest.mark.parametrize("word", ["nan", "NaN", "-nan", "-NAN", "+NaN", "nan(ind)"])
def test_sigma_of_one_atom(tmp_path, word):
    texts = files()
    texts["scaling.data"] = texts["scaling.data"].replace("0.5 0.1\n", f"0.5 {word}\n")
    parts = read_potential_folder(write(tmp_path, texts))
    assert np.isnan(parts.scalings["H"].sigma[0]) and parts.scalings["H"].sigma[1] == 0.1
    texts["input.nn"] = SETTINGS.replace("center_symmetry_functions\n", "").replace(
        "_functions\n", "_functions_sigma\n"
    )
    with pytest.raises(FormatError, match="sigma of column 1: expected a finite number, found nan"):
        read_potential_folder(write(tmp_path, texts))
    texts["scaling.data"] = texts["scaling.data"].replace("2.0 0.5", f"2.0 {word}")
    with pytest.raises(FormatError, match="expected a number for the mean"):
        read_potential_folder(write(tmp_path, texts))


def test_some_unknown_sigmas_read_back(tmp_path):
    tables = {"H": np.array([[0.0, 1.0, 0.5, np.nan], [0.0, 1.0, 0.5, 0.25]]), "O": np.array([[0.0, 0.0, 0.0, np.nan]])}
    path = tmp_path / "scaling.data"
    path.write_text(format_scaling_data(tables))
    again = read_scaling_data(path, {"H": 2, "O": 1})
    for symbol, table in tables.items():
        np.testing.assert_array_equal(again[symbol], table)


def test_functions_that_never_changed(tmp_path):
    texts = files()
    texts["scaling.data"] = texts["scaling.data"].replace("0.5 1.0 0.75", "0.75 0.75 0.75")
    with pytest.warns(FastsfWarning, match=r"never changed in the training set are ignored \(1 of H\); n2p2 divides"):
        parts = read_potential_folder(write(tmp_path, texts))
    assert parts.scalings["H"].zero_range.tolist() == [False, True]


@pytest.mark.parametrize("radius", ["12.0", "1.2"])
def test_cutoffs_of_another_unit(tmp_path, radius):
    texts = {**files(), "input.nn": SETTINGS.replace(" 6.0\n", f" {radius}\n")}
    folder = write(tmp_path, texts)
    with pytest.warns(FastsfWarning, match=r"the largest cutoff, .* Å, is .*--length-unit and --energy-unit"):
        read_potential_folder(folder)
    read_potential_folder(folder, "Angstrom")
    read_potential_folder(folder, "Bohr", "Hartree")
    Potential.load(folder, "Bohr").export_n2p2(tmp_path / "exported", "nm", "eV")
    read_potential_folder(tmp_path / "exported")


def test_scaling_and_layers_under_names_of_runner(tmp_path):
    text = SETTINGS.replace("scale_min_short", "SCALE_MIN_SHORT_ATOMIC").replace(
        "scale_max_short", "scale_max_short_atomic"
    )
    text = text.replace("global_nodes_short", "global_nodes_short_atomic").replace("elements O H", "ELEMENTS O H")
    texts = {**files(), "input.nn": text}
    assert same(Potential.load(write(tmp_path / "a", texts)), Potential.load(write(tmp_path / "b")))


def test_inner_cutoff_of_runner_gives_the_energy_of_n2p2s(tmp_path):
    from ase import Atoms

    water = Atoms("OH2", [[0.0, 0.0, 0.1], [0.9, 0.2, 0.0], [-0.3, 0.9, 0.2]])
    energies = []
    for name, line in (
        ("runner", "cutoff_type 1\ncutoff_alpha 0.4"),
        ("n2p2", "cutoff_type 1 0.4"),
        ("plain", "cutoff_type 1"),
    ):
        texts = {**files(), "input.nn": SETTINGS.replace("cutoff_type 1", line)}
        energies.append(Potential.load(write(tmp_path / name, texts), "Bohr").evaluate(water).energy)
    assert energies[0] == energies[1] and abs(energies[0] - energies[2]) > 1e-6


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fc_cosine 1 0.0 8.0", r"input\.nn:2: fc_cosine: this is a file of RuNNer 2: expected the networks"),
        ("default_nodes 15 15", "default_nodes: this is a file of RuNNer 2"),
        ("global_pairsymfunction_short 2 0.1 0 6", "networks of pairs are not supported"),
        ("node_activation_short H 1 1 t", "activation functions of single nodes are not supported"),
        ("use_vdW", "dispersion energies are not supported"),
    ],
)
def test_refused(tmp_path, line, said):
    texts = {**files(), "input.nn": SETTINGS.replace("number_of_elements 2", line)}
    with pytest.raises(FormatError, match=said):
        Potential.load(write(tmp_path, texts))
