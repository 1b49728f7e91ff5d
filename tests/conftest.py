"""Shared fixtures: where the reference data are."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with published potentials and DFT data; they are not part of the project."""
    folder = Path(os.environ.get("FASTSF_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (folder / "reference").is_dir():
        pytest.skip(f"reference data not found: set FASTSF_SHARED (looked in {folder})")
    return folder
