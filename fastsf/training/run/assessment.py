"""Errors of potentials on labelled sets, by the code that predicts for files."""

from __future__ import annotations

import numpy as np

from fastsf.datasets.frames import Frame, FrameIndex
from fastsf.datasets.labelled import LabelledSet
from fastsf.potentials.committee import Committee, evaluate_all
from fastsf.potentials.potential import Potential
from fastsf.prediction.metrics import ErrorMetrics
from fastsf.training.objective.parts import batches


def assess(potential: Potential | Committee, labelled: LabelledSet) -> ErrorMetrics:
    """Compare predictions with labels.

    Parameters
    ----------
    potential : Potential or Committee
    labelled : LabelledSet

    Returns
    -------
    ErrorMetrics
        Its worst structures are numbered as in the set.
    """
    metrics = ErrorMetrics()
    for batch in batches(labelled.structures):
        results = evaluate_all(potential, [labelled.structures[k] for k in batch], potential.descriptor.threads)
        for k, result in zip(batch, results, strict=True):
            assert result.forces is not None  # asked for
            frame = Frame(
                FrameIndex(0, k), labelled.structures[k], labelled.structures[k].cell, _labels(labelled, k), {}
            )
            metrics.add(frame, result.energy, result.forces, result.stress, labelled.groups[k])
    return metrics


def _labels(labelled: LabelledSet, k: int) -> dict[str, object]:
    energy, forces, stress = labelled.energies[k], labelled.forces[k], labelled.stresses[k]
    known = {"energy": np.isfinite(energy), "forces": forces is not None, "stress": np.isfinite(stress).all()}
    values = {"energy": float(energy), "forces": forces, "stress": stress}
    return {name: values[name] for name, there in known.items() if there}
