"""Types of symmetry functions: one record each.

From the records of `KINDS` derive the keys of definition files, the names of families, labels, the
lines of input.nn and n2p2's order of columns. To add a type, add its record here and, where it
needs a new factor, a branch of the kernels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from types import NoneType
from typing import Any, ClassVar, NamedTuple

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.symmetry.factors import Compact, Cutoff, Power, RadialFactor, Window, angle_label, envelope_label, gaussian


class Parameter(NamedTuple):
    """Number that a radial factor takes."""

    power: int
    """Power of the unit of length that the number counts in."""
    symbol: str
    """Name in pictures."""
    switch: str
    """Parameter that must differ from zero for this one to have an effect."""
    signed: bool = True
    """True if the number may be negative."""
    fallback: str | None = None
    """Parameter whose value this one has in definitions that leave it out; otherwise it is zero."""


PARAMETERS = {
    "pair_eta": Parameter(-2, r"$\eta$", "pair_eta", signed=False, fallback="eta"),
    "pair_rs": Parameter(1, "r$_s$", "pair_eta", fallback="rs"),
    "eta": Parameter(-2, r"$\eta$", "eta", signed=False),
    "rs": Parameter(1, "r$_s$", "eta"),
    "kappa": Parameter(-1, r"$\kappa$", "kappa"),
}
"""Every parameter of a radial factor by its name; where lists stand for grids, the last one runs fastest."""


class RunnerType(NamedTuple):
    """Type of functions in the files of RuNNer and n2p2."""

    number: int
    """Number of the type."""
    weighted: bool
    """True if all neighbours count, weighted by their atomic numbers."""
    arguments: tuple[str, ...]
    """Numbers and words of a line after the neighbours, by the names of `line_values`."""
    order: tuple[str, ...]
    """Values by which n2p2 sorts functions of this type; "neighbors" are atomic numbers."""
    optional: int = 0
    """Number of last arguments that a line may leave out."""


@dataclass(frozen=True)
class FunctionKind:
    """Type of symmetry functions.

    Parameters
    ----------
    name : str
        Name in definition files.
    form : str
        `form` of the functions: which class they are of.
    required, optional : tuple of str
        Keys in definition files.
    envelope, angle : type or tuple of types
        Classes of the factors.
    family : str
        Name in labels and summaries; `name` by default.
    runner : tuple of RunnerType
        Types of RuNNer and n2p2 that such functions are written as.
    """

    name: str
    form: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    envelope: type | tuple[type, ...] = (Cutoff, Compact)
    angle: type | tuple[type, ...] = (Power, Window, NoneType)
    family: str = ""
    runner: tuple[RunnerType, ...] = ()

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """All keys in definition files, those that are required first."""
        return *self.required, *self.optional

    def fits(self, function: Any, parameters: Iterable[str]) -> bool:
        """Return True if a function whose `parameters` differ from zero is of this type."""
        return (
            function.form == self.form
            and isinstance(function.envelope, self.envelope)
            and isinstance(getattr(function, "angle", None), self.angle)
            and all(name in self.keys for name in parameters)
        )


CUTOFF_KEYS = ("cutoff_type", "alpha")
COMPACT_KEYS = ("shape", "asymmetric")
ENVELOPE_KEYS = ("cutoff", *CUTOFF_KEYS, "left", "right", *COMPACT_KEYS)
ANGLE_KEYS = ("zeta", "lambda", "angle", "angle_shape")
"""Keys of the factors in definition files."""

_RADIAL = "center", "neighbor"
_ANGULAR = "center", "neighbors"
_BY_CUTOFF = "cutoff", "eta", "rs"
_BY_EDGES = "shape", "neighbors", "right", "left"
_ANGULAR_ARGUMENTS = "eta", "lambda", "zeta", "cutoff", "rs"
_ANGULAR_ORDER = *_BY_CUTOFF, "zeta", "lambda", "neighbors"


def _both(number: int, weighted: int, arguments: tuple[str, ...], order: tuple[str, ...]) -> tuple[RunnerType, ...]:
    """Return two types that differ by the sum: over neighbours of some elements, and over all with weights."""
    return RunnerType(number, False, arguments, order), RunnerType(weighted, True, arguments, order)


_RADIAL_LINES = _both(2, 12, ("eta", "rs", "cutoff"), (*_BY_CUTOFF, "neighbors"))
_BUMP_LINES = _both(20, 23, ("left", "right", "subtype"), _BY_EDGES)
_WINDOW_ARGUMENTS = "left", "right", "angle_left", "angle_right", "subtype"
_WINDOW_ORDER = *_BY_EDGES, "angle_left", "angle_right"

KINDS = (
    FunctionKind("G1", "radial", (*_RADIAL, "cutoff"), CUTOFF_KEYS, envelope=Cutoff, runner=_RADIAL_LINES),
    FunctionKind(
        "G2", "radial", (*_RADIAL, "eta", "cutoff"), ("rs", *CUTOFF_KEYS),
        envelope=Cutoff, runner=_RADIAL_LINES,
    ),
    FunctionKind("G3", "radial", (*_RADIAL, "kappa", "cutoff"), ("rs", *CUTOFF_KEYS), envelope=Cutoff),
    FunctionKind(
        "G4", "narrow", (*_ANGULAR, "eta", "zeta", "lambda", "cutoff"), ("rs", *CUTOFF_KEYS),
        envelope=Cutoff, angle=Power,
        runner=(
            RunnerType(3, False, _ANGULAR_ARGUMENTS, _ANGULAR_ORDER, optional=1),
            RunnerType(13, True, ("eta", "rs", "lambda", "zeta", "cutoff"), _ANGULAR_ORDER),
        ),
    ),
    FunctionKind(
        "G5", "wide", (*_ANGULAR, "eta", "zeta", "lambda", "cutoff"), ("rs", *CUTOFF_KEYS),
        envelope=Cutoff, angle=Power, runner=(RunnerType(9, False, _ANGULAR_ARGUMENTS, _ANGULAR_ORDER, optional=1),),
    ),
    FunctionKind(
        "compact", "radial", (*_RADIAL, "left", "right"), COMPACT_KEYS, envelope=Compact, runner=_BUMP_LINES
    ),
    FunctionKind(
        "compact4", "narrow", (*_ANGULAR, "left", "right", "angle"), (*COMPACT_KEYS, "angle_shape"),
        envelope=Compact, angle=Window, runner=_both(21, 24, _WINDOW_ARGUMENTS, _WINDOW_ORDER),
    ),
    FunctionKind(
        "compact5", "wide", (*_ANGULAR, "left", "right", "angle"), (*COMPACT_KEYS, "angle_shape"),
        envelope=Compact, angle=Window, runner=_both(22, 25, _WINDOW_ARGUMENTS, _WINDOW_ORDER),
    ),
    FunctionKind("radial", "radial", _RADIAL, ("eta", "rs", "kappa", *ENVELOPE_KEYS), family="compact"),
    FunctionKind("narrow", "narrow", _ANGULAR, ("eta", "rs", *ENVELOPE_KEYS, *ANGLE_KEYS), family="compact4"),
    FunctionKind("wide", "wide", _ANGULAR, ("eta", "rs", *ENVELOPE_KEYS, *ANGLE_KEYS), family="compact5"),
    FunctionKind("pair-distance", "pcsf-radial", ("pair",), envelope=NoneType),
    FunctionKind("pair-G1", "pcsf-radial", ("pair",), ENVELOPE_KEYS),
    FunctionKind("pair-gaussian", "pcsf-radial", ("pair", "eta"), ("rs", *ENVELOPE_KEYS)),
    FunctionKind("pair-G2", "pcsf-environment", ("pair", "neighbor"), ENVELOPE_KEYS),
    FunctionKind(
        "pair-G3", "pcsf-environment", ("pair", "neighbor", "eta"), ("rs", "pair_eta", "pair_rs", *ENVELOPE_KEYS)
    ),
    FunctionKind(
        "pair-G4", "pcsf-angular", ("pair", "neighbor", "eta"), ("rs", "apex", *ENVELOPE_KEYS, *ANGLE_KEYS)
    ),
)  # fmt: skip
"""Every type. A function is of the first type that fits, so special types are before general ones."""


def kind_of(function: Any) -> FunctionKind:
    """Return the type of a function."""
    return _kind_of(function, parameters_of(function))


def _kind_of(function: Any, parameters: Mapping[str, float]) -> FunctionKind:
    different = [name for name, value in parameters.items() if value]
    return next(kind for kind in KINDS if kind.fits(function, different))


@cache
def _parameter_names(form: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(form) if field.name in PARAMETERS)


def parameters_of(function: Any) -> dict[str, float]:
    """Return the parameters of the radial factors by their names."""
    return {name: getattr(function, name) for name in _parameter_names(function.__class__)}


def effective_parameters(function: Any) -> dict[str, float]:
    """Return the parameters, with zero for those that have no effect: shifts of Gaussians without an exponent."""
    values = parameters_of(function)
    return {name: value if values[PARAMETERS[name].switch] else 0.0 for name, value in values.items()}


class SymmetryFunctionBase:
    """Base of all symmetry functions: checks, family and label."""

    noun: ClassVar[str] = "symmetry function"
    """Name of the class in errors."""
    angle_name: ClassVar[str] = "theta"
    """Name of the angle in labels."""
    envelope: Any
    eta: float
    rs: float

    @property
    def form(self) -> str:
        """Form of the function, as in `FunctionKind`."""
        raise NotImplementedError

    @property
    def owner(self) -> str:
        """Central element or kind of pairs to whose columns the function belongs."""
        raise NotImplementedError

    @property
    def neighbor_elements(self) -> tuple[str, ...] | None:
        """Elements of the neighbours in one term of the sum; None for all, weighted by their atomic numbers."""
        raise NotImplementedError

    @property
    def radial_factor(self) -> RadialFactor:
        """Factor of the distances."""
        return gaussian(self.eta, self.rs)

    @property
    def family(self) -> str:
        """Name of functions of this form in the literature, as "G2"; "w" in front means element-weighted."""
        kind = _kind_of(self, effective_parameters(self))
        return ("w" if self.neighbor_elements is None else "") + (kind.family or kind.name)

    @property
    def label(self) -> str:
        """Readable, unique name of the column."""
        neighbors = "*" if self.neighbor_elements is None else ",".join(self.neighbor_elements)
        parts = [f"{self.family}({self.owner};{neighbors})" if neighbors else f"{self.family}({self.owner})"]
        values = parameters_of(self)
        parts += [f"{name}={value:g}" for name, value in values.items() if values[PARAMETERS[name].switch]]
        if hasattr(self, "angle"):
            parts.append(angle_label(self.angle, self.angle_name))
        if hasattr(self, "apex"):
            parts.append(f"apex={self.apex}")
        if self.envelope is not None:
            parts.append(envelope_label(self.envelope))
        return " ".join(parts)

    def check_parameters(self) -> None:
        """Check that the parameters of the radial factors are finite, and not negative where they must not be.

        Raises
        ------
        InputError
            If one is not finite, or negative and must not be.
        """
        for name, value in parameters_of(self).items():
            if not math.isfinite(value):
                raise InputError(f"{self.noun}: {name} must be a finite number, found {value!r}")
            if value < 0 and not PARAMETERS[name].signed:
                raise InputError(f"{self.noun}: {name} must not be negative, found {value}")


def sorted_pair(elements: Sequence[str], expected: str) -> tuple[str, str]:
    """Return two elements sorted by atomic number.

    Raises
    ------
    InputError
        If there are not two (the error says what was `expected`), or one is unknown.
    """
    if isinstance(elements, str) or len(elements) != 2:
        raise InputError(f"expected {expected}, found {elements!r}")
    first, second = sorted(elements, key=atomic_number)
    return first, second


def runner_type(function: Any) -> RunnerType | None:
    """Return the type by which RuNNer and n2p2 know a function; None if they have none like it.

    The kinds of cutoffs and bumps are not looked at.
    """
    weighted = function.neighbor_elements is None
    return next((known for known in kind_of(function).runner if known.weighted == weighted), None)


def line_values(function: Any) -> dict[str, Any]:
    """Return the numbers and words of a function by the names that `RunnerType` uses."""
    envelope, angle = function.envelope, getattr(function, "angle", None)
    values: dict[str, Any] = parameters_of(function)
    if isinstance(envelope, Compact):
        values |= {"left": envelope.left, "right": envelope.right}
        values["shape"] = envelope.kind + ("a" if envelope.asymmetric else "")
    else:
        values["cutoff"] = envelope.radius
    if isinstance(angle, Power):
        values |= {"zeta": angle.zeta, "lambda": angle.lam}
    elif angle is not None:
        values |= {"angle_left": angle.left, "angle_right": angle.right}
    return values
