"""From lists of symmetry functions to the tables that drive the kernels.

Functions share what they can: one shell per envelope (and one for wide functions of several), one
row per radial factor and neighbour element, one group per pair of neighbour elements, one channel
per radial factor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from fastsf.elements import atomic_number
from fastsf.kernels.acsf.angular import Angle, power_coefficients
from fastsf.kernels.acsf.cutoffs import Core, Shape
from fastsf.kernels.acsf.moments import MAX_DEGREE, legendre_coefficients
from fastsf.kernels.acsf.radial import Factor
from fastsf.kernels.acsf.tables import ALL, CHANNEL, GROUP, MAX_POWER, RADIAL, ROW, SECTION, SHELL, TERM, WIDE, Tables
from fastsf.symmetry.atoms import Angular, Radial, SymmetryFunction
from fastsf.symmetry.factors import Compact, Envelope, Power, RadialFactor, Window
from fastsf.symmetry.pcsf import PairAngular
from fastsf.types import FloatArray

AnyAngular: TypeAlias = Angular | PairAngular

MAX_MULTIPLE = 64
"""Largest power by which one Gaussian is made from another; the relative error grows as the exponent."""


class ShellRows:
    """Rows of one shell by envelope: radial factors of each neighbour element; equal factors share a slot."""

    def __init__(self) -> None:
        self.slots: dict[tuple[Envelope, RadialFactor, bool], int] = {}
        self.sections: dict[Envelope, dict[tuple[int, int], tuple[Any, ...]]] = {}

    def slot(self, envelope: Envelope, factor: RadialFactor, elements: Iterable[int]) -> int:
        """Return the slot with F(r) of neighbours of these elements."""
        weighted = ALL in elements
        slot = self.slots.setdefault((envelope, factor, weighted), len(self.slots))
        rows = self.sections.setdefault(envelope, {})
        for element in elements:
            rows[slot, element] = (slot, element, Factor[factor.kind.upper()], *factor[1:], weighted)
        return slot


class Packer:
    """Contents of the tables while functions are added.

    Parameters
    ----------
    elements : sequence of str
        Elements of neighbours; their order is the element index of the kernels.
    """

    def __init__(self, elements: Sequence[str]) -> None:
        self.elements = elements
        self.index = {symbol: k for k, symbol in enumerate(elements)}
        self.shells: list[tuple[Any, ...]] = []
        self.sections: list[tuple[Any, ...]] = []
        self.rows: list[tuple[Any, ...]] = []
        self.radials: list[tuple[Any, ...]] = []
        self.groups: list[tuple[Any, ...]] = []
        self.wide: list[tuple[Any, ...]] = []
        self.channels: list[tuple[Any, ...]] = []
        self.terms: list[tuple[Any, ...]] = []
        self.angles: list[tuple[Any, ...]] = []
        self.slots = 0
        self.shell_first = [0]

    def add_element(self, columns: Iterable[tuple[int, SymmetryFunction]]) -> None:
        """Add the shells of one central element: one per envelope, and one for wide functions of several envelopes."""
        wide: list[tuple[int, Angular]] = []
        others: dict[Envelope, list[tuple[int, SymmetryFunction]]] = {}
        for column, function in columns:
            if isinstance(function, Angular) and not function.narrow:
                wide.append((column, function))
            else:
                others.setdefault(function.envelope, []).append((column, function))
        envelopes = {function.envelope for _, function in wide}
        if len(envelopes) == 1:
            others.setdefault(envelopes.pop(), []).extend(wide)
        elif wide:
            self._add_shell(wide)
        for members in others.values():
            self._add_shell(members)
        self.end_center()

    def end_center(self) -> None:
        """End a central element; the shells that follow belong to the next one."""
        self.shell_first.append(len(self.shells))

    def spans(self) -> list[int]:
        """Return the first section, radial function, narrow and wide group of the next shell."""
        return [len(self.sections), len(self.radials), len(self.groups), len(self.wide)]

    def _add_shell(self, columns: Sequence[tuple[int, SymmetryFunction]]) -> None:
        rows, spans = ShellRows(), self.spans()
        groups: dict[tuple[bool, int, int, bool], list[tuple[int, Angular]]] = {}
        for column, function in columns:
            if isinstance(function, Radial):
                element = ALL if function.neighbor is None else self.index[function.neighbor]
                slot = rows.slot(function.envelope, function.radial_factor, (element,))
                self.radials.append((column, slot, element))
            else:
                pair = (ALL, ALL) if function.neighbors is None else self._pair(function.neighbors)
                polynomial = not function.narrow and _degree(function) >= 0
                groups.setdefault((function.narrow, *pair, polynomial), []).append((column, function))
        for (narrow, first, second, _), members in sorted(groups.items()):
            (self._add_group if narrow else self._add_wide)((first, second), members, rows)
        self.close_shell(rows, spans)

    def close_shell(self, rows: ShellRows, spans: Sequence[int]) -> None:
        """Add a shell with these rows; its other parts begin at `spans`."""
        for envelope, section in rows.sections.items():
            row_first = len(self.rows)
            self.rows.extend(_with_powers(section.values()))
            self.sections.append((*envelope_fields(envelope), row_first, len(self.rows)))
        self.slots = max(self.slots, len(rows.slots))
        bounds = [bound for span in zip(spans, self.spans(), strict=True) for bound in span]
        low, high = zip(*(envelope.range for envelope in rows.sections), strict=True) if rows.sections else ((0,), (0,))
        self.shells.append((min(low), max(high), *bounds))

    def _pair(self, neighbors: tuple[str, str]) -> tuple[int, int]:
        first, second = sorted(self.index[symbol] for symbol in neighbors)
        return first, second

    def _add_group(self, pair: Sequence[int], members: Sequence[tuple[int, Angular]], rows: ShellRows) -> None:
        self.groups.append((*pair, *self.add_narrow(pair, members, rows)))

    def add_narrow(
        self, pair: Sequence[int], members: Sequence[tuple[int, AnyAngular]], rows: ShellRows
    ) -> tuple[int, ...]:
        """Add the channels of a group of functions with r_jk, and return the last four fields of a `GROUP`."""
        first = len(self.channels)
        self._add_channels(pair, members, rows, {})
        shifted = any(function.radial_factor.shift != 0 for _, function in members)
        return shifted, _windowed(members), first, len(self.channels)

    def _add_wide(self, pair: Sequence[int], members: Sequence[tuple[int, Angular]], rows: ShellRows) -> None:
        first, angle_first = len(self.channels), len(self.angles)
        angles: dict[Power | Window, int] = {}
        for _, function in members:
            angles.setdefault(function.angle, len(angles))
        self.angles.extend(_term_fields(-1, angle, number) for angle, number in angles.items())
        self._add_channels(pair, members, rows, angles)
        degrees = [_degree(function) for _, function in members]
        degree = max(degrees) if min(degrees) >= 0 else -1
        spans = first, len(self.channels), angle_first, len(self.angles)
        self.wide.append((*pair, _windowed(members), degree, *spans))

    def _add_channels(
        self,
        pair: Sequence[int],
        members: Sequence[tuple[int, AnyAngular]],
        rows: ShellRows,
        angles: Mapping[Power | Window, int],
    ) -> None:
        channels: dict[tuple[int, float, float], list[tuple[int, AnyAngular]]] = {}
        for column, function in members:
            _, eta, shift = function.radial_factor
            slot = rows.slot(function.envelope, function.radial_factor, set(pair))
            channels.setdefault((slot, eta, shift), []).append((column, function))
        first = len(self.channels)
        for slot, eta, shift in sorted(channels, key=lambda key: (key[2], key[1], key)):
            terms = channels[slot, eta, shift]
            base, multiple = _power_of(eta, shift, [channel[1:3] for channel in self.channels[first:]])
            term_first = len(self.terms)
            self.terms.extend(
                _term_fields(column, function.angle, angles.get(function.angle, -1)) for column, function in terms
            )
            degrees = [_degree(function, MAX_POWER) for _, function in terms]
            degree = max(degrees) if min(degrees) >= 0 else -1
            span = term_first, len(self.terms)
            self.channels.append((slot, eta, shift, base, multiple, *span, degree, -2 * eta, 2 * eta * shift))

    def tables(self, group: np.dtype[Any] = GROUP) -> Tables:
        """Return the tables as the kernels take them; `group` is the type of the groups."""
        terms = records(self.terms, TERM)
        return Tables(
            shell_first=np.array(self.shell_first, dtype=np.int64),
            shells=records(self.shells, SHELL),
            sections=records(self.sections, SECTION),
            rows=records(self.rows, ROW),
            radials=records(self.radials, RADIAL),
            groups=records(self.groups, group),
            wide=records(self.wide, WIDE),
            channels=records(self.channels, CHANNEL),
            terms=terms,
            angles=records(self.angles, TERM),
            weights=np.array([atomic_number(symbol) for symbol in self.elements], dtype=np.float64),
            powers=_expanded(terms, MAX_POWER, power_coefficients).ravel(),
            legendre=_expanded(terms, MAX_DEGREE, legendre_coefficients),
            slots=self.slots,
        )


def _windowed(members: Iterable[tuple[int, AnyAngular]]) -> bool:
    return any(isinstance(function.angle, Window) for _, function in members)


def _with_powers(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows with their exponents; Gaussians that are powers of another one follow it."""
    bases: list[list[tuple[Any, ...]]] = []
    for row in sorted(rows, key=lambda row: row[1:5]):
        _, element, factor, eta, shift, _ = row
        others = [(base[0][3], base[0][4]) if base[0][1:3] == (element, factor) else (0.0, 0.0) for base in bases]
        index, multiple = _power_of(eta, shift, others) if factor == Factor.GAUSSIAN else (0, 0)
        if multiple:
            bases[index].append((*row, multiple))
        else:
            bases.append([(*row, 0)])
    return [row for base in bases for row in base]


def _power_of(eta: float, shift: float, others: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """Return the index of the Gaussian of which one is an integer power, and the exponent; (0, 0) if there is none."""
    for index, (other, other_shift) in enumerate(others):
        ratio = eta / other if other > 0 else 0.0
        if shift == other_shift and 1 <= round(ratio) <= MAX_MULTIPLE and abs(ratio - round(ratio)) < 1e-14 * ratio:
            return index, round(ratio)
    return 0, 0


def _degree(function: AnyAngular, most: int = MAX_DEGREE) -> int:
    """Return the degree of the angle factor as a polynomial of the cosine; -1 if it is none or exceeds `most`."""
    angle = function.angle
    if not isinstance(angle, Power) or not float(angle.zeta).is_integer() or abs(angle.lam) > 1:
        return -1
    return int(angle.zeta) if angle.zeta <= most else -1


def envelope_fields(envelope: Envelope) -> tuple[Any, ...]:
    """Return the fields of a `SECTION` up to its rows."""
    core = Core[envelope.kind.upper()]
    low, high = envelope.range
    if isinstance(envelope, Compact):
        shape = Shape.COMPACT_ASYMMETRIC if envelope.asymmetric else Shape.COMPACT
        return core, shape, (low + high) / 2, 2 / (high - low), low, high
    plateau = envelope.alpha * envelope.radius
    return core, Shape.CUTOFF, plateau, 1 / (envelope.radius - plateau), low, high


def _term_fields(column: int, angle: Power | Window, number: int) -> tuple[Any, ...]:
    if isinstance(angle, Power):
        whole = float(angle.zeta).is_integer()
        kind = Angle.INTEGER_POWER if whole else Angle.REAL_POWER
        exponent = int(angle.zeta) if whole else 0
        return (
            column,
            number,
            kind,
            exponent,
            angle.zeta,
            angle.lam,
            2 ** (1 - angle.zeta),
            angle.zeta * angle.lam,
            0,
            0,
            0,
        )
    center = math.radians((angle.left + angle.right) / 2)
    inverse_width = 2 / math.radians(angle.right - angle.left)
    return column, number, Angle.WINDOW, 0, 0, 0, 1, 0, Core[angle.kind.upper()], center, inverse_width


def records(rows: Sequence[tuple[Any, ...]], dtype: np.dtype[Any]) -> Any:
    """Return the record array of some tuples."""
    return np.array([tuple(row) for row in rows], dtype=dtype).view(np.recarray)


def pack(elements: Sequence[str], columns: Mapping[str, Sequence[SymmetryFunction]]) -> Tables:
    """Pack the functions of every central element.

    Parameters
    ----------
    elements : sequence of str
        Elements of centres and neighbours; their order is the element index of the kernels.
    columns : mapping of str to sequences of Radial or Angular
        Functions of each central element, in column order.

    Returns
    -------
    Tables
        The functions as `fastsf.kernels.acsf` takes them.
    """
    packer = Packer(elements)
    for symbol in elements:
        packer.add_element(enumerate(columns.get(symbol, ())))
    return packer.tables()


def _expanded(terms: Any, most: int, coefficients: Callable[[int, float], FloatArray]) -> FloatArray:
    """Return the coefficients of angle factors that are polynomials of a degree up to `most`; zeros for the others."""
    out = np.zeros((len(terms), most + 1))
    for row, term in zip(out, terms, strict=True):
        if term.kind == Angle.INTEGER_POWER and term.exponent <= most and abs(term.lam) <= 1:
            expansion = coefficients(int(term.exponent), float(term.lam))
            row[: len(expansion)] = expansion
    return out
