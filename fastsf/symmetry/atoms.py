"""Atom-centred symmetry functions as data: what a function is, not how it is computed.

Every function is built from three kinds of factors of the interatomic distances r and the angle theta at
the centre, so that kernels, file formats and the plain reference meet in one vocabulary:

* an **envelope** of r that vanishes outside a finite range: a `Cutoff` fc(r), or a `Compact` polynomial bump;
* a **radial factor** exp(-eta (r - rs)^2), or cos(kappa r) for G3;
* an **angle factor**: a `Power` 2^(1-zeta) (1 + lambda cos theta)^zeta, or a `Window` in theta.

With F(r) = envelope(r) * radial factor(r)::

    Radial     G = sum_j w_j F(r_ij)
    Angular    G = sum_{j<k} w_j w_k A(theta_jik) F(r_ij) F(r_ik) [F(r_jk) if narrow]

over neighbours j, k of the given elements with w = 1, or over all neighbours with w = atomic number
(element-weighted functions). Angular sums run over each unordered pair once, as n2p2, RuNNer files and DScribe
do; the double sum printed in the 2011 paper is twice that.

The functions `G1` ... `G5` follow Behler, J. Chem. Phys. 134, 074106 (2011), equations 5-9; the weighted ones
(neighbor or neighbors ``None``) Gastegger et al., J. Chem. Phys. 148, 241709 (2018); the compact ones Bircher,
Singraber and Dellago, Mach. Learn.: Sci. Technol. 2, 035026 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.symmetry.factors import Compact, Cutoff, Envelope, Power, Window, check_finite, envelope_label


@dataclass(frozen=True)
class Radial:
    """Radial symmetry function G = sum_j w_j envelope(r_ij) exp(-eta (r_ij - rs)^2) cos(kappa r_ij).

    Parameters
    ----------
    center : str
        Chemical symbol of the central atom.
    neighbor : str or None
        Symbol of the neighbours, or None: all neighbours, each weighted by its atomic number.
    envelope : Cutoff or Compact
        What limits the range.
    eta : float
        Å^-2, not negative.
    rs : float
        Shift, Å.
    kappa : float
        Å^-1. Not together with eta.
    """

    center: str
    neighbor: str | None
    envelope: Envelope
    eta: float = 0.0
    rs: float = 0.0
    kappa: float = 0.0

    def __post_init__(self) -> None:
        atomic_number(self.center)
        if self.neighbor is not None:
            atomic_number(self.neighbor)
        check_finite("radial function", eta=self.eta, rs=self.rs, kappa=self.kappa)
        if self.eta < 0:
            raise InputError(f"radial function: eta must not be negative, found {self.eta}")
        if self.eta and self.kappa:
            raise InputError("radial function: eta and kappa cannot both differ from zero")

    @property
    def family(self) -> str:
        """The field's name for functions of this form: G1, G2, G3 or compact."""
        if isinstance(self.envelope, Compact):
            name = "compact"
        else:
            name = "G3" if self.kappa else "G2" if self.eta else "G1"
        return "w" + name if self.neighbor is None else name

    @property
    def label(self) -> str:
        """Readable, unique name of the column."""
        parts = [f"{self.family}({self.center};{self.neighbor or '*'})"]
        if self.eta:
            parts.append(f"eta={self.eta:g} rs={self.rs:g}")
        if self.kappa:
            parts.append(f"kappa={self.kappa:g}")
        return " ".join([*parts, envelope_label(self.envelope)])


@dataclass(frozen=True)
class Angular:
    """Angular symmetry function, summed over unordered pairs of neighbours j < k.

    G = sum_{j<k} w_j w_k A(theta) F(r_ij) F(r_ik) [F(r_jk)], F(r) = envelope(r) exp(-eta (r - rs)^2).

    Parameters
    ----------
    center : str
        Chemical symbol of the central atom.
    neighbors : (str, str) or None
        Symbols of the two neighbours in either order (stored by atomic number), or None: all pairs, weighted by the
        product of the atomic numbers.
    envelope : Cutoff or Compact
        What limits the range.
    angle : Power or Window
        Dependence on the angle j-i-k.
    eta : float
        Å^-2, not negative.
    rs : float
        Shift, Å; applied to r_jk too if `narrow`.
    narrow : bool
        Whether the product includes F(r_jk) (G4; Compact: r_jk > max(left, 0)) or not (G5).
    """

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
            if isinstance(self.neighbors, str) or len(self.neighbors) != 2:
                raise InputError(f"angular function: expected two neighbour elements, found {self.neighbors!r}")
            first, second = sorted(self.neighbors, key=atomic_number)
            object.__setattr__(self, "neighbors", (first, second))
        check_finite("angular function", eta=self.eta, rs=self.rs)
        if self.eta < 0:
            raise InputError(f"angular function: eta must not be negative, found {self.eta}")

    @property
    def family(self) -> str:
        """The field's name for functions of this form: G4, G5 or compact."""
        if isinstance(self.angle, Window) or isinstance(self.envelope, Compact):
            name = "compact4" if self.narrow else "compact5"
        else:
            name = "G4" if self.narrow else "G5"
        return "w" + name if self.neighbors is None else name

    @property
    def label(self) -> str:
        """Readable, unique name of the column."""
        pair = "*" if self.neighbors is None else ",".join(self.neighbors)
        parts = [f"{self.family}({self.center};{pair})"]
        if self.eta:
            parts.append(f"eta={self.eta:g} rs={self.rs:g}")
        if isinstance(self.angle, Power):
            parts.append(f"lambda={self.angle.lam:g} zeta={self.angle.zeta:g}")
        else:
            parts.append(f"{self.angle.left:g}<theta<{self.angle.right:g} {self.angle.kind}")
        return " ".join([*parts, envelope_label(self.envelope)])


SymmetryFunction: TypeAlias = Radial | Angular


def _as_cutoff(cutoff: Cutoff | float) -> Cutoff:
    return cutoff if isinstance(cutoff, Cutoff) else Cutoff(float(cutoff))


def G1(center: str, neighbor: str | None, cutoff: Cutoff | float) -> Radial:
    """Sum of cutoff functions (2011 paper, equation 5); a number for `cutoff` means a cosine cutoff."""
    return Radial(center, neighbor, _as_cutoff(cutoff))


def G2(center: str, neighbor: str | None, eta: float, cutoff: Cutoff | float, rs: float = 0.0) -> Radial:
    """Sum of shifted Gaussians exp(-eta (r - rs)^2) fc(r) (2011 paper, equation 6)."""
    return Radial(center, neighbor, _as_cutoff(cutoff), eta=eta, rs=rs)


def G3(center: str, neighbor: str | None, kappa: float, cutoff: Cutoff | float) -> Radial:
    """Sum of damped cosines cos(kappa r) fc(r) (2011 paper, equation 7)."""
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
    """Narrow angular function with all three distances (2011 paper, equation 8, summed over j < k)."""
    return _behler_angular(center, neighbors, eta, zeta, lam, cutoff, rs, narrow=True)


def G5(
    center: str,
    neighbors: Sequence[str] | None,
    eta: float,
    zeta: float,
    lam: float,
    cutoff: Cutoff | float,
    rs: float = 0.0,
) -> Angular:
    """Wide angular function without r_jk (2011 paper, equation 9, summed over j < k)."""
    return _behler_angular(center, neighbors, eta, zeta, lam, cutoff, rs, narrow=False)


def _behler_angular(
    center: str,
    neighbors: Sequence[str] | None,
    eta: float,
    zeta: float,
    lam: float,
    cutoff: Cutoff | float,
    rs: float,
    narrow: bool,
) -> Angular:
    pair = None if neighbors is None else _pair(neighbors)
    return Angular(center, pair, _as_cutoff(cutoff), Power(zeta, lam), eta=eta, rs=rs, narrow=narrow)


def _pair(neighbors: Sequence[str]) -> tuple[str, str]:
    if isinstance(neighbors, str) or len(neighbors) != 2:
        raise InputError(f"angular function: expected two neighbour elements, found {neighbors!r}")
    return neighbors[0], neighbors[1]
