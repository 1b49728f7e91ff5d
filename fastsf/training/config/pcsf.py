"""Section [pairs] of the configuration of a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastsf.datasets.labelled import LabelledSet
from fastsf.errors import InputError
from fastsf.symmetry.definition import PAIR_CENTERED
from fastsf.symmetry.pcsf import PairFunction
from fastsf.symmetry.pcsf_recipes import make_pairs
from fastsf.training.config.suggest import Suggestion, suggest

PAIR_RECIPE = "pairs"
"""Recipe that is taken if none is named."""


@dataclass(frozen=True)
class PairNetworks:
    """Section [pairs]: pair-centred functions, and one network per kind of pairs, all of the same shape.

    Parameters
    ----------
    envelope : {"fc", "shift", "none"}
        How the energy of a pair ends at the cutoff, as for `PairTerm`.
    hidden : tuple of int, optional
        Nodes of the hidden layers; as in `Networks` by default, as is everything else.
    functions : list of PairFunction, optional
        The functions.
    recipe : dict, optional
        A recipe ("name") and its options, in place of functions; without either, what suits the data.
    """

    envelope: Literal["fc", "shift", "none"] = "fc"
    hidden: tuple[int, ...] | None = None
    functions: list[PairFunction] | None = None
    recipe: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        check_hidden(self.hidden or ())

    def functions_for(self, labelled: LabelledSet) -> list[PairFunction]:
        """Functions for a training set.

        Raises
        ------
        InputError
            If the recipe does not have them.
        """
        if self.functions is not None:
            return self.functions
        options = dict(suggested_pairs(suggest(labelled)) if self.recipe is None else self.recipe)
        return make_pairs(options.pop("name"), labelled.elements, **options)

    def table(self) -> dict[str, Any]:
        """Everything in plain types."""
        functions = None if self.functions is None else [PAIR_CENTERED.to_dict(each) for each in self.functions]
        return {"envelope": self.envelope, "hidden": self.hidden, "recipe": self.recipe, "functions": functions}


def suggested_pairs(suggestion: Suggestion) -> dict[str, Any]:
    """Recipe for pairs, as far as what suits atoms tells."""
    return {"name": PAIR_RECIPE, **{key: suggestion.recipe[key] for key in ("cutoff", "r_min")}}


def check_hidden(hidden: tuple[int, ...]) -> None:
    """Complain about layers without nodes; raises InputError."""
    if any(size < 1 for size in hidden):
        raise InputError(f"hidden: expected positive numbers, found {list(hidden)}")
