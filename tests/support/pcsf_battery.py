"""Sets of pair-centred functions that together cover every factor and apex, and their reference."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from ase import Atoms
from reference.pcsf_features import Named, PCSFFeatures, pcsf_features

from fastsf.descriptors.pcsf import PCSF
from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.symmetry.factors import BUMPS, Compact, Cutoff, Power, Window
from fastsf.symmetry.pcsf import APEXES, PairAngular, PairEnvironment, PairRadial, PCSFunction
from support.battery import ELEMENTS, EVERY_CUTOFF, PAIRS, SPANS, UNDERFLOW, WINDOWS
from support.systems import RADIUS, SYSTEMS

Pair = tuple[str, str]


def with_distances(pair: Pair) -> Iterable[PCSFunction]:
    """Yield every cutoff function, compact bumps, Gaussians and the distance itself."""
    yield PairRadial(pair, None)
    for n, cutoff in enumerate(EVERY_CUTOFF):
        yield PairRadial(pair, cutoff, eta=0.4 * (n % 3), rs=0.8 * (n % 2))
    for n, kind in enumerate(BUMPS):
        yield PairRadial(pair, Compact(*SPANS[n % len(SPANS)], kind, n % 2 == 0), eta=0.3 * (n % 2))


def with_environments(pair: Pair) -> Iterable[PCSFunction]:
    """Yield neighbours of every element, with equal and different exponents and shifts for pair and neighbours."""
    for n, neighbor in enumerate(ELEMENTS):
        yield PairEnvironment(pair, neighbor, Cutoff(RADIUS))
        yield PairEnvironment(pair, neighbor, Cutoff(RADIUS), eta=0.3, pair_eta=0.3)
        yield PairEnvironment(pair, neighbor, Cutoff(RADIUS), eta=0.3, pair_eta=1.1, pair_rs=1.4)
        yield PairEnvironment(pair, neighbor, Cutoff(3.0 + 0.2 * n, "poly3"), eta=0.9, rs=1.2)
        yield PairEnvironment(pair, neighbor, EVERY_CUTOFF[3 * n], eta=0.1, rs=-0.3, pair_eta=0.2, pair_rs=0.7)
        yield PairEnvironment(pair, neighbor, Compact(*SPANS[n], BUMPS[n]), pair_eta=0.5)


def with_angles(pair: Pair) -> Iterable[PCSFunction]:
    """Yield angles at every apex, integer and other exponents, windows, envelopes of all sorts."""
    n = 0
    for apex in APEXES:
        for neighbor in ELEMENTS:
            lam = (1.0, -1.0)[n % 2]
            yield PairAngular(pair, neighbor, Cutoff(RADIUS), Power(1.0, lam), 0.05, apex=apex)
            yield PairAngular(pair, neighbor, Cutoff(RADIUS), Power(4.0, -lam), 0.1, apex=apex)
            yield PairAngular(pair, neighbor, Cutoff(3.25, "poly4"), Power(2.75, lam), 0.2, 0.9, apex=apex)
            window = Window(*WINDOWS[n % len(WINDOWS)], BUMPS[n % len(BUMPS)])
            envelope = EVERY_CUTOFF[n % len(EVERY_CUTOFF)] if n % 2 else Compact(*SPANS[n % 4], "poly2", n % 3 == 0)
            yield PairAngular(pair, neighbor, envelope, window, 0.02 * n, apex=apex)
            n += 1
    yield PairAngular(pair, ELEMENTS[0], Cutoff(RADIUS), Power(16.0, 1.0), 0.1)
    yield PairAngular(pair, ELEMENTS[1], Cutoff(RADIUS), Power(3.0, 0.6), 0.0, 0.5)


PCSF_SETS = {"distances": with_distances, "environments": with_environments, "angles": with_angles}


def pcsf_functions_of(name: str) -> list[PCSFunction]:
    """Return the functions of a set for every kind of pairs, or of all sets together."""
    if name == "all":
        return [function for each in PCSF_SETS for function in pcsf_functions_of(each)]
    return [function for pair in PAIRS for function in PCSF_SETS[name](pair)]


@cache
def pcsf_descriptor(name: str) -> PCSF:
    """Return the descriptor with all functions of a set."""
    return PCSF(pcsf_functions_of(name), elements=ELEMENTS)


@cache
def expected_pcsf(system: str, name: str) -> PCSFFeatures:
    """Return the plain reference for a named system and a set of functions."""
    return pcsf_features(pcsf_descriptor(name).columns, SYSTEMS[system]())


def named(rows: PairRows) -> list[Named]:
    """Return the pairs to which rows belong."""
    return [Named(int(i), int(j), tuple(s.tolist())) for i, j, s in zip(rows.i, rows.j, rows.shift, strict=True)]


class Ordered:
    """The reference, in the order of the rows of a descriptor.

    Parameters
    ----------
    reference : PCSFFeatures
        From `pcsf_features`.
    rows : PairRows
        The descriptor's.
    """

    def __init__(self, reference: PCSFFeatures, rows: PairRows) -> None:
        names = named(rows)
        assert len(set(names)) == len(names) == len(reference.values)
        self._keys = [name if name in reference.values else name.reversed() for name in names]
        self._reference = reference

    def _stack(self, kind: str) -> np.ndarray:
        parts = getattr(self._reference, kind)
        return np.array([parts[key] for key in self._keys])

    @property
    def values(self) -> np.ndarray:
        """(m, s)."""
        return self._stack("values")

    @property
    def scale(self) -> np.ndarray:
        """(m, s)."""
        return self._stack("scale")

    @property
    def derivatives(self) -> np.ndarray:
        """(m, n, 3, s)."""
        return self._stack("derivatives")

    @property
    def strain(self) -> np.ndarray:
        """(m, 3, 3, s)."""
        return self._stack("strain")


def in_order(system: str, name: str) -> Ordered:
    """Return reference of a named system in the order of the rows."""
    return Ordered(expected_pcsf(system, name), pcsf_descriptor(name).rows(SYSTEMS[system]()))


def kinds_in_order(atoms: Atoms, rows: PairRows) -> list[str]:
    """Return kind of each row by the elements of its atoms."""
    symbols = atoms.get_chemical_symbols()
    order = {symbol: k for k, symbol in enumerate(ELEMENTS)}
    return ["-".join(sorted((symbols[i], symbols[j]), key=order.get)) for i, j in zip(rows.i, rows.j, strict=True)]


def assert_like(actual: np.ndarray, reference: np.ndarray, scale: np.ndarray, rtol: float, rounding: float) -> None:
    """Check equality to `rtol` of the largest number of the same value, or to `rounding`; (m, ..., s)."""
    assert actual.shape == reference.shape
    inner = tuple(range(1, reference.ndim - 1))
    largest = np.abs(reference).max(axis=inner, initial=0.0, keepdims=True)
    allowed = rtol * largest + rounding * scale.reshape(largest.shape) + UNDERFLOW
    excess = np.abs(actual - reference) - allowed
    if excess.size:
        worst = np.unravel_index(np.argmax(excess), excess.shape)
        assert excess[worst] <= 0, f"{worst}: {actual[worst]!r}, expected {reference[worst]!r}"
