"""Account of the labels of many structures: how many, under which names, and what was left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fastsf.errors import counted
from fastsf.io.label_names import LABELS, LabelName, is_reference
from fastsf.io.labels import FoundLabels

PLURALS: dict[LabelName, str] = {"energy": "energies", "forces": "forces", "stress": "stresses"}
_USUAL = frozenset(("energy", "forces", "stress"))
_MOST_KEYS = 4


@dataclass
class LabelAccount:
    """Counts of labels by their names in the files.

    Parameters
    ----------
    structures : int
        Number of structures.
    names : dict of str to Counter
        Numbers of structures by the key of each label.
    passed_over : Counter
        Numbers of structures by label, key that is read, and key with another value.
    unread : Counter
        Numbers of structures by missing label, and key that may hold it.
    unusable : Counter
        Numbers of structures by the reason why a label is left out.
    """

    structures: int = 0
    names: dict[LabelName, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    passed_over: Counter[tuple[LabelName, str, str]] = field(default_factory=Counter)
    unread: Counter[tuple[LabelName, str]] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)

    def add(self, found: FoundLabels) -> None:
        """Add a structure."""
        self.structures += 1
        for name, key in found.names.items():
            self.names[name][key] += 1
        self.passed_over.update(found.passed_over)
        self.unread.update(found.unread)
        self.unusable.update(found.unusable)

    def join(self, other: LabelAccount) -> None:
        """Add the structures of another account."""
        self.structures += other.structures
        for name, keys in other.names.items():
            self.names[name].update(keys)
        self.passed_over.update(other.passed_over)
        self.unread.update(other.unread)
        self.unusable.update(other.unusable)

    def count(self, name: LabelName) -> int:
        """Return the number of structures with a label."""
        return sum(self.names[name].values()) if name in self.names else 0

    def text(self, counts: Mapping[str, int] | None = None) -> str:
        """Return the numbers of labels with their unusual names, as "energies of 5, forces of 5 (`force`), ...".

        Parameters
        ----------
        counts : mapping of str to int, optional
            Numbers of structures with each label in place of those of the account.
        """
        words = []
        for name in LABELS:
            number = self.count(name) if counts is None else counts[name]
            words.append(f"{PLURALS[name]} of {number:,}{self._keys(name)}")
        return f"{', '.join(words)} structures"

    def _keys(self, name: LabelName) -> str:
        """Return the names of a label in parentheses, empty if it has only the usual one."""
        keys = self.names.get(name, Counter())
        if not set(keys) - _USUAL:
            return ""
        shown = [f"`{key}`" + (f" {number:,}" if len(keys) > 1 else "") for key, number in keys.most_common(_MOST_KEYS)]
        return f" ({', '.join(shown)}{', ...' * (len(keys) > _MOST_KEYS)})"

    def remarks(self) -> list[str]:
        """Return what was passed over, not read or left out, a line each."""
        return [*self._passed(), *(text for text, _ in self.doubts()), *self._unusable()]

    def _passed(self) -> Iterator[str]:
        for (name, key, other), number in self.passed_over.items():
            why = ", a reference," if is_reference(name, key) and not is_reference(name, other) else ""
            yield (
                f"{PLURALS[name]} are read from `{key}`{why} and not from `{other}`, which differs in "
                f"{counted(number, 'structure')}; {option(name, other)} reads the latter"
            )

    def _unusable(self) -> Iterator[str]:
        for reason, number in self.unusable.most_common(_MOST_KEYS):
            yield f"a label is left out of {counted(number, 'structure')}: {reason}"

    def doubts(self) -> Iterator[tuple[str, str]]:
        """Yield what makes labels doubtful as text, with the label: unread keys, and several names."""
        for (name, key), number in self.unread.items():
            if number > self.count(name) or number > self.structures // 100:
                what = "are three real numbers of each atom" if name == "forces" else "may be one"
                yield (
                    f"{counted(number, 'structure')} without {name}, but with `{key}`, which is not read "
                    f"({what}): {option(name, key)} reads it as {name}",
                    name,
                )
        for name, keys in self.names.items():
            references = [key for key in keys if is_reference(name, key)]
            others = [key for key in keys if not is_reference(name, key)]
            if references and others:
                yield (
                    f"{PLURALS[name]} have several names{self._keys(name)}: are those of `{others[0]}` references too? "
                    f"{option(name, references[0])} reads only this one",
                    name,
                )


def option(name: str, key: str) -> str:
    """Return the option, and the key of a configuration, that name a label."""
    return f"--{name}-key {key} ({name}_key in [data])"
