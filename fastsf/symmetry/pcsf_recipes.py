"""Recipes: sets of pair-centred symmetry functions for given elements and cutoff."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement, product
from typing import Any

from fastsf.symmetry.factors import Cutoff, Power
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial, PCSFunction
from fastsf.symmetry.recipes import (
    checked_count,
    checked_kind,
    checked_number,
    checked_numbers,
    make_from,
    side_by_side,
)

PCSFRecipe = Callable[..., list[PCSFunction]]


def make_pcsf(name: str, elements: Sequence[str], /, cutoff: float | None = None, **options: Any) -> list[PCSFunction]:
    """Make the pair-centred functions of a recipe of `PCSF_RECIPES`, for all kinds of pairs of the elements.

    Parameters and errors are those of `fastsf.symmetry.recipes.make`. The functions are sorted by
    kinds of pairs.
    """
    return make_from(PCSF_RECIPES, name, elements, cutoff, options)


def pairs(
    elements: list[str],
    cutoff: float | None = None,
    *,
    r_min: float = 0.8,
    radial: int = 8,
    environment: int = 4,
    eta: Sequence[float] = (0.02,),
    zeta: Sequence[float] = (1.0, 4.0),
    apex: str = "heavier",
    cutoff_type: str = "cosine",
) -> list[PCSFunction]:
    """Make Gaussians of one width side by side for the pair and for its neighbours, and triangles.

    Each kind of pairs has `radial` Gaussians of Rij at points from `r_min` to cutoff - 0.4 Å,
    spaced by d, with eta = 1/(2 d^2). For each element of neighbours, it has `environment` such
    Gaussians of Rik and Rjk, times fc(Rij), and triangles with each (small) `eta`, each `zeta` and
    lambda = -1, 1.

    The recipe is a choice of this project. With the default cutoff of 6 Å, it has 16 functions for
    one element, 24 for each kind of pairs of two elements and 32 of three.
    """
    rc = checked_number("cutoff", 6.0 if cutoff is None else cutoff, above=1.5)
    first = checked_number("r_min", r_min, above=0.01, below=rc - 1.4)
    distances = side_by_side(first, rc - 0.4, checked_count("radial", radial, 2))
    around = side_by_side(first, rc - 0.4, checked_count("environment", environment, 2))
    turns = list(product(checked_numbers("eta", eta), checked_numbers("zeta", zeta), (-1.0, 1.0)))
    fc = Cutoff(rc, checked_kind(cutoff_type))

    def functions() -> Iterator[PCSFunction]:
        for kind in combinations_with_replacement(elements, 2):
            for width, rs in distances:
                yield PairRadial(kind, fc, width, rs)
            for neighbor, (width, rs) in product(elements, around):
                yield PairEnvironment(kind, neighbor, fc, width, rs)
            for neighbor, (width, exponent, lam) in product(elements, turns):
                yield PairAngular(kind, neighbor, fc, Power(exponent, lam), width, apex=apex)

    return list(functions())


PCSF_RECIPES: dict[str, PCSFRecipe] = {"pairs": pairs}
"""Every recipe by its name; the docstrings name sources and options."""
