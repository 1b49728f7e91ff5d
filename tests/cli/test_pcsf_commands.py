"""Commands with potentials of pair-centred functions, and damaged model files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from support.pcsf_potentials import mixed_potential, pair_potential
from support.systems import SYSTEMS

from fastsf import FormatError, Potential
from fastsf.potentials.files import model_file
from fastsf.potentials.parts import PotentialParts
from fastsf.potentials.result import Model
from fastsf.simulation.starting import remarks


@pytest.fixture
def model(tmp_path: Path) -> Path:
    pair_potential().save(tmp_path / "model.h5")
    return tmp_path / "model.h5"


# --- commands ---


def test_inspect(run, model: Path) -> None:
    status, out, err = run("inspect", model, "--verbose")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[:3] == [
        f"{model}: potential of fastsf, in Å and eV",
        "only energies of pairs; a single atom has its offset as energy",
        "  H  offset -0.5 eV",
    ]
    for line in (
        "35 pair-centred functions, largest cutoff 3.75 Å",
        "  envelope of pair energies: fc",
        "  H-O network 7-5-1 (tanh, linear), 46 parameters, scaling scale_center",
        "H-O: 7 functions",
        "     0  pair-distance(H-O)",
        "     6  pair-G4(H-O;H) eta=0.1 rs=0 lambda=-1 zeta=1 apex=third rc=3.75 poly4",
    ):
        assert line in lines, line
    assert not any(line.endswith(": 0 functions") for line in lines)


def test_predict(run, model: Path, tmp_path: Path) -> None:
    start, output = tmp_path / "start.xyz", tmp_path / "out.xyz"
    write(start, SYSTEMS["triclinic"]())
    status, _, err = run("predict", model, start, "-o", output, "--quiet")
    assert (status, err) == (0, "")
    expected = pair_potential().evaluate(read(start))
    assert read(output).get_potential_energy() == pytest.approx(expected.energy, rel=1e-10)
    np.testing.assert_allclose(read(output).get_forces(), expected.forces, atol=1e-7)
    write(start, Atoms("OAu", positions=[[0, 0, 0], [2, 0, 0]]))
    status, _, err = run("predict", model, start, "-o", output, "--overwrite", "--quiet")
    assert status == 2
    assert "no functions for element Au; there are functions for H, O, S" in err


def test_refusals(run, model: Path, tmp_path: Path) -> None:
    write(tmp_path / "start.xyz", SYSTEMS["molecule"]())
    status, _, err = run("mc", model, tmp_path / "start.xyz", "-o", tmp_path / "mc")
    assert (status, err) == (
        2,
        "fastsf: Monte Carlo has no update for pair-centred energies; use molecular dynamics (fastsf md)\n",
    )
    status, _, err = run("convert", model, tmp_path / "folder", "--to", "n2p2")
    reason = "folders of n2p2 and RuNNer have no energies of pairs; write a model file (--to fastsf)"
    assert (status, err) == (2, f"fastsf: {reason}\n")
    assert not (tmp_path / "mc").exists() and not (tmp_path / "folder").exists()


def test_remarks_on_pairs_without_energy() -> None:
    def remarks_on(symbols: str, model: Model, **more: object) -> list[str]:
        positions = 20.0 * np.eye(3)[: len(Atoms(symbols))]
        return list(remarks(Atoms(symbols, positions=positions, **more), model))

    alone = pair_potential().model
    assert remarks_on("S2H", alone) == [
        "pairs S-S have no functions: in this potential of pairs they have no energy at all"
    ]
    assert len(remarks_on("S", alone, cell=[30, 30, 30], pbc=True)) == 1
    assert remarks_on("SHO", alone) == remarks_on("H2O", alone) == remarks_on("S2H", mixed_potential().model) == []


# --- files ---


def replace(path: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[path]
        if value is not None:
            file[path] = value

    return change


def envelope(value: object) -> Callable[[h5py.File], None]:
    return lambda file: file["pairs"].attrs.__setitem__("envelope", value)


def fewer_functions(file: h5py.File) -> None:
    document = json.loads(file["pairs/definition"][()])
    document["functions"].pop()
    replace("pairs/definition", json.dumps(document))(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file["pairs"].attrs.__delitem__("envelope"), "attribute: 'envelope'"),
        (envelope("cosine"), "envelope: expected one of fc, shift, none, found 'cosine'"),
        (envelope("shift"), 'envelope "shift" cannot be used with'),
        (replace("pairs/definition", None), "object 'definition' doesn't exist"),
        (replace("pairs/definition", "{"), "double quotes"),
        (replace("pairs/definition", "[]"), "expected 'format' to be 'fastsf-pcsf'"),
        (
            fewer_functions,
            "pairs O-S: expected equal numbers, found 6 functions, a scaling of 7 columns and a network of 7 inputs",
        ),
        (replace("pairs/kinds", np.zeros(2)), "the potential is incomplete"),
        (replace("pairs/kinds/H-O", None), "expected networks for all pairs with functions, found none for H-O"),
        (replace("pairs/kinds/H-O/network", None), "object 'network' doesn't exist"),
        (replace("pairs/kinds/H-O/scaling/mean", "text"), "could not convert string to float"),
        (replace("pairs/kinds/H-O/network/weights/0", np.full((7, 5), np.nan)), "layer 1 of 2 has weights or biases"),
        (replace("pairs/kinds/H-O/network/weights/0", np.zeros((6, 5))), "a network of 6 inputs"),
        (lambda file: file.copy("pairs/kinds/H-O", "pairs/kinds/S-S"), "which have functions; found S-S"),
        (replace("pairs", np.zeros(2)), "the potential is incomplete"),
    ],
)
def test_files_that_lack_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[h5py.File], None], message: str
) -> None:
    fill, path = model_file._fill, tmp_path / "model.h5"

    def fill_and_change(file: h5py.File, parts: PotentialParts) -> None:
        fill(file, parts)
        change(file)

    monkeypatch.setattr(model_file, "_fill", fill_and_change)
    pair_potential().save(path)
    with pytest.raises(FormatError, match="the potential is incomplete") as caught:
        Potential.load(path)
    assert message in str(caught.value) and str(path) in str(caught.value)
