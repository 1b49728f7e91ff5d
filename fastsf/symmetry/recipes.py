"""Sets of symmetry functions, most of them published, made for given elements and cutoff.

Some recipes put functions on grids (`gastegger2018-wacsf`, `gastegger2018-acsf`, `imbalzano2018`,
`even-grid`), others are the sets of published potentials (`water-rpbe-d3`, `cu2s-pbe`). `make`
builds the functions of one of `RECIPES`, whose docstrings name options and sources. Lengths are in
Å.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, product
from numbers import Real
from typing import Any, TypeVar

from fastsf.errors import InputError
from fastsf.symmetry.atoms import G2, G4, G5, SymmetryFunction
from fastsf.symmetry.entries import checked_elements
from fastsf.symmetry.factors import Cutoff
from fastsf.symmetry.published import cu2s_pbe, water_rpbe_d3

F = TypeVar("F")
Recipe = Callable[..., list[SymmetryFunction]]

_CUTOFF_RANGE = (0.1, 1000.0)


def make(name: str, elements: Sequence[str], /, cutoff: float | None = None, **options: Any) -> list[SymmetryFunction]:
    """Make the functions of a recipe.

    Parameters
    ----------
    name : str
        One of `RECIPES`.
    elements : sequence of str
        Chemical symbols; every element is a centre and a neighbour.
    cutoff : float, optional
        Cutoff radius in Å; by default that of the recipe.
    **options
        Options of the recipe, in its docstring.

    Returns
    -------
    list of Radial or Angular
        Sorted by central element.

    Raises
    ------
    InputError
        If there is no such recipe or option, or a value does not fit.
    """
    return make_from(RECIPES, name, elements, cutoff, options)


def make_from(
    recipes: Mapping[str, Callable[..., list[F]]],
    name: str,
    elements: Sequence[str],
    cutoff: float | None,
    options: Mapping[str, Any],
) -> list[F]:
    """Make the functions of one of several recipes; see `make`."""
    recipe = recipes.get(name) if isinstance(name, str) else None
    if recipe is None:
        raise InputError(f"unknown recipe {name!r}, expected one of {', '.join(recipes)}")
    known = list(inspect.signature(recipe).parameters)[2:]
    for option in options:
        if option not in known:
            raise InputError(f"unknown option {option!r}, {name} takes cutoff, {', '.join(known)}")
    if cutoff is not None:
        checked_number("cutoff", cutoff, *_CUTOFF_RANGE)
    return recipe(checked_elements(elements), cutoff, **options)


def gastegger2018_wacsf(
    elements: list[str],
    cutoff: float | None = None,
    *,
    radial: int = 22,
    angular: int = 5,
    zeta: Sequence[float] = (1.0,),
    mode: str = "shifted",
    r_min: float = 0.5,
    r_max: float | None = None,
    cutoff_type: str = "cosine",
) -> list[SymmetryFunction]:
    """Make element-weighted functions on the grids of Gastegger et al., J. Chem. Phys. 148, 241709 (2018).

    Radial functions have `radial` points r_k, spaced evenly by d from `r_min` to `r_max`. They are
    ``shifted`` Gaussians, eta = 1/(2 d^2) and rs = r_k, or ``centered`` ones, eta = 1/(2 r_k^2) and
    rs = 0. Angular ones (G4) are centred, eta = 1/(2 r_k^2) with `angular` radii r_k = 1 Å + k D,
    for each zeta and lambda = -1, 1. All neighbours count, weighted by Z_j or Z_j Z_k.

    The defaults are the 22 radial and 10 angular functions with a cutoff of 8 Å that the
    supplementary material lists before optimisation: radial points from 0.5 Å to cutoff - 0.5 Å.
    The spacing D, (cutoff - 1.5 Å) / (2 `angular` - 1), is inferred from that list.
    """
    grid = _gastegger_grid(cutoff, radial, angular, zeta, mode, r_min, r_max, cutoff_type)
    return _on_grid(elements, *grid, weighted=True)


def gastegger2018_acsf(
    elements: list[str],
    cutoff: float | None = None,
    *,
    radial: int = 22,
    angular: int = 5,
    zeta: Sequence[float] = (1.0,),
    mode: str = "shifted",
    r_min: float = 0.5,
    r_max: float | None = None,
    cutoff_type: str = "cosine",
) -> list[SymmetryFunction]:
    """Make element-resolved functions on the grids of Gastegger et al., J. Chem. Phys. 148, 241709 (2018).

    In place of the weights of `gastegger2018_wacsf`, each neighbour element has the radial grid,
    and each pair of neighbour elements the angular one. The default numbers of functions are those
    of the weighted set, a choice of this project.
    """
    grid = _gastegger_grid(cutoff, radial, angular, zeta, mode, r_min, r_max, cutoff_type)
    return _on_grid(elements, *grid, weighted=False)


def imbalzano2018(
    elements: list[str],
    cutoff: float | None = None,
    *,
    n: int = 5,
    zeta: Sequence[float] = (1.0, 4.0, 16.0),
    narrow: bool = True,
    cutoff_type: str = "cosine",
) -> list[SymmetryFunction]:
    """Make the pool of candidate functions of Imbalzano et al., J. Chem. Phys. 148, 241730 (2018).

    Each neighbour element has radial functions on two grids that divide the cutoff radius rc into
    `n` intervals. Centred ones have eta_m = (n^(m/n) / rc)^2, m = 0 ... n. Shifted ones are on the
    points rs_m = rc / n^(m/n); the function at rs_(n-m) has eta = 1 / (rs_(n-m) - rs_(n-m-1))^2, m
    = 0 ... n-1, and is as wide as the step to the next point outwards. Each pair of neighbour
    elements has angular functions with the centred eta, each `zeta`, lambda = -1, 1.

    The paper selects from this pool by correlations in the data; this recipe returns all of it. n =
    5, the cosine cutoff at 6 Å, the centred widths in the angular functions and r_jk in them
    (`narrow`: G4, else G5) are choices of this project.
    """
    n = checked_count("n", n, 2)
    rc = 6.0 if cutoff is None else float(cutoff)
    etas = [(n ** (m / n) / rc) ** 2 for m in range(n + 1)]
    points = [rc / n ** (m / n) for m in range(n + 1)]
    shifted = [(1 / (points[m] - points[m - 1]) ** 2, points[m]) for m in range(n, 0, -1)]
    radial = [(eta, 0.0) for eta in etas] + shifted
    zetas = checked_numbers("zeta", zeta)
    if not isinstance(narrow, bool):
        raise InputError(f"narrow: expected true or false, found {narrow!r}")
    centered = [(eta, 0.0) for eta in etas]
    return _on_grid(elements, Cutoff(rc, checked_kind(cutoff_type)), radial, centered, zetas, False, narrow)


def even_grid(
    elements: list[str],
    cutoff: float | None = None,
    *,
    r_min: float = 1.0,
    radial: int = 11,
    angular: int = 3,
    zeta: Sequence[float] = (1.0, 2.0, 4.0, 8.0),
    weighted_angles: bool = False,
    cutoff_type: str = "tanh3_normalized",
) -> list[SymmetryFunction]:
    """Make Gaussians of one width side by side, from `r_min` almost to the cutoff; the default of trainings.

    Each neighbour element has `radial` points r_k from `r_min` to cutoff - 0.4 Å, spaced by d, with
    eta = 1/(2 d^2) and rs = r_k. Angular functions without r_jk (G5), whose cost is linear in the
    number of neighbours for integer zeta, have `angular` such points from `r_min` + 0.5 Å to cutoff
    - 0.8 Å. There is one for each zeta, lambda = -1, 1 and pair of neighbour elements. With
    `weighted_angles`, one for all neighbours, weighted by Z_j Z_k, takes the place of the pairs.

    The recipe is a choice of this project. Its Gaussians are the shifted ones of Gastegger et al.
    (2018).
    """
    rc = 6.0 if cutoff is None else float(cutoff)
    first = checked_number("r_min", r_min, above=0.01, below=rc - 1.4)
    radii = side_by_side(first, rc - 0.4, checked_count("radial", radial, 2))
    turns = side_by_side(first + 0.5, rc - 0.8, checked_count("angular", angular, 2))
    envelope, zetas = Cutoff(rc, checked_kind(cutoff_type)), checked_numbers("zeta", zeta)
    if not isinstance(weighted_angles, bool):
        raise InputError(f"weighted_angles: expected true or false, found {weighted_angles!r}")
    if not weighted_angles:
        return _on_grid(elements, envelope, radii, turns, zetas, False, narrow=False)
    functions = _on_grid(elements, envelope, radii, [], zetas, False)
    functions += _on_grid(elements, envelope, [], turns, zetas, True, narrow=False)
    return sorted(functions, key=lambda function: elements.index(function.center))


RECIPES: dict[str, Recipe] = {
    "gastegger2018-wacsf": gastegger2018_wacsf,
    "gastegger2018-acsf": gastegger2018_acsf,
    "imbalzano2018": imbalzano2018,
    "even-grid": even_grid,
    "water-rpbe-d3": water_rpbe_d3,
    "cu2s-pbe": cu2s_pbe,
}
"""Every recipe by its name; the docstrings name sources and options."""


def _gastegger_grid(
    cutoff: float | None,
    radial: int,
    angular: int,
    zeta: Sequence[float],
    mode: str,
    r_min: float,
    r_max: float | None,
    cutoff_type: str,
) -> tuple[Cutoff, list[tuple[float, float]], list[tuple[float, float]], list[float]]:
    """Return the envelope, (eta, rs) of radial and of angular functions, and zeta."""
    rc = 8.0 if cutoff is None else float(cutoff)
    if rc <= 1.5:
        raise InputError(f"cutoff: the grids of this recipe need more than 1.5 Å, found {rc}")
    first = checked_number("r_min", r_min, above=0.01)
    last = rc - 0.5 if r_max is None else checked_number("r_max", r_max, above=first, below=math.nextafter(rc, 2 * rc))
    if last <= first:
        raise InputError(f"r_min: expected less than the last point of the grid at {last} Å, found {first}")
    step = (last - first) / (checked_count("radial", radial, 2) - 1)
    points = [first + k * step for k in range(radial)]
    if mode not in ("shifted", "centered"):
        raise InputError(f"mode: expected shifted or centered, found {mode!r}")
    if mode == "shifted":
        pairs = [(1 / (2 * step**2), point) for point in points]
    else:
        pairs = [(1 / (2 * point**2), 0.0) for point in points]
    angular_step = (rc - 1.5) / (2 * checked_count("angular", angular, 1) - 1)
    etas = [(1 / (2 * (1.0 + k * angular_step) ** 2), 0.0) for k in range(angular)]
    return Cutoff(rc, checked_kind(cutoff_type)), pairs, etas, checked_numbers("zeta", zeta)


def side_by_side(first: float, last: float, count: int) -> list[tuple[float, float]]:
    """Return (eta, rs) of `count` Gaussians that are as wide as they are apart."""
    step = (last - first) / (count - 1)
    return [(1 / (2 * step**2), first + k * step) for k in range(count)]


def _on_grid(
    elements: list[str],
    envelope: Cutoff,
    radial: list[tuple[float, float]],
    angular: list[tuple[float, float]],
    zetas: list[float],
    weighted: bool,
    narrow: bool = True,
) -> list[SymmetryFunction]:
    """Put the grids on every centre and (pair of) neighbour element(s)."""
    neighbors: Sequence[str | None] = [None] if weighted else elements
    pairs = [None] if weighted else list(combinations_with_replacement(elements, 2))
    make_angular = G4 if narrow else G5

    def functions() -> Iterator[SymmetryFunction]:
        for center in elements:
            for neighbor, (eta, rs) in product(neighbors, radial):
                yield G2(center, neighbor, eta, envelope, rs)
            for pair, (eta, rs), zeta, lam in product(pairs, angular, zetas, (-1.0, 1.0)):
                yield make_angular(center, pair, eta, zeta, lam, envelope, rs)

    return list(functions())


def checked_kind(cutoff_type: Any) -> str:
    """Check that the name of a cutoff function is a text; `Cutoff` checks that it is known."""
    if not isinstance(cutoff_type, str):
        raise InputError(f"cutoff_type: expected a text, found {cutoff_type!r}")
    return cutoff_type


def checked_count(name: str, value: Any, least: int) -> int:
    """Check that an option is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name}: expected a whole number, {least} or more, found {value!r}")
    return value


def checked_number(name: str, value: Any, above: float, below: float = math.inf) -> float:
    """Check that an option is a number in a range, ends excluded."""
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:
        number = math.inf
    if not above < number < below:
        upper = "" if below == math.inf else f" and below {below:g}"
        raise InputError(f"{name}: expected a number above {above:g}{upper}, found {value!r}")
    return number


def checked_numbers(name: str, values: Any) -> list[float]:
    """Check that an option is a list of positive numbers."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{name}: expected a list of numbers, found {values!r}")
    numbers = [checked_number(name, value, above=0.0) for value in values]
    if not numbers:
        raise InputError(f"{name}: the list is empty")
    return numbers
