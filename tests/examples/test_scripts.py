"""The scripts in examples/ run, in an order in which each finds what it needs."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = (
    "neighbor_list",
    "symmetry_functions",
    "pair_centred_functions",
    "featurize",
    "training",
    "calculator",
    "molecular_dynamics",
    "lammps_start",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


def test_all_scripts_are_listed() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_runs(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, compiled: None) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
