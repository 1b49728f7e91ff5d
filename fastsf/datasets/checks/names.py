"""Labels that are not read, and labels that are placeholders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastsf.datasets.checks.findings import Finding
from fastsf.datasets.labelled import LabelledSet
from fastsf.errors import counted
from fastsf.types import IntArray

_FEWEST = 3
_SAME_FORCES = 1e-6


def check_names_of_labels(labelled: LabelledSet) -> Iterator[Finding]:
    """Find keys that may be missing labels, and labels that have several names."""
    account = labelled.account
    doubtful = [text for text, _ in account.doubts()]
    yield from (Finding("labels", "serious", text) for text in doubtful)
    yield from (Finding("labels", "note", text) for text in account.remarks() if text not in doubtful)


def check_placeholders(labelled: LabelledSet) -> Iterator[Finding]:
    """Find files whose energies are all the same number although forces and structures differ."""
    files = np.array(labelled.files)
    for file in dict.fromkeys(labelled.files):
        mine = np.flatnonzero((files == file) & np.isfinite(labelled.energies))
        energies = labelled.energies[mine]
        if len(mine) < _FEWEST or np.ptp(energies) > 0 or not _differ(labelled, mine):
            continue
        message = (
            f"all energies of {counted(len(mine), 'structure')} are {energies[0]:g} eV although the forces differ: "
            "they are no labels; --energy-key KEY (energy_key in [data]) names the right ones, and "
            "--energy-key none reads no energies"
        )
        yield Finding("labels", "serious", message, tuple(mine.tolist()))


def _differ(labelled: LabelledSet, mine: IntArray) -> bool:
    """Return whether the sizes of forces differ between structures."""
    sizes = [float(np.sum(forces**2)) for k in mine if (forces := labelled.forces[k]) is not None]
    return len(sizes) > 1 and bool(np.ptp(sizes) > _SAME_FORCES * max(sizes))
