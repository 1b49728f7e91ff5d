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

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fastsf.elements import atomic_number
from fastsf.errors import InputError

CORES = ("hard", "cosine", "tanh3", "tanh3_normalized", "exp", "poly1", "poly2", "poly3", "poly4")
"""Shapes that fall from one to zero on [0, 1]: cutoffs are made of any, bumps and windows of the last five."""
SMOOTH_CORES = CORES[4:]


def _check_finite(owner: str, **values: float) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise InputError(f"{owner}: {name} must be a finite number, found {value!r}")


@dataclass(frozen=True)
class Cutoff:
    """Cutoff function fc(r): falls from 1 (or tanh(1)^3 for ``tanh3``) to 0 at `radius`, and is 0 beyond.

    Parameters
    ----------
    radius : float
        Cutoff radius in Å.
    kind : str
        One of `CORES`. With x = r / radius: ``hard`` 1; ``cosine`` (1 + cos(pi x)) / 2; ``tanh3`` tanh(1 - x)^3 as
        the 2007 and 2011 papers print it (0.44 at r = 0); ``tanh3_normalized`` the same divided by tanh(1)^3;
        ``exp`` exp(1 - 1 / (1 - x^2)); ``poly1`` ... ``poly4`` polynomials with 1 ... 4 continuous derivatives.
    alpha : float
        Inner plateau, 0 <= alpha < 1: fc = 1 below alpha * radius and x runs from there. Not for ``hard`` and the
        two tanh forms.

    Raises
    ------
    InputError
        If the radius is not positive, the kind unknown or alpha outside its range.
    """

    radius: float
    kind: str = "cosine"
    alpha: float = 0.0

    def __post_init__(self) -> None:
        _check_finite("cutoff", radius=self.radius, alpha=self.alpha)
        if self.radius <= 0:
            raise InputError(f"cutoff: radius must be positive, found {self.radius}")
        if self.kind not in CORES:
            raise InputError(f"cutoff: unknown kind {self.kind!r}, expected one of {', '.join(CORES)}")
        if not 0 <= self.alpha < 1:
            raise InputError(f"cutoff: alpha must be in [0, 1), found {self.alpha}")
        if self.alpha and self.kind in CORES[:1] + CORES[2:4]:
            raise InputError(f"cutoff: kind {self.kind!r} takes no alpha, found {self.alpha}")

    @property
    def range(self) -> tuple[float, float]:
        """Open interval of r (Å) in which the envelope can differ from zero; 0 itself belongs to it."""
        return -self.radius, self.radius


@dataclass(frozen=True)
class Compact:
    """Compact bump: non-zero for left < r < right only, 1 at the middle.

    Parameters
    ----------
    left, right : float
        Edges in Å. `left` may be negative; left = -right puts the middle at r = 0.
    kind : str
        ``exp`` or ``poly1`` ... ``poly4``.
    asymmetric : bool
        Use core((2 - y) y) in place of core(y), y = distance from the middle in half widths.

    Raises
    ------
    InputError
        If left >= right, right <= 0 or the kind is unknown.
    """

    left: float
    right: float
    kind: str = "poly2"
    asymmetric: bool = False

    def __post_init__(self) -> None:
        _check_finite("compact function", left=self.left, right=self.right)
        if self.right <= 0 or self.left >= self.right:
            raise InputError(f"compact function: expected left < right and right > 0, found {self.left}, {self.right}")
        if self.kind not in SMOOTH_CORES:
            raise InputError(f"compact function: unknown kind {self.kind!r}, expected one of {', '.join(SMOOTH_CORES)}")

    @property
    def radius(self) -> float:
        """Distance in Å beyond which the function is zero."""
        return self.right

    @property
    def range(self) -> tuple[float, float]:
        """Open interval of r (Å) in which the envelope can differ from zero."""
        return self.left, self.right


Envelope: TypeAlias = Cutoff | Compact


@dataclass(frozen=True)
class Power:
    """Angle factor 2^(1-zeta) (1 + lam cos theta)^zeta, zero where 1 + lam cos theta <= 0.

    Parameters
    ----------
    zeta : float
        Exponent, positive; need not be an integer.
    lam : float
        Usually 1 or -1; any real number, 0 included.
    """

    zeta: float
    lam: float

    def __post_init__(self) -> None:
        _check_finite("angular function", zeta=self.zeta, lam=self.lam)
        if self.zeta <= 0:
            raise InputError(f"angular function: zeta must be positive, found {self.zeta}")


@dataclass(frozen=True)
class Window:
    """Angle factor: a compact bump of the angle theta between `left` and `right` (degrees), 1 at the middle.

    Parameters
    ----------
    left, right : float
        Edges in degrees. An edge below 0 requires the middle at 0, one above 180 the middle at 180 (the window
        must be an even function there); a width of at most 360.
    kind : str
        ``exp`` or ``poly1`` ... ``poly4``.
    """

    left: float
    right: float
    kind: str = "poly2"

    def __post_init__(self) -> None:
        _check_finite("angle window", left=self.left, right=self.right)
        if self.left >= self.right or self.right - self.left > 360:
            raise InputError(f"angle window: expected left < right <= left + 360, found {self.left}, {self.right}")
        if (self.left < 0 and self.left != -self.right) or (self.right > 180 and self.right - 180 != 180 - self.left):
            raise InputError(
                "angle window: an edge outside 0..180 needs the window centred at 0 or 180, "
                f"found {self.left}, {self.right}"
            )
        if self.kind not in SMOOTH_CORES:
            raise InputError(f"angle window: unknown kind {self.kind!r}, expected one of {', '.join(SMOOTH_CORES)}")


def envelope_label(envelope: Envelope) -> str:
    """Words for an envelope in labels of columns."""
    if isinstance(envelope, Compact):
        suffix = "a" if envelope.asymmetric else ""
        return f"{envelope.left:g}<r<{envelope.right:g} {envelope.kind}{suffix}"
    plateau = f" alpha={envelope.alpha:g}" if envelope.alpha else ""
    return f"rc={envelope.radius:g} {envelope.kind}{plateau}"


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
        _check_finite("radial function", eta=self.eta, rs=self.rs, kappa=self.kappa)
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
        _check_finite("angular function", eta=self.eta, rs=self.rs)
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
