"""The settings file of RuNNer and n2p2 (input.nn) as keyword lines: keyword, arguments, line number.

Interpreting the keywords is left to others; what is checked here is what n2p2 checks of any file, that a
keyword which may stand once does stand once.
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
}
"""Other names of a keyword; entries carry the name on the right."""

REPEATED = {
    "symfunction_short",
    "atom_energy",
    "element_nodes_short",
    "fixed_gausswidth",
    "initial_hardness",
    "symfunction_electrostatic",
    "pairsymfunction_short",
}
"""Keywords that may stand more than once (the last two are RuNNer's)."""

_COMMENT = re.compile("[#!]")


@dataclass(frozen=True)
class KeywordLine:
    """One setting.

    Parameters
    ----------
    keyword : str
        Its name, aliases resolved.
    args : tuple of str
        What follows on the line, split at blanks.
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
        """Error that names the file and the line of this setting."""
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
        """Argument `index` as a finite number, or a FormatError that says `what` was expected."""
        return parse_float(self.args[index], self.path, self.line, what)

    def integer(self, index: int, what: str) -> int:
        """Argument `index` as a whole number, or a FormatError that says `what` was expected."""
        return parse_int(self.args[index], self.path, self.line, what)


@dataclass(frozen=True)
class Keywords:
    """All settings of a file, in the file's order."""

    path: Path
    entries: tuple[KeywordLine, ...]

    def all(self, keyword: str) -> list[KeywordLine]:
        """Every line of a keyword that may stand more than once."""
        return [entry for entry in self.entries if entry.keyword == keyword]

    def get(self, keyword: str) -> KeywordLine | None:
        """The line of a keyword that may stand once, or None."""
        return next((entry for entry in self.entries if entry.keyword == keyword), None)


def split_words(text: str) -> list[str]:
    """Words of a line up to its comment, which '#' or '!' starts anywhere."""
    return _COMMENT.split(text, maxsplit=1)[0].split()


def read_keywords(path: str | Path) -> Keywords:
    """Read a settings file.

    Comments run from '#' or '!' to the end of the line; neither blank lines nor the order of keywords matter.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If a keyword that may stand once stands twice, or the file seems to be cut off.
    """
    path = Path(path)
    entries: list[KeywordLine] = []
    first: dict[str, int] = {}
    text = ""
    for number, text in numbered_lines(path):
        tokens = split_words(text)
        if not tokens:
            continue
        entry = KeywordLine(ALIASES.get(tokens[0], tokens[0]), tuple(tokens[1:]), number, path)
        if entry.keyword in first and entry.keyword not in REPEATED:
            raise entry.error(f"may stand once only, but is on line {first[entry.keyword]} already")
        first.setdefault(entry.keyword, number)
        entries.append(entry)
    if entries:
        alike = [entry.args[-1] for entry in entries if entry.args and entry.keyword == entries[-1].keyword]
        check_whole(alike, text, path, entries[-1].line)
    return Keywords(path, tuple(entries))
