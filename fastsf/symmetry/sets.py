"""Sets of symmetry functions: their elements, n2p2's order, other units of length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastsf.elements import atomic_number
from fastsf.symmetry.atoms import Angular, Radial, SymmetryFunction
from fastsf.symmetry.factors import Compact, Envelope
from fastsf.symmetry.kinds import PARAMETERS, line_values, parameters_of, runner_type
from fastsf.symmetry.pcsf import PCSFunction

Function = TypeVar("Function", bound=SymmetryFunction | PCSFunction)


def elements_of(functions: Iterable[SymmetryFunction | PCSFunction]) -> list[str]:
    """Return every element that functions name, as centre, in a pair or as neighbour, sorted by atomic number."""
    symbols: set[str] = set()
    for function in functions:
        symbols.update((function.center,) if isinstance(function, Radial | Angular) else function.elements)
        symbols.update(function.neighbor_elements or ())
    return sorted(symbols, key=atomic_number)


def families_in_words(columns: Mapping[str, Sequence[SymmetryFunction | PCSFunction]]) -> list[str]:
    """Return a line for each element or kind of pairs with its numbers of functions by family."""
    width = max(map(len, columns))
    lines = []
    for name, functions in columns.items():
        families = Counter(function.family for function in functions)
        words = ", ".join(f"{count} {family}" for family, count in families.items()) or "none"
        lines.append(f"  {name:{max(width, 2)}} {len(functions):4d}: {words}")
    return lines


def joined_labels(labels: Mapping[str, Sequence[str]], n_features: int) -> npt.NDArray[Any]:
    """Return the names of the columns; where elements or kinds of pairs share a column, " | " joins their names."""
    columns = [[own[k] for own in labels.values() if k < len(own)] for k in range(n_features)]
    return np.array([" | ".join(names) for names in columns], dtype=object)


def scale_lengths(function: Function, factor: float) -> Function:
    """Express in Å a function that counts lengths in units of `factor` Å, without changing its values.

    Parameters
    ----------
    function : SymmetryFunction or PCSFunction
        Radii, edges and shifts are multiplied by `factor`, kappa is divided by it, eta by its
        square. The distance of a pair itself is always in Å.
    factor : float
        Length of the unit in Å.
    """
    if factor == 1.0 or function.envelope is None:
        return function
    values = {name: value * factor ** PARAMETERS[name].power for name, value in parameters_of(function).items()}
    return replace(function, envelope=_scaled_envelope(function.envelope, factor), **values)  # type: ignore[arg-type]


def _scaled_envelope(envelope: Envelope, factor: float) -> Envelope:
    if isinstance(envelope, Compact):
        return replace(envelope, left=envelope.left * factor, right=envelope.right * factor)
    return replace(envelope, radius=envelope.radius * factor)


def column_order(function: SymmetryFunction) -> tuple[Any, ...]:
    """Return the key that sorts functions as n2p2 does, in its scaling data and the inputs of its networks.

    Functions are sorted by central element, by number of their type (functions without one come
    last), and then by the values that `RunnerType.order` names, ascending. Elements count by atomic
    number.
    """
    known = runner_type(function)
    center = atomic_number(function.center)
    if known is None:
        return center, 99, function.label
    values = line_values(function)
    values["neighbors"] = tuple(atomic_number(symbol) for symbol in function.neighbor_elements or ())
    return center, known.number, *(values[name] for name in known.order)
