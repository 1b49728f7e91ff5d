"""A look at the data before training: what stands out, what contradicts, what cannot be right.

Nothing is removed: what is unusual may be what a potential has to learn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsf.datasets.checks.duplicates import check_duplicates, equal_in_place
from fastsf.datasets.checks.features import check_atoms, environments, equal_to_functions
from fastsf.datasets.checks.findings import Finding
from fastsf.datasets.checks.geometry import Shortest, check_geometry, measure_geometry
from fastsf.datasets.checks.labels import check_energies, check_forces, check_stresses
from fastsf.datasets.checks.units import check_energy_scales, check_push, check_work
from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.reference_energies import compositions
from fastsf.datasets.splits import Split
from fastsf.types import FloatArray

_LEVELS = ("serious", "suspicious", "note")


@dataclass(frozen=True)
class OutlierReport:
    """What was found in a set.

    Parameters
    ----------
    labelled : LabelledSet
        The data.
    findings : list of Finding
        The worst first.
    shortest : dict of (str, str) to Shortest
        Shortest distance of each pair of elements that come near each other.
    """

    labelled: LabelledSet
    findings: list[Finding]
    shortest: dict[tuple[str, str], Shortest]

    @property
    def serious(self) -> list[Finding]:
        """Findings with which training makes no sense."""
        return [each for each in self.findings if each.level == "serious"]

    def table(self) -> dict[str, Any]:
        """Everything in plain types, for JSON."""
        distances = [
            {"elements": list(pair), "distance": each.distance, "structure": self.labelled.sources[each.structure]}
            for pair, each in self.shortest.items()
        ]
        findings = [each.table(self.labelled) for each in self.findings]
        return {"findings": findings, "shortest_distances": distances, "skipped": self.labelled.skipped}

    def text(self, most: int = 5) -> str:
        """Report for people.

        Parameters
        ----------
        most : int
            Findings that are shown of each kind and level, and structures of each finding.
        """
        lines = [
            f"shortest {'-'.join(pair)} distance {each.distance:.3f} Å ({self.labelled.sources[each.structure]})"
            for pair, each in self.shortest.items()
        ]
        lines += _shortened([f"left out: {reason}" for reason in self.labelled.skipped], most)
        for level in _LEVELS:
            for kind in dict.fromkeys(each.kind for each in self.findings if each.level == level):
                mine = [each for each in self.findings if (each.level, each.kind) == (level, kind)]
                lines += _shortened([f"{level}, {kind}: {self.describe(each, most)}" for each in mine], most)
        if not self.findings:
            lines.append("nothing unusual in the data")
        return "\n".join(lines)

    def describe(self, finding: Finding, most: int = 5) -> str:
        """Message of a finding with its structures, so many of them."""
        where = self._where(finding.structures[:most])
        rest = len(finding.structures) - most
        more = f" and {rest} more" if rest > 0 else ""
        return f"{finding.message} ({where}{more})" if where else finding.message

    def _where(self, structures: Sequence[int]) -> str:
        """Files and frames, each file named once."""
        frames: dict[str, list[str]] = {}
        for k in structures:
            file, _, frame = self.labelled.sources[k].rpartition(", frame ")
            frames.setdefault(file, []).append(frame)
        return "; ".join(f"{file}, frame{'s' * (len(some) > 1)} {', '.join(some)}" for file, some in frames.items())


def _shortened(lines: list[str], most: int) -> list[str]:
    rest = len(lines) - most
    return lines if rest <= 0 else [*lines[:most], f"  ... and {rest} more of this kind"]


def find_outliers(
    labelled: LabelledSet, values: Sequence[FloatArray] | None = None, split: Split | None = None
) -> OutlierReport:
    """Look for what is unusual in labelled structures.

    Energies far from those of their group (after the reference energies of the elements), forces likewise, distances
    shorter than bonds, forces that were never computed, stresses that no solid bears, labels that contradict each
    other because of units or signs, equal structures, contradictory structures and atoms, elements that are not
    trained.

    Parameters
    ----------
    labelled : LabelledSet
        The data.
    values : sequence of (n, s) float64, optional
        Symmetry functions of the atoms of each structure, not scaled. With them, structures that are turned or
        whose atoms are in another order count as equal too, and atoms are compared.
    split : Split, optional
        Parts, to compare them with each other.

    Returns
    -------
    OutlierReport
    """
    geometry = measure_geometry(labelled)
    findings = list(_findings(labelled, values, split))
    findings += check_geometry(labelled, geometry)
    findings += check_push(labelled, geometry.pushes)
    findings.sort(key=lambda each: _LEVELS.index(each.level))
    shortest = dict(sorted(geometry.shortest.items()))
    return OutlierReport(labelled, findings, shortest)


def _findings(labelled: LabelledSet, values: Sequence[FloatArray] | None, split: Split | None) -> Iterator[Finding]:
    if split is not None:
        yield from check_elements(labelled, split)
    for check in (check_work, check_energy_scales, check_stresses, check_energies, check_forces):
        yield from check(labelled)
    if values is None:
        yield from check_duplicates(labelled, equal_in_place(labelled), split)
    else:
        kinds = environments(labelled, values)
        yield from check_duplicates(labelled, equal_to_functions(labelled, kinds), split)
        yield from check_atoms(labelled, kinds)


def check_elements(labelled: LabelledSet, split: Split) -> Iterator[Finding]:
    """Elements that the training part does not have."""
    present = compositions(labelled) > 0
    trained = present[split.train].any(axis=0)
    for name, part in (("validation", split.validation), ("test", split.test)):
        for column in np.flatnonzero(present[part].any(axis=0) & ~trained):
            message = f"the {name} part has {labelled.elements[column]}, the training part has not"
            yield Finding("element", "serious", message, tuple(part[present[part, column]].tolist()))
