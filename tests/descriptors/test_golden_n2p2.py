"""Symmetry functions and their derivatives against n2p2's numbers, for every reference case."""

from __future__ import annotations

import numpy as np
import pytest
from reference.assemble import Neighbours, neighbours
from reference.rounding import rounding_scale
from support.golden_n2p2 import CASES, golden

from fastsf.symmetry.atoms import SymmetryFunction

DERIVATIVES = tuple(case for case in CASES if case.startswith(("LJ", "custom")))
"""Cases small enough for n2p2's derivatives to have been kept."""


def has_polynomials(function: SymmetryFunction) -> bool:
    angle_kind = getattr(getattr(function, "angle", None), "kind", "")
    return function.envelope.kind.startswith("poly") or angle_kind.startswith("poly")


def n2p2_rounding(function: SymmetryFunction, surroundings: Neighbours) -> float:
    """Rounding scale of n2p2's expanded polynomials, which are off by 3e-14 near their edge; else zero."""
    if not has_polynomials(function):
        return 0.0
    return rounding_scale(function, surroundings.vectors, surroundings.numbers)


def check_strays(
    columns: tuple[SymmetryFunction, ...],
    around: list[Neighbours],
    strays: np.ndarray,
    error: np.ndarray,
    limit: float,
) -> None:
    """Check that n2p2's inexact polynomials explain all differences beyond the tolerance."""
    for row, column in np.argwhere(strays):
        allowed = limit * n2p2_rounding(columns[column], around[row])
        assert error[row, column] <= allowed, f"{columns[column].label}: {error[row, column]}"


def test_no_case_is_left_out(shared):
    assert set(CASES) == {folder.name for folder in (shared / "reference").iterdir() if folder.is_dir()}


@pytest.mark.parametrize("case", CASES)
def test_values(shared, case):
    reference = golden(shared / "reference" / case)
    structures = [reference.atoms(prefix) for prefix in reference.prefixes]
    for prefix, atoms, values in zip(reference.prefixes, structures, reference.acsf.create(structures), strict=True):
        for element, rows, block in reference.blocks(prefix, "G_raw"):
            columns = reference.acsf.columns[element]
            assert block.shape == (len(rows), len(columns))
            error = np.abs(values[rows, : len(columns)] - block)
            strays = error > 1e-11 * np.abs(block) + 1e-14 * np.abs(block).max(axis=0)
            if strays.any():
                around = neighbours(atoms, reference.acsf.cutoff)
                check_strays(columns, [around[row] for row in rows], strays, error, 1e-13)


@pytest.mark.parametrize("case", DERIVATIVES)
def test_derivatives(shared, case):
    reference = golden(shared / "reference" / case)
    found = 0
    for prefix in reference.prefixes:
        atoms = reference.atoms(prefix)
        dense, _ = reference.acsf.derivatives(atoms)
        for element, rows, block in reference.blocks(prefix, "dGraw_dr"):
            columns = reference.acsf.columns[element]
            block = block.transpose(0, 2, 3, 1)
            error = np.abs(dense[rows][..., : len(columns)] - block).max(axis=(1, 2))
            size = np.abs(block).max(axis=(1, 2))
            strays = error > 1e-10 * size + 1e-13 * size.max(axis=0)
            if strays.any():
                around = neighbours(atoms, reference.acsf.cutoff)
                check_strays(columns, [around[row] for row in rows], strays, error, 2e-12)
            found += 1
    assert found >= len(reference.prefixes)
