"""Checks of data before training: outliers, contradictions and errors.

Nothing is removed: a potential may have to learn what is unusual.
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
from fastsf.datasets.checks.names import check_names_of_labels, check_placeholders
from fastsf.datasets.checks.units import check_energy_scales, check_push, check_work
from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.reference_energies import compositions
from fastsf.datasets.splits import Split
from fastsf.types import FloatArray

_LEVELS = ("serious", "suspicious", "note")
_CHECKS = (
    check_names_of_labels,
    check_placeholders,
    check_work,
    check_energy_scales,
    check_stresses,
    check_energies,
    check_forces,
)


@dataclass(frozen=True)
class OutlierReport:
    """Findings in a data set.

    Parameters
    ----------
    labelled : LabelledSet
        The data.
    findings : list of Finding
        Findings, serious ones first.
    shortest : dict of (str, str) to Shortest
        Shortest distance of each pair of elements.
    """

    labelled: LabelledSet
    findings: list[Finding]
    shortest: dict[tuple[str, str], Shortest]

    @property
    def serious(self) -> list[Finding]:
        """Serious findings: the data are not fit for training."""
        return [each for each in self.findings if each.level == "serious"]

    def table(self) -> dict[str, Any]:
        """Return everything in plain types, for JSON."""
        distances = [
            {"elements": list(pair), "distance": each.distance, "structure": self.labelled.sources[each.structure]}
            for pair, each in self.shortest.items()
        ]
        findings = [each.table(self.labelled) for each in self.findings]
        return {"findings": findings, "shortest_distances": distances, "skipped": self.labelled.skipped}

    def text(self, most: int = 5) -> str:
        """Return a report as text.

        Parameters
        ----------
        most : int
            Largest number of findings of each kind and level, and of structures of each finding.
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
        """Return the message of a finding with at most so many of its structures."""
        structures = self._name(finding.structures[:most])
        rest = len(finding.structures) - most
        more = f" and {rest} more" if rest > 0 else ""
        return f"{finding.message} ({structures}{more})" if structures else finding.message

    def _name(self, structures: Sequence[int]) -> str:
        """Return files and frames as text; each file is named once."""
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
    """Find what is unusual in labelled structures.

    The checks find energies (above the reference energies of the elements) and forces far from those of their group,
    distances shorter than bonds, forces that were not computed, and impossible stresses. They also find labels with
    other units or signs, equal structures, contradictions, and elements without training data.

    Parameters
    ----------
    labelled : LabelledSet
        The data.
    values : sequence of (n, s) float64, optional
        Symmetry functions of the atoms of each structure, not scaled. With them, atoms are compared, and rotated
        structures or those with another order of atoms count as equal.
    split : Split, optional
        Parts of the data that are compared with each other.

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
    for check in _CHECKS:
        yield from check(labelled)
    if values is None:
        yield from check_duplicates(labelled, equal_in_place(labelled), split)
    else:
        kinds = environments(labelled, values)
        yield from check_duplicates(labelled, equal_to_functions(labelled, kinds), split)
        yield from check_atoms(labelled, kinds)


def check_elements(labelled: LabelledSet, split: Split) -> Iterator[Finding]:
    """Find elements that are missing in the training part."""
    present = compositions(labelled) > 0
    trained = present[split.train].any(axis=0)
    for name, part in (("validation", split.validation), ("test", split.test)):
        for column in np.flatnonzero(present[part].any(axis=0) & ~trained):
            message = f"the {name} part has {labelled.elements[column]}, the training part has not"
            yield Finding("element", "serious", message, tuple(part[present[part, column]].tolist()))
