"""Comparisons of results of potentials."""

from __future__ import annotations

import numpy as np

from support.systems import SYSTEMS

STRAINED = tuple(name for name, make in SYSTEMS.items() if make().pbc.all() and "million" not in name)
"""Fully periodic; positions a million Å away have too few digits to be strained by a little."""


def close_to(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Check that differences are below the tolerance times the largest expected number."""
    assert found.shape == expected.shape
    assert np.abs(found - expected).max(initial=0.0) <= tolerance * np.abs(expected).max(initial=1e-300)
