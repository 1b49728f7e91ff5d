"""Pair-centred symmetry functions as data.

They describe the surroundings of a pair of atoms i and j (Jose, Artrith and Behler, J. Chem. Phys.
136, 194111 (2012)), with the envelopes, radial and angle factors of `fastsf.symmetry.factors`, F(r)
= envelope(r) exp(-eta (r - rs)^2), and sums over the other atoms k of one element::

    PairRadial       G = F(Rij), or Rij itself without an envelope
    PairEnvironment  G = envelope(Rij) exp(-pair_eta (Rij - pair_rs)^2) [sum_k F(Rik) + sum_k F(Rjk)]
    PairAngular      G = F(Rij) sum_k A(alpha) F(Rik) F(Rjk)

All are the same for (i, j) and (j, i). Images of i and j in other cells count as atoms k. With eta
= 0 and rs = 0, `PairRadial` and `PairEnvironment` are G1 and G2 of the paper, else G3;
`PairAngular` is its G4. Shifts rs are an extension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.symmetry.factors import Cutoff, Envelope, Power, RadialFactor, Window, gaussian
from fastsf.symmetry.kinds import SymmetryFunctionBase, sorted_pair

APEXES = ("heavier", "third", "both")
"""Positions of the angle alpha of a `PairAngular`, which explains them."""


def kind_name(first: str, second: str) -> str:
    """Return the name of a kind of pairs, as "H-O": the lighter element first."""
    return "-".join(sorted((first, second), key=atomic_number))


def kinds_of(elements: Sequence[str]) -> tuple[str, ...]:
    """Return all kinds of pairs of elements sorted by atomic number, in the order of the kernels."""
    return tuple(kind_name(a, b) for k, a in enumerate(elements) for b in elements[k:])


class PCSFunctionBase(SymmetryFunctionBase):
    """Base of the functions of a pair: elements, kind and reach."""

    noun: ClassVar[str] = "pair-centred function"
    angle_name: ClassVar[str] = "alpha"

    elements: tuple[str, str]
    neighbor: str
    envelope: Envelope | None

    def __post_init__(self) -> None:
        expected = "two elements of a pair-centred function"
        object.__setattr__(self, "elements", sorted_pair(self.elements, expected))
        for symbol in self.neighbor_elements:
            atomic_number(symbol)
        self.check_parameters()

    @property
    def kind(self) -> str:
        """Name of the kind of pairs."""
        return kind_name(*self.elements)

    @property
    def owner(self) -> str:
        """Name of the kind of pairs."""
        return self.kind

    @property
    def neighbor_elements(self) -> tuple[str, ...]:
        """Element of the atoms k."""
        return (self.neighbor,)

    @property
    def radius(self) -> float:
        """Distance Rij in Å beyond which the function is zero; 0 for the distance itself, which has no end."""
        return 0.0 if self.envelope is None else self.envelope.radius


@dataclass(frozen=True)
class PairRadial(PCSFunctionBase):
    """Function of the pair's own distance, G = envelope(Rij) exp(-eta (Rij - rs)^2), or G = Rij.

    Parameters
    ----------
    elements : (str, str)
        Symbols of i and j in either order (stored by atomic number).
    envelope : Cutoff, Compact or None
        Factor that limits the range; None for the distance itself, in Å, which reaches as far as
        the other functions.
    eta : float
        Å^-2, not negative.
    rs : float
        Shift, Å.
    """

    form: ClassVar[str] = "pcsf-radial"

    elements: tuple[str, str]
    envelope: Envelope | None
    eta: float = 0.0
    rs: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.envelope is None and (self.eta or self.rs):
            raise InputError("pair-centred function: the distance itself takes neither eta nor rs")

    @property
    def neighbor_elements(self) -> tuple[str, ...]:
        """None: an empty tuple."""
        return ()


@dataclass(frozen=True)
class PairEnvironment(PCSFunctionBase):
    """Neighbours of both atoms, G = envelope(Rij) exp(-pair_eta (Rij - pair_rs)^2) [sum_k F(Rik) + sum_k F(Rjk)].

    Parameters
    ----------
    elements : (str, str)
        Symbols of i and j in either order (stored by atomic number).
    neighbor : str
        Symbol of the atoms k.
    envelope : Cutoff or Compact
        Factor that limits the range of Rij, Rik and Rjk.
    eta, rs : float
        Exponent of F(Rik) and F(Rjk) in Å^-2, not negative, and their shift in Å.
    pair_eta, pair_rs : float
        Exponent of the factor of Rij in Å^-2, not negative, and its shift in Å.
    """

    form: ClassVar[str] = "pcsf-environment"

    elements: tuple[str, str]
    neighbor: str
    envelope: Envelope
    eta: float = 0.0
    rs: float = 0.0
    pair_eta: float = 0.0
    pair_rs: float = 0.0

    @property
    def pair_factor(self) -> RadialFactor:
        """Factor of Rij."""
        return gaussian(self.pair_eta, self.pair_rs)


@dataclass(frozen=True)
class PairAngular(PCSFunctionBase):
    """Triangles with both atoms, G = F(Rij) sum_k A(alpha) F(Rik) F(Rjk).

    Parameters
    ----------
    elements : (str, str)
        Symbols of i and j in either order (stored by atomic number).
    neighbor : str
        Symbol of the atoms k.
    envelope : Cutoff or Compact
        Factor that limits the range of all three distances.
    angle : Power or Window
        Factor of the angle alpha.
    eta, rs : float
        Exponent of all three distances in Å^-2, not negative, and their shift in Å.
    apex : {"heavier", "third", "both"}
        Atom at which alpha is. "third": k. "heavier", as in RuNNer: k if i and j are of one
        element, else the heavier of i and j. "both": A at i and A at j are summed.
    """

    form: ClassVar[str] = "pcsf-angular"

    elements: tuple[str, str]
    neighbor: str
    envelope: Envelope
    angle: Power | Window
    eta: float = 0.0
    rs: float = 0.0
    apex: str = "heavier"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.apex not in APEXES:
            raise InputError(f"pair-centred function: apex must be one of {', '.join(APEXES)}, found {self.apex!r}")


PCSFunction: TypeAlias = PairRadial | PairEnvironment | PairAngular


def cutoff_of_kind(functions: Sequence[PCSFunction]) -> Cutoff | None:
    """Return the cutoff function fc(Rij) of a kind of pairs, by which energies end smoothly.

    It is that of the function with the largest radius, or a cosine if that function is compact.
    None if no function ends.
    """
    farthest = max(functions, key=lambda function: function.radius, default=None)
    if farthest is None or farthest.envelope is None:
        return None
    return farthest.envelope if isinstance(farthest.envelope, Cutoff) else Cutoff(farthest.radius)
