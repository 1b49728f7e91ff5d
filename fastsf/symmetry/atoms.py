"""Atom-centred symmetry functions as data.

Every function is a sum of products of three factors (`fastsf.symmetry.factors`): an envelope of a
distance r, a radial factor exp(-eta (r - rs)^2) or, for G3, cos(kappa r), and a factor of the angle
theta at the centre. With F(r) = envelope(r) * radial factor(r)::

    Radial     G = sum_j w_j F(r_ij)
    Angular    G = sum_{j<k} w_j w_k A(theta_jik) F(r_ij) F(r_ik) [F(r_jk) if narrow]

The sums run over neighbours j, k of the given elements with w = 1. Those of element-weighted
functions run over all neighbours with w = atomic number. Angular sums run over each unordered pair
once, as in n2p2, RuNNer files and DScribe. The double sum of the 2011 paper is twice that.

The functions `G1` ... `G5` follow Behler, J. Chem. Phys. 134, 074106 (2011), equations 5-9. The
weighted ones (neighbor or neighbors ``None``) follow Gastegger et al., J. Chem. Phys. 148, 241709
(2018). The compact ones follow Bircher, Singraber and Dellago, Mach. Learn.: Sci. Technol. 2,
035026 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.symmetry.factors import Cutoff, Envelope, Power, RadialFactor, Window, gaussian
from fastsf.symmetry.kinds import SymmetryFunctionBase, sorted_pair


@dataclass(frozen=True)
class Radial(SymmetryFunctionBase):
    """Radial symmetry function G = sum_j w_j envelope(r_ij) exp(-eta (r_ij - rs)^2) cos(kappa r_ij).

    Parameters
    ----------
    center : str
        Chemical symbol of the central atom.
    neighbor : str or None
        Symbol of the neighbours, or None: all neighbours, each weighted by its atomic number.
    envelope : Cutoff or Compact
        Factor that limits the range.
    eta : float
        Å^-2, not negative.
    rs : float
        Shift, Å.
    kappa : float
        Å^-1. Not together with eta.
    """

    noun: ClassVar[str] = "radial function"
    form: ClassVar[str] = "radial"

    center: str
    neighbor: str | None
    envelope: Envelope
    eta: float = 0.0
    rs: float = 0.0
    kappa: float = 0.0

    def __post_init__(self) -> None:
        for symbol in (self.center, *(self.neighbor_elements or ())):
            atomic_number(symbol)
        self.check_parameters()
        if self.eta and self.kappa:
            raise InputError("radial function: eta and kappa cannot both differ from zero")

    @property
    def owner(self) -> str:
        """Central element."""
        return self.center

    @property
    def neighbor_elements(self) -> tuple[str, ...] | None:
        """Element of the neighbours; None for all."""
        return None if self.neighbor is None else (self.neighbor,)

    @property
    def radial_factor(self) -> RadialFactor:
        """Gaussian or cosine of the distance."""
        return RadialFactor("cosine", self.kappa) if self.kappa else gaussian(self.eta, self.rs)


@dataclass(frozen=True)
class Angular(SymmetryFunctionBase):
    """Angular symmetry function, summed over unordered pairs of neighbours j < k.

    G = sum_{j<k} w_j w_k A(theta) F(r_ij) F(r_ik) [F(r_jk)], F(r) = envelope(r) exp(-eta (r -
    rs)^2).

    Parameters
    ----------
    center : str
        Chemical symbol of the central atom.
    neighbors : (str, str) or None
        Symbols of the two neighbours in either order (stored by atomic number), or None: all pairs,
        weighted by the product of the atomic numbers.
    envelope : Cutoff or Compact
        Factor that limits the range.
    angle : Power or Window
        Factor of the angle j-i-k.
    eta : float
        Å^-2, not negative.
    rs : float
        Shift, Å; applied to r_jk too if `narrow`.
    narrow : bool
        True if the product includes F(r_jk) (G4; Compact: r_jk > max(left, 0)), False if not (G5).
    """

    noun: ClassVar[str] = "angular function"

    center: str
    neighbors: tuple[str, str] | None
    envelope: Envelope
    angle: Power | Window
    eta: float = 0.0
    rs: float = 0.0
    narrow: bool = True

    def __post_init__(self) -> None:
        atomic_number(self.center)
        if self.neighbors is not None:
            object.__setattr__(self, "neighbors", _neighbor_pair(self.neighbors))
        self.check_parameters()

    @property
    def form(self) -> str:
        """Narrow or wide."""
        return "narrow" if self.narrow else "wide"

    @property
    def owner(self) -> str:
        """Central element."""
        return self.center

    @property
    def neighbor_elements(self) -> tuple[str, ...] | None:
        """Elements of the two neighbours; None for all."""
        return self.neighbors


SymmetryFunction: TypeAlias = Radial | Angular


def _neighbor_pair(neighbors: Sequence[str]) -> tuple[str, str]:
    return sorted_pair(neighbors, "two neighbour elements of an angular function")


def _as_cutoff(cutoff: Cutoff | float) -> Cutoff:
    return cutoff if isinstance(cutoff, Cutoff) else Cutoff(float(cutoff))


def G1(center: str, neighbor: str | None, cutoff: Cutoff | float) -> Radial:
    """Return a sum of cutoff functions (2011 paper, equation 5); a number for `cutoff` means a cosine cutoff."""
    return Radial(center, neighbor, _as_cutoff(cutoff))


def G2(center: str, neighbor: str | None, eta: float, cutoff: Cutoff | float, rs: float = 0.0) -> Radial:
    """Return a sum of shifted Gaussians exp(-eta (r - rs)^2) fc(r) (2011 paper, equation 6)."""
    return Radial(center, neighbor, _as_cutoff(cutoff), eta=eta, rs=rs)


def G3(center: str, neighbor: str | None, kappa: float, cutoff: Cutoff | float) -> Radial:
    """Return a sum of damped cosines cos(kappa r) fc(r) (2011 paper, equation 7)."""
    return Radial(center, neighbor, _as_cutoff(cutoff), kappa=kappa)


def G4(
    center: str,
    neighbors: Sequence[str] | None,
    eta: float,
    zeta: float,
    lam: float,
    cutoff: Cutoff | float,
    rs: float = 0.0,
) -> Angular:
    """Return a narrow angular function with all three distances (2011 paper, equation 8, summed over j < k)."""
    pair = None if neighbors is None else _neighbor_pair(neighbors)
    return Angular(center, pair, _as_cutoff(cutoff), Power(zeta, lam), eta, rs)


def G5(
    center: str,
    neighbors: Sequence[str] | None,
    eta: float,
    zeta: float,
    lam: float,
    cutoff: Cutoff | float,
    rs: float = 0.0,
) -> Angular:
    """Return a wide angular function without r_jk (2011 paper, equation 9, summed over j < k)."""
    return replace(G4(center, neighbors, eta, zeta, lam, cutoff, rs), narrow=False)
