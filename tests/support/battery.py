"""Sets of functions that together cover every core, envelope, factor and family, and their reference."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import combinations_with_replacement

import numpy as np
from reference.assemble import Features, features

from fastsf.symmetry.atoms import G1, G2, G3, G4, G5, Angular, Radial, SymmetryFunction
from fastsf.symmetry.factors import BUMPS, CUTOFFS, Compact, Cutoff, Power, Window
from support.systems import RADIUS, SYSTEMS

ELEMENTS = ("H", "O", "S")
PAIRS = tuple(combinations_with_replacement(ELEMENTS, 2))
EVERY_CUTOFF = (
    *(Cutoff(RADIUS, kind) for kind in CUTOFFS),
    *(Cutoff(RADIUS, kind, 0.4) for kind, core in CUTOFFS.items() if core.plateau),
)
SPANS = ((1.6, RADIUS), (0.0, 3.5), (-RADIUS, RADIUS), (-2.0, 3.25))
"""Ranges of compact envelopes in Å: inside, from zero, centred at zero, and with an edge below zero."""
UNDERFLOW = 1e-290
"""Largest number that counts as zero: tails of exponential cores underflow."""
WINDOWS = ((10, 90), (-60, 60), (100, 260), (0, 180), (-180, 180), (30, 150), (0, 360))
"""Angular windows in degrees, those centred at 0 and 180 among them."""


def with_cutoffs(center: str) -> Iterable[SymmetryFunction]:
    """Yield every cutoff function in each of the three sums."""
    for n, cutoff in enumerate(EVERY_CUTOFF):
        yield G2(center, ELEMENTS[n % 3], 0.6, cutoff, rs=1.1)
        yield G4(center, PAIRS[n % 6], 0.05, 2.0, 1.0, cutoff)
        yield G5(center, PAIRS[(n + 3) % 6], 0.1, 1.0, -1.0, cutoff)


def with_elements(center: str) -> Iterable[SymmetryFunction]:
    """Yield every element and pair, unweighted and weighted, with shifts on both sides of zero."""
    for neighbor in (*ELEMENTS, None):
        yield G1(center, neighbor, RADIUS)
        yield G2(center, neighbor, 4.0, Cutoff(3.0, "poly2"), rs=1.5)
        yield G2(center, neighbor, 0.1, RADIUS, rs=-0.5)
        yield G3(center, neighbor, 2.5, RADIUS)
    for pair in (*PAIRS, None):
        yield G4(center, pair, 0.02, 1.0, 1.0, RADIUS)
        yield G4(center, pair, 0.3, 4.0, -1.0, Cutoff(3.25, "tanh3"), rs=0.8)
        yield G5(center, pair, 0.2, 2.0, 1.0, RADIUS, rs=-0.4)


def with_powers(center: str) -> Iterable[SymmetryFunction]:
    """Yield integer and other exponents, lambda of any sign and size, zero included."""
    zetas = (1.0, 2.0, 3.0, 4.0, 8.0, 16.0, 64.0, 1.5, 2.75)
    for n, (zeta, lam) in enumerate((zeta, lam) for zeta in zetas for lam in (1.0, -1.0, 0.0, 0.6, -1.7)):
        make = G4 if n % 2 else G5
        cutoff = Cutoff(RADIUS, ("cosine", "poly4", "tanh3_normalized")[n % 3])
        yield make(center, PAIRS[n % 6], 0.05 * (n % 4), zeta, lam, cutoff)


def with_compact(center: str) -> Iterable[SymmetryFunction]:
    """Yield every compact envelope, symmetric and not, with every window."""
    n = 0
    for kind in BUMPS:
        for left, right in SPANS:
            for asymmetric in (False, True):
                envelope = Compact(left, right, kind, asymmetric)
                window = Window(*WINDOWS[n % len(WINDOWS)], kind)
                yield Radial(center, (*ELEMENTS, None)[n % 4], envelope)
                yield Angular(center, (*PAIRS, None)[n % 7], envelope, window, narrow=n % 3 == 0)
                n += 1


def with_mixtures(center: str) -> Iterable[SymmetryFunction]:
    """Yield factors that the published families do not combine, with a radius of their own for each function."""
    yield Radial(center, "O", Compact(0.5, 3.25), eta=0.5, rs=1.5)
    yield Radial(center, None, Compact(-3.0, 3.0, "exp"), kappa=1.5)
    for n, core in enumerate(BUMPS):
        pair, narrow = PAIRS[n % 6], n % 2 == 0
        yield Angular(center, pair, Cutoff(2.5 + 0.2 * n), Window(20, 140, core), eta=0.1, narrow=narrow)
        compact = Compact(0.25, 3.25, core)
        yield Angular(center, pair, compact, Power(3.0, -1.0), eta=0.2, rs=1.0, narrow=not narrow)
    for n, left_right in enumerate(WINDOWS):
        yield Angular(center, PAIRS[n % 6], Cutoff(3.5, "exp"), Window(*left_right), narrow=n % 2 == 0)


SETS = {
    "cutoffs": with_cutoffs,
    "elements": with_elements,
    "powers": with_powers,
    "compact": with_compact,
    "mixtures": with_mixtures,
}


def functions_of(name: str) -> list[SymmetryFunction]:
    """Return the functions of a set, for every central element."""
    return [function for center in ELEMENTS for function in SETS[name](center)]


def by_center(functions: Iterable[SymmetryFunction]) -> dict[str, list[SymmetryFunction]]:
    """Return functions by central element, in the order given."""
    columns: dict[str, list[SymmetryFunction]] = {}
    for function in functions:
        columns.setdefault(function.center, []).append(function)
    return columns


@cache
def expected(system: str, name: str) -> Features:
    """Return the plain reference for a named system and a set of functions."""
    return features(by_center(functions_of(name)), SYSTEMS[system]())


def assert_values(actual: np.ndarray, expected: np.ndarray, scale: np.ndarray) -> None:
    """Check equality to 1e-11, or to the rounding of sums that (nearly) vanish."""
    assert actual.shape == expected.shape
    excess = np.abs(actual - expected) - 1e-11 * np.abs(expected) - 1e-13 * scale - UNDERFLOW
    worst = np.unravel_index(np.argmax(excess), excess.shape)
    assert excess[worst] <= 0, f"{worst}: {actual[worst]!r}, expected {expected[worst]!r}"


def assert_derivatives(
    actual: np.ndarray,
    expected: np.ndarray,
    scale: np.ndarray,
    rtol: float = 1e-9,
    rounding: float = 2e-12,
) -> None:
    """Check equality to `rtol` of the centre's largest derivative of the column, or to `rounding`; (n, n, 3, s)."""
    assert actual.shape == expected.shape
    allowed = rtol * np.abs(expected).max(axis=(1, 2), initial=0.0) + rounding * scale + UNDERFLOW
    excess = np.abs(actual - expected) - allowed[:, None, None, :]
    worst = np.unravel_index(np.argmax(excess), excess.shape)
    assert excess[worst] <= 0, f"{worst}: {actual[worst]!r}, expected {expected[worst]!r}"
