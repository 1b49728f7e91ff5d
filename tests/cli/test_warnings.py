"""Warnings on the command line: one line each, once."""

from __future__ import annotations

from support.potential_folders import SETTINGS, files, write

from fastsf.cli.main import main


def test_a_folder_without_units(tmp_path, capsys):
    folder = write(tmp_path / "folder", {**files(), "input.nn": SETTINGS.replace(" 6.0\n", " 12.0\n")})
    command = ["convert", str(folder), str(tmp_path / "model.h5"), "--to", "fastsf"]
    assert main(command) == 0
    assert capsys.readouterr().err.count("12 Angstrom = 12.00 Å, is unusually large; it would be 6.35 Å") == 1
    assert main([*command, "--overwrite", "--length-unit", "Bohr", "--energy-unit", "Hartree"]) == 0
    assert "largest cutoff" not in capsys.readouterr().err


def test_inspect_of_a_file_of_runner_2(tmp_path, capsys):
    text = "elements H O\nfc_cosine 1 0.0 8.0\nsymfunction H 2 O 0.02 0.0 1\nsymfunction O 2 H 0.02 0.0 1\n"
    folder = write(tmp_path / "folder", {**files(), "input.nn": text})
    assert main(["inspect", str(folder), "--length-unit", "Bohr"]) == 2
    output = capsys.readouterr().out
    assert "H: over O neighbours exp(-0.02 r^2) fc(r), rc = 8" in output
    assert "this is a file of RuNNer 2" in output


def test_inspect_of_keywords_of_runner(tmp_path, capsys):
    lines = "short_energy_group 1\nrandom_number_type 5\nfitting_unit eV\nglobal_symfunction_short 2 0.7 0 6.0\n"
    folder = write(tmp_path / "folder", {**files(), "input.nn": SETTINGS + lines})
    main(["inspect", str(folder), "--length-unit", "Bohr"])
    output = capsys.readouterr().out
    assert "unknown" not in output
    assert "4 functions such as H: over H neighbours exp(-0.7 r^2) fc(r), rc = 6" in output
