"""Pair-centred symmetry functions as data: what a function is, not how it is computed.

They describe the surroundings of a pair of atoms i and j (Jose, Artrith and Behler, J. Chem. Phys. 136, 194111 (2012)),
with the envelopes, radial and angle factors of `fastsf.symmetry.factors`, F(r) = envelope(r) exp(-eta (r - rs)^2),
and sums over the other atoms k of one element::

    PairRadial       G = F(Rij), or Rij itself without an envelope
    PairEnvironment  G = envelope(Rij) exp(-pair_eta (Rij - pair_rs)^2) [sum_k F(Rik) + sum_k F(Rjk)]
    PairAngular      G = F(Rij) sum_k A(alpha) F(Rik) F(Rjk)

All are the same for (i, j) and (j, i). Images of i and j in other cells are atoms k like any other. With eta = 0 and
rs = 0 throughout, `PairRadial` and `PairEnvironment` are G1 and G2 of the paper, else G3; `PairAngular` is its G4.
Shifts rs are an extension.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.symmetry.factors import Cutoff, Envelope, Power, Window, envelope_label

APEXES = ("heavier", "third", "both")
"""Where the angle alpha of a `PairAngular` is: see there."""


def kind_name(first: str, second: str) -> str:
    """Name of a kind of pairs, as "H-O": the lighter element first."""
    return "-".join(sorted((first, second), key=atomic_number))


def kinds_of(elements: Sequence[str]) -> tuple[str, ...]:
    """All kinds of pairs of some elements, which are sorted by atomic number; their order is that of kernels."""
    return tuple(kind_name(a, b) for k, a in enumerate(elements) for b in elements[k:])


def _sorted_pair(elements: Sequence[str]) -> tuple[str, str]:
    if isinstance(elements, str) or len(elements) != 2:
        raise InputError(f"pair function: expected two elements, found {elements!r}")
    first, second = sorted(elements, key=atomic_number)
    return first, second


def _check(**values: float) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise InputError(f"pair function: {name} must be a finite number, found {value!r}")
        if name.endswith("eta") and value < 0:
            raise InputError(f"pair function: {name} must not be negative, found {value}")


class _OfPair:
    """What all functions of a pair have."""

    elements: tuple[str, str]

    @property
    def kind(self) -> str:
        """Name of the kind of pairs."""
        return kind_name(*self.elements)


@dataclass(frozen=True)
class PairRadial(_OfPair):
    """Function of the pair's own distance, G = envelope(Rij) exp(-eta (Rij - rs)^2), or G = Rij.

    Parameters
    ----------
    elements : (str, str)
        Symbols of i and j in either order (stored by atomic number).
    envelope : Cutoff, Compact or None
        What limits the range; None for the distance itself, in Å, which goes as far as the pair's other functions do.
    eta : float
        Å^-2, not negative.
    rs : float
        Shift, Å.
    """

    elements: tuple[str, str]
    envelope: Envelope | None
    eta: float = 0.0
    rs: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "elements", _sorted_pair(self.elements))
        _check(eta=self.eta, rs=self.rs)
        if self.envelope is None and (self.eta or self.rs):
            raise InputError("pair function: the distance itself takes neither eta nor rs")

    @property
    def radius(self) -> float:
        """Distance Rij in Å beyond which the function is zero; 0 for the distance itself, which has no end."""
        return 0.0 if self.envelope is None else self.envelope.radius

    @property
    def family(self) -> str:
        """Name for functions of this form."""
        if self.envelope is None:
            return "pair-distance"
        return "pair-gaussian" if self.eta else "pair-G1"

    @property
    def label(self) -> str:
        """Readable, unique name of the column."""
        parts = [f"{self.family}({self.kind})"]
        if self.eta:
            parts.append(f"eta={self.eta:g} rs={self.rs:g}")
        if self.envelope is not None:
            parts.append(envelope_label(self.envelope))
        return " ".join(parts)


@dataclass(frozen=True)
class PairEnvironment(_OfPair):
    """Neighbours of both atoms, G = envelope(Rij) exp(-pair_eta (Rij - pair_rs)^2) [sum_k F(Rik) + sum_k F(Rjk)].

    Parameters
    ----------
    elements : (str, str)
        Symbols of i and j in either order (stored by atomic number).
    neighbor : str
        Symbol of the atoms k.
    envelope : Cutoff or Compact
        What limits the range of Rij, Rik and Rjk.
    eta, rs : float
        Of F(Rik) and F(Rjk), Å^-2 (not negative) and Å.
    pair_eta, pair_rs : float
        Of the factor of Rij, Å^-2 (not negative) and Å.
    """

    elements: tuple[str, str]
    neighbor: str
    envelope: Envelope
    eta: float = 0.0
    rs: float = 0.0
    pair_eta: float = 0.0
    pair_rs: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "elements", _sorted_pair(self.elements))
        atomic_number(self.neighbor)
        _check(eta=self.eta, rs=self.rs, pair_eta=self.pair_eta, pair_rs=self.pair_rs)

    @property
    def radius(self) -> float:
        """Distance Rij in Å beyond which the function is zero."""
        return self.envelope.radius

    @property
    def family(self) -> str:
        """Name for functions of this form: the paper's G2, or its G3 with exponents."""
        return "pair-G3" if self.eta or self.pair_eta else "pair-G2"

    @property
    def label(self) -> str:
        """Readable, unique name of the column."""
        parts = [f"{self.family}({self.kind};{self.neighbor})"]
        if self.eta:
            parts.append(f"eta={self.eta:g} rs={self.rs:g}")
        if self.pair_eta:
            parts.append(f"pair_eta={self.pair_eta:g} pair_rs={self.pair_rs:g}")
        return " ".join([*parts, envelope_label(self.envelope)])


@dataclass(frozen=True)
class PairAngular(_OfPair):
    """Triangles with both atoms, G = F(Rij) sum_k A(alpha) F(Rik) F(Rjk).

    Parameters
    ----------
    elements : (str, str)
        Symbols of i and j in either order (stored by atomic number).
    neighbor : str
        Symbol of the atoms k.
    envelope : Cutoff or Compact
        What limits the range of all three distances.
    angle : Power or Window
        Dependence on the angle alpha.
    eta, rs : float
        Of all three distances, Å^-2 (not negative) and Å.
    apex : {"heavier", "third", "both"}
        Where alpha is: "third" at k; "heavier", as in RuNNer, at k if i and j are of one element, else at the heavier
        of i and j; "both" sums A at i and A at j.
    """

    elements: tuple[str, str]
    neighbor: str
    envelope: Envelope
    angle: Power | Window
    eta: float = 0.0
    rs: float = 0.0
    apex: str = "heavier"

    def __post_init__(self) -> None:
        object.__setattr__(self, "elements", _sorted_pair(self.elements))
        atomic_number(self.neighbor)
        _check(eta=self.eta, rs=self.rs)
        if self.apex not in APEXES:
            raise InputError(f"pair function: apex must be one of {', '.join(APEXES)}, found {self.apex!r}")

    @property
    def radius(self) -> float:
        """Distance Rij in Å beyond which the function is zero."""
        return self.envelope.radius

    @property
    def family(self) -> str:
        """Name for functions of this form."""
        return "pair-G4"

    @property
    def label(self) -> str:
        """Readable, unique name of the column."""
        parts = [f"{self.family}({self.kind};{self.neighbor})"]
        if self.eta:
            parts.append(f"eta={self.eta:g} rs={self.rs:g}")
        if isinstance(self.angle, Power):
            parts.append(f"lambda={self.angle.lam:g} zeta={self.angle.zeta:g}")
        else:
            parts.append(f"{self.angle.left:g}<alpha<{self.angle.right:g} {self.angle.kind}")
        return " ".join([*parts, f"apex={self.apex}", envelope_label(self.envelope)])


PairFunction: TypeAlias = PairRadial | PairEnvironment | PairAngular


def pair_cutoff(functions: Sequence[PairFunction]) -> Cutoff | None:
    """Cutoff function fc(Rij) of a kind of pairs, by which energies end smoothly.

    That of the function that reaches farthest, a cosine if that is compact; None if no function has an end.
    """
    farthest = max(functions, key=lambda function: function.radius, default=None)
    if farthest is None or farthest.envelope is None:
        return None
    return farthest.envelope if isinstance(farthest.envelope, Cutoff) else Cutoff(farthest.radius)
