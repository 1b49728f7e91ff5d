"""The settings file of RuNNer and n2p2 (input.nn) as keyword lines: keyword, arguments, line number.

Other modules interpret the keywords. They may be in upper or lower case. As in n2p2, a keyword that is not
repeatable may occur once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from fastsf.errors import FormatError
from fastsf.io.text import check_whole, numbered_lines, parse_float, parse_int

ALIASES = {
    "symfunction": "symfunction_short",
    "nnp_generation": "nnp_type",
    "nnp_type_gen": "nnp_type",
    "nnp_gen": "nnp_type",
    "short_energy_fraction": "energy_fraction",
    "short_force_fraction": "force_fraction",
    "short_energy_error_threshold": "rmse_threshold_energy",
    "short_force_error_threshold": "rmse_threshold_force",
    "nn_type": "nn_type_short",
}
"""Other names of keywords, and the names that entries have. RuNNer also writes `_short_atomic` for `_short`."""

REPEATED = {
    "symfunction_short",
    "atom_energy",
    "element_nodes_short",
    "element_activation_short",
    "element_hidden_layers_short",
    "node_activation_short",
    "global_symfunction_short",
    "element_symfunction_short",
    "atom_mass",
    "fixed_gausswidth",
    "initial_hardness",
    "symfunction_electrostatic",
    "global_symfunction_electrostatic",
    "element_symfunction_electrostatic",
    "pairsymfunction_short",
    "global_pairsymfunction_short",
    "element_pairsymfunction_short",
    "optimizer",
}
"""Keywords that may occur more than once in n2p2 or RuNNer; so may cutoff functions of RuNNer 2 (fc_...)."""

CUTOFF_PREFIX = "fc_"
"""Start of the keywords that number cutoff functions in RuNNer 2."""

_COMMENT = re.compile("[#!]")


@dataclass(frozen=True)
class KeywordLine:
    """One setting.

    Parameters
    ----------
    keyword : str
        Its name, aliases resolved.
    args : tuple of str
        The rest of the line, split at blanks.
    line : int
        One-based line number.
    path : Path
        The file.
    """

    keyword: str
    args: tuple[str, ...]
    line: int
    path: Path

    def error(self, message: str) -> FormatError:
        """Return an error that names the file and the line of this setting."""
        return FormatError(f"{self.keyword}: {message}", self.path, self.line)

    def count(self, fewest: int, most: int | None = None) -> None:
        """Check the number of arguments.

        Raises
        ------
        FormatError
            If there are fewer than `fewest` or more than `most` (default: `fewest`) arguments.
        """
        most = fewest if most is None else most
        if not fewest <= len(self.args) <= most:
            expected = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise self.error(f"expected {expected} arguments, found {len(self.args)}")

    def number(self, index: int, what: str) -> float:
        """Return argument `index` as a finite number; a FormatError says that `what` was expected."""
        return parse_float(self.args[index], self.path, self.line, what)

    def integer(self, index: int, what: str) -> int:
        """Return argument `index` as a whole number; a FormatError says that `what` was expected."""
        return parse_int(self.args[index], self.path, self.line, what)


@dataclass(frozen=True)
class Keywords:
    """All settings of a file, in its order."""

    path: Path
    entries: tuple[KeywordLine, ...]

    def all(self, keyword: str) -> list[KeywordLine]:
        """Return every line of a keyword that may occur more than once."""
        return [entry for entry in self.entries if entry.keyword == keyword]

    def get(self, keyword: str) -> KeywordLine | None:
        """Return the line of a keyword that may occur once, or None."""
        return next((entry for entry in self.entries if entry.keyword == keyword), None)


def split_words(text: str) -> list[str]:
    """Return the words of a line before its comment, which '#' or '!' starts."""
    return _COMMENT.split(text, maxsplit=1)[0].split()


def _name(word: str) -> str:
    """Return the name that entries of a keyword have."""
    keyword = word.lower()
    if keyword.endswith("_short_atomic"):
        keyword = keyword.removesuffix("_atomic")
    return ALIASES.get(keyword, keyword)


def read_keywords(path: str | Path) -> Keywords:
    """Read a settings file.

    Comments run from '#' or '!' to the end of the line; neither blank lines nor the order of
    keywords matter.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If a keyword that may occur once occurs twice, or the file seems to be cut off.
    """
    path = Path(path)
    entries: list[KeywordLine] = []
    first: dict[str, int] = {}
    text = ""
    for number, text in numbered_lines(path):
        tokens = split_words(text)
        if not tokens:
            continue
        entry = KeywordLine(_name(tokens[0]), tuple(tokens[1:]), number, path)
        if entry.keyword in first and entry.keyword not in REPEATED and not entry.keyword.startswith(CUTOFF_PREFIX):
            raise entry.error(f"expected once, but line {first[entry.keyword]} already has it")
        first.setdefault(entry.keyword, number)
        entries.append(entry)
    if entries:
        alike = [entry.args[-1] for entry in entries if entry.args and entry.keyword == entries[-1].keyword]
        check_whole(alike, text, path, entries[-1].line)
    return Keywords(path, tuple(entries))
