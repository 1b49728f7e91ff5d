"""Factors of symmetry functions: envelopes of a distance, and factors of an angle.

* An **envelope** of a distance r is zero outside a finite range: a `Cutoff` fc(r), or a `Compact` bump.
* An **angle factor** is a `Power` 2^(1-zeta) (1 + lambda cos theta)^zeta, or a `Window` in theta.

The cores from which cutoffs, bumps and windows are made are the records of `CUTOFFS`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from fastsf.errors import InputError


@dataclass(frozen=True)
class CutoffFunction:
    """Shape that falls from one to zero on [0, 1], of which cutoffs, bumps and windows are made.

    The kernels know it by the key of its record in `CUTOFFS`.

    Parameters
    ----------
    number : int
        ``cutoff_type`` of RuNNer and n2p2.
    formula : str
        Formula in words, for reports.
    plateau : bool
        True if a cutoff of this core may be 1 up to an inner radius.
    subtype : str or None
        Shape of bumps on n2p2's lines of types 20 to 25; None if there are no bumps and windows of
        this core.
    """

    number: int
    formula: str
    plateau: bool = True
    subtype: str | None = None


CUTOFFS = {
    "hard": CutoffFunction(0, "1 inside", plateau=False),
    "cosine": CutoffFunction(1, "(1 + cos(pi x)) / 2"),
    "tanh3": CutoffFunction(2, "tanh^3(1 - r/rc), as printed in the papers", plateau=False),
    "tanh3_normalized": CutoffFunction(3, "tanh^3(1 - r/rc), normalised to 1 at r = 0", plateau=False),
    "exp": CutoffFunction(4, "exp(1 - 1 / (1 - x^2))", subtype="e"),
    "poly1": CutoffFunction(5, "polynomial, one continuous derivative", subtype="p1"),
    "poly2": CutoffFunction(6, "polynomial, two continuous derivatives", subtype="p2"),
    "poly3": CutoffFunction(7, "polynomial, three continuous derivatives", subtype="p3"),
    "poly4": CutoffFunction(8, "polynomial, four continuous derivatives", subtype="p4"),
}
"""Every cutoff function by its name."""

BUMPS = tuple(name for name, core in CUTOFFS.items() if core.subtype)
"""Names of the cores of bumps and windows."""


def check_finite(owner: str, **values: float) -> None:
    """Check that numbers are finite; `owner` and their names are for the error.

    Raises
    ------
    InputError
        For NaN and infinity.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise InputError(f"{owner}: {name} must be a finite number, found {value!r}")


def _check_bump(owner: str, kind: str) -> None:
    if kind not in BUMPS:
        raise InputError(f"{owner}: unknown kind {kind!r}, expected one of {', '.join(BUMPS)}")


@dataclass(frozen=True)
class Cutoff:
    """Cutoff function fc(r): falls from 1 (or tanh(1)^3 for ``tanh3``) to 0 at `radius`, and is 0 beyond.

    Parameters
    ----------
    radius : float
        Cutoff radius in Å.
    kind : str
        A key of `CUTOFFS`. With x = r / radius: ``hard`` 1; ``cosine`` (1 + cos(pi x)) / 2;
        ``tanh3`` tanh(1 - x)^3 as the 2007 and 2011 papers print it (0.44 at r = 0);
        ``tanh3_normalized`` the same divided by tanh(1)^3; ``exp`` exp(1 - 1 / (1 - x^2));
        ``poly1`` ... ``poly4`` polynomials with 1 ... 4 continuous derivatives.
    alpha : float
        Inner plateau, 0 <= alpha < 1: fc = 1 below alpha * radius and x runs from there. Not for
        ``hard`` and the two tanh forms.

    Raises
    ------
    InputError
        If the radius is not positive, the kind unknown or alpha outside its range.
    """

    radius: float
    kind: str = "cosine"
    alpha: float = 0.0

    def __post_init__(self) -> None:
        check_finite("cutoff", radius=self.radius, alpha=self.alpha)
        if self.radius <= 0:
            raise InputError(f"cutoff: radius must be positive, found {self.radius}")
        if self.kind not in CUTOFFS:
            raise InputError(f"cutoff: unknown kind {self.kind!r}, expected one of {', '.join(CUTOFFS)}")
        if not 0 <= self.alpha < 1:
            raise InputError(f"cutoff: alpha must be in [0, 1), found {self.alpha}")
        if self.alpha and not CUTOFFS[self.kind].plateau:
            raise InputError(f"cutoff: kind {self.kind!r} takes no alpha, found {self.alpha}")

    @property
    def range(self) -> tuple[float, float]:
        """Open interval of r (Å) in which the envelope can differ from zero; 0 itself belongs to it."""
        return -self.radius, self.radius


@dataclass(frozen=True)
class Compact:
    """Compact bump: zero except for left < r < right, 1 at the middle.

    Parameters
    ----------
    left, right : float
        Edges in Å. `left` may be negative. With left = -right, the middle is at r = 0.
    kind : str
        ``exp`` or ``poly1`` ... ``poly4``.
    asymmetric : bool
        If True, core((2 - y) y) in place of core(y); y is the distance from the middle in half
        widths.

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
        check_finite("compact function", left=self.left, right=self.right)
        if self.right <= 0 or self.left >= self.right:
            raise InputError(f"compact function: expected left < right and right > 0, found {self.left}, {self.right}")
        _check_bump("compact function", self.kind)

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
        check_finite("angular function", zeta=self.zeta, lam=self.lam)
        if self.zeta <= 0:
            raise InputError(f"angular function: zeta must be positive, found {self.zeta}")


@dataclass(frozen=True)
class Window:
    """Angle factor: a compact bump of the angle theta between `left` and `right` (degrees), 1 at the middle.

    Parameters
    ----------
    left, right : float
        Edges in degrees. An edge below 0 requires the middle at 0, one above 180 the middle at 180
        (the window must be an even function there); a width of at most 360.
    kind : str
        ``exp`` or ``poly1`` ... ``poly4``.
    """

    left: float
    right: float
    kind: str = "poly2"

    def __post_init__(self) -> None:
        check_finite("angle window", left=self.left, right=self.right)
        if self.left >= self.right or self.right - self.left > 360:
            raise InputError(f"angle window: expected left < right <= left + 360, found {self.left}, {self.right}")
        if (self.left < 0 and self.left != -self.right) or (self.right > 180 and self.right - 180 != 180 - self.left):
            raise InputError(
                "angle window: an edge outside 0..180 needs the window centred at 0 or 180, "
                f"found {self.left}, {self.right}"
            )
        _check_bump("angle window", self.kind)


class RadialFactor(NamedTuple):
    """Factor of a distance that multiplies an envelope, as the kernels take it."""

    kind: str
    """Name of the factor in the kernels."""
    parameter: float
    """Exponent in Å^-2, or wave number in Å^-1."""
    shift: float = 0.0
    """Å."""


def gaussian(eta: float, rs: float) -> RadialFactor:
    """Return the factor exp(-eta (r - rs)^2); without an exponent, the shift has no effect and is zero."""
    return RadialFactor("gaussian", eta, rs if eta else 0.0)


def envelope_label(envelope: Envelope) -> str:
    """Return the words for an envelope in labels of columns."""
    if isinstance(envelope, Compact):
        suffix = "a" if envelope.asymmetric else ""
        return f"{envelope.left:g}<r<{envelope.right:g} {envelope.kind}{suffix}"
    plateau = f" alpha={envelope.alpha:g}" if envelope.alpha else ""
    return f"rc={envelope.radius:g} {envelope.kind}{plateau}"


def angle_label(angle: Power | Window, name: str) -> str:
    """Return the words for a factor of the angle `name` in labels of columns."""
    if isinstance(angle, Power):
        return f"lambda={angle.lam:g} zeta={angle.zeta:g}"
    return f"{angle.left:g}<{name}<{angle.right:g} {angle.kind}"
