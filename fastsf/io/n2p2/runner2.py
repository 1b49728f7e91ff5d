"""Symmetry functions of RuNNer 2, whose lines end with the number of a cutoff function.

::

    fc_cosine NUMBER [inner] outer
    symfunction ec 2 e1 eta rs NUMBER
    symfunction ec 3 e1 e2 eta lambda zeta NUMBER

Numbers of types and names of keywords differ from RuNNer 1 in other places, so that nothing else is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fastsf.errors import FormatError
from fastsf.io.n2p2.keywords import CUTOFF_PREFIX, KeywordLine, Keywords
from fastsf.io.n2p2.symfunction_lines import parse_line
from fastsf.symmetry.atoms import SymmetryFunction

_KINDS = {"fc_cosine": "cosine", "fc_hard": "hard"}
_TYPES = ("2", "3")
_KEYWORDS = {
    "default_nodes",
    "default_activation_nn",
    "scale_feature_maps",
    "center_feature_maps",
    "feature_map_default",
    "model_type_short",
}
"""Keywords of RuNNer 2 alone."""


def is_runner2(keywords: Keywords) -> bool:
    """Return True if a settings file is of RuNNer 2."""
    return any(_is_cutoff(line) or line.keyword in _KEYWORDS for line in keywords.entries)


def is_runner2_keyword(keyword: str) -> bool:
    """Return True for keywords of RuNNer 2 that RuNNer 1 does not have."""
    return keyword.startswith(CUTOFF_PREFIX) or keyword in _KEYWORDS


def runner2_functions(keywords: Keywords, known: Sequence[str]) -> list[SymmetryFunction]:
    """Read the functions of a file of RuNNer 2, in the file's unit of length and in its order.

    Raises
    ------
    FormatError
        If a line is not as expected, or of a kind that is not supported.
    """
    for name in ("cutoff_type", "cutoff_alpha", "global_symfunction_short", "element_symfunction_short"):
        entry = keywords.get(name)
        if entry is not None:
            raise entry.error("expected no such keyword with cutoff functions of RuNNer 2 (fc_...)")
    cutoffs = _cutoffs(keywords)
    lines = keywords.all("symfunction_short")
    if not lines:
        raise FormatError("no symmetry function: expected symfunction lines", keywords.path)
    return [_function(line, known, cutoffs) for line in lines]


def with_radii(keywords: Keywords) -> Keywords:
    """Return a file of RuNNer 2 with radii in place of the numbers of cutoff functions, as RuNNer 1 writes it.

    Raises
    ------
    FormatError
        If a line is not as expected.
    """
    cutoffs = _cutoffs(keywords)
    return replace(
        keywords,
        entries=tuple(
            _with_radius(line, cutoffs)[0] if line.keyword == "symfunction_short" else line for line in keywords.entries
        ),
    )


def _is_cutoff(line: KeywordLine) -> bool:
    return line.keyword.startswith(CUTOFF_PREFIX)


def _cutoffs(keywords: Keywords) -> dict[str, tuple[str, float, str]]:
    """Return name, relative inner cutoff and radius, as it is written, of the cutoff functions by their numbers."""
    found: dict[str, tuple[str, float, str]] = {}
    for line in filter(_is_cutoff, keywords.entries):
        if line.keyword not in _KINDS:
            raise line.error(f"expected a cutoff function {' or '.join(_KINDS)} (others of RuNNer 2 are not supported)")
        line.count(2, 3)
        number = str(line.integer(0, "the number of the cutoff function"))
        inner = line.number(1, "the inner cutoff") if len(line.args) == 3 else 0.0
        outer = line.number(len(line.args) - 1, "the cutoff radius")
        if not 0 <= inner < outer:
            raise line.error(f"expected an inner cutoff from 0 to the outer one, found {inner:g} and {outer:g}")
        if number in found:
            raise line.error(f"expected each number once, found {number} again")
        alpha = inner / outer if line.keyword == "fc_cosine" else 0.0
        found[number] = _KINDS[line.keyword], alpha, line.args[-1]
    return found


def _function(line: KeywordLine, known: Sequence[str], cutoffs: dict[str, tuple[str, float, str]]) -> SymmetryFunction:
    if len(line.args) > 1 and line.args[1] not in _TYPES:
        raise line.error(f"expected a type {' or '.join(_TYPES)} (others of RuNNer 2 are not supported)")
    resolved, cutoff = _with_radius(line, cutoffs)
    return parse_line(resolved, known, cutoff)


def _with_radius(
    line: KeywordLine, cutoffs: dict[str, tuple[str, float, str]]
) -> tuple[KeywordLine, tuple[str, float]]:
    number = line.args[-1] if line.args else "nothing"
    if number not in cutoffs:
        there = f"one of {', '.join(cutoffs)}" if cutoffs else "a line fc_cosine NUMBER INNER OUTER"
        raise line.error(
            f"the last word is the number of a cutoff function in RuNNer 2: expected {there}; found {number}"
        )
    kind, alpha, radius = cutoffs[number]
    return replace(line, args=(*line.args[:-1], radius)), (kind, alpha)
