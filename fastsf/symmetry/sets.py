"""What is done with sets of symmetry functions: their elements, their usual order, other units of length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastsf.elements import atomic_number
from fastsf.symmetry.atoms import Angular, Radial, SymmetryFunction
from fastsf.symmetry.factors import Compact, Envelope, Power, Window
from fastsf.symmetry.pcsf import PairFunction, PairRadial

Function = TypeVar("Function", bound=SymmetryFunction | PairFunction)


def elements_of(functions: Iterable[SymmetryFunction | PairFunction]) -> list[str]:
    """Every element that functions name, as centre, in a pair or as neighbour, sorted by atomic number."""
    symbols: set[str] = set()
    for function in functions:
        symbols.update((function.center,) if isinstance(function, Radial | Angular) else function.elements)
        if isinstance(function, Angular):
            symbols.update(function.neighbors or ())
        elif not isinstance(function, PairRadial) and function.neighbor is not None:
            symbols.add(function.neighbor)
    return sorted(symbols, key=atomic_number)


def families_in_words(columns: Mapping[str, Sequence[SymmetryFunction | PairFunction]]) -> list[str]:
    """Lines that say how many functions of which families an element or a kind of pairs has."""
    width = max(map(len, columns))
    lines = []
    for name, functions in columns.items():
        families = Counter(function.family for function in functions)
        words = ", ".join(f"{count} {family}" for family, count in families.items()) or "none"
        lines.append(f"  {name:{max(width, 2)}} {len(functions):4d}: {words}")
    return lines


def joined_labels(labels: Mapping[str, Sequence[str]], n_features: int) -> npt.NDArray[Any]:
    """Names of the columns; where elements or kinds of pairs share a column, they are joined by " | "."""
    columns = [[own[k] for own in labels.values() if k < len(own)] for k in range(n_features)]
    return np.array([" | ".join(names) for names in columns], dtype=object)


def scale_lengths(function: Function, factor: float) -> Function:
    """Express in Å a function that counts lengths in units of `factor` Å, without changing its values.

    Parameters
    ----------
    function : SymmetryFunction or PairFunction
        Its radii, edges and shifts are multiplied by `factor`, kappa is divided by it, eta by its square. The distance
        of a pair itself is in Å in any case.
    factor : float
        Length of the unit in Å.
    """
    if factor == 1.0 or function.envelope is None:
        return function
    powers = {"eta": -2, "rs": 1, "kappa": -1, "pair_eta": -2, "pair_rs": 1}
    scaled: dict[str, Any] = {
        name: getattr(function, name) * factor**power for name, power in powers.items() if hasattr(function, name)
    }
    return replace(function, envelope=_scaled_envelope(function.envelope, factor), **scaled)


def _scaled_envelope(envelope: Envelope, factor: float) -> Envelope:
    if isinstance(envelope, Compact):
        return replace(envelope, left=envelope.left * factor, right=envelope.right * factor)
    return replace(envelope, radius=envelope.radius * factor)


def runner_type(function: SymmetryFunction) -> int | None:
    """Number by which RuNNer and n2p2 know functions of this form, or None if they have none like it.

    2 radial, 3 narrow and 9 wide angular, 12 and 13 the element-weighted 2 and 3, 20 to 25 the compact ones.
    The kinds of cutoffs and bumps are not looked at.
    """
    compact = isinstance(function.envelope, Compact)
    if isinstance(function, Radial):
        if function.kappa or (compact and (function.eta or function.rs)):
            return None
        if compact:
            return 23 if function.neighbor is None else 20
        return 12 if function.neighbor is None else 2
    weighted = function.neighbors is None
    if compact and isinstance(function.angle, Window) and not function.eta and not function.rs:
        return (24 if function.narrow else 25) if weighted else (21 if function.narrow else 22)
    if compact or isinstance(function.angle, Window) or (weighted and not function.narrow):
        return None
    return 13 if weighted else 3 if function.narrow else 9


def column_order(function: SymmetryFunction) -> tuple[Any, ...]:
    """Key that sorts functions as n2p2 does: the order of its scaling data and of the inputs of its networks.

    Functions are sorted by central element, type (`runner_type`; those without one come last), and then by
    their parameters, ascending::

        2, 12      cutoff radius, eta, rs, neighbour
        3, 9, 13   cutoff radius, eta, rs, zeta, lambda, neighbours
        20, 23     shape, neighbour, right edge, left edge
        21, 22     shape, neighbours, right edge, left edge, angle's left edge, right edge
        24, 25     the same

    Elements count by atomic number.
    """
    number = runner_type(function)
    head = (atomic_number(function.center), 99 if number is None else number)
    if number is None:
        return (*head, function.label)
    envelope = function.envelope
    if isinstance(function, Radial):
        species: tuple[int, ...] = () if function.neighbor is None else (atomic_number(function.neighbor),)
        angle: tuple[float, ...] = ()
    else:
        species = tuple(atomic_number(symbol) for symbol in function.neighbors or ())
        values = function.angle
        angle = (values.zeta, values.lam) if isinstance(values, Power) else (values.left, values.right)
    if isinstance(envelope, Compact):
        shape = envelope.kind + ("a" if envelope.asymmetric else "")
        return (*head, shape, *species, envelope.right, envelope.left, *angle)
    return (*head, envelope.radius, function.eta, function.rs, *angle, *species)
