"""Errors of potentials on the parts of the data, by the code that predicts for files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from fastsf.datasets.frames import Frame, FrameIndex
from fastsf.datasets.labelled import LabelledSet
from fastsf.potentials.committee import Committee, evaluate_all
from fastsf.potentials.potential import Potential
from fastsf.prediction.metrics import SHOWN, ErrorMetrics, ErrorSums
from fastsf.training.objective.parts import batches
from fastsf.training.preparation.dataset import PARTS
from fastsf.training.preparation.prepared import PreparedData
from fastsf.training.run.seeds import Trained


def assess(potential: Potential | Committee, labelled: LabelledSet) -> ErrorMetrics:
    """Compare predictions with labels.

    Parameters
    ----------
    potential : Potential or Committee
    labelled : LabelledSet

    Returns
    -------
    ErrorMetrics
        Errors, with the worst structures numbered as in the set.
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


class Assessment:
    """Errors of all seeds and of their committee on all parts of the data.

    Parameters
    ----------
    trained : sequence of Trained
    prepared : PreparedData
        Prepared data of all seeds.

    Attributes
    ----------
    parts : list of str
        Parts of the data that are not empty.
    seeds : dict of str to list of ErrorMetrics
        Errors on each part, one for each seed.
    committee : dict of str to ErrorMetrics
        Errors of the committee on each part; empty with one seed.
    seconds : float
        Wall time of all epochs, s.
    """

    def __init__(self, trained: Sequence[Trained], prepared: PreparedData) -> None:
        dataset = prepared.dataset
        self.parts = [name for name in PARTS if len(getattr(dataset.split, name))]
        sets = {name: dataset.part(name) for name in self.parts}
        self.seeds = {name: [assess(each.potential, labelled) for each in trained] for name, labelled in sets.items()}
        self.committee: dict[str, ErrorMetrics] = {}
        if len(trained) > 1:
            whole = Committee([each.potential for each in trained])
            self.committee = {name: assess(whole, labelled) for name, labelled in sets.items()}
        self.seconds = sum(each.progress.seconds for each in trained)

    @property
    def judged(self) -> str:
        """Name of the part that says most about new structures."""
        return self.parts[-1]

    def metrics(self) -> ErrorMetrics:
        """Return the errors on the part `judged`, of the committee if there is one."""
        return self.committee.get(self.judged) or self.seeds[self.judged][0]

    def head(self) -> list[str]:
        """Return the heads of the columns of `rows`."""
        return ["", *(f"{kind} {name.upper()} ({SHOWN[kind][1]})" for kind, name in self._columns())]

    def rows(self) -> Iterator[list[str]]:
        """Yield a row of a table for each part: mean and spread over seeds, then the committee."""
        for part in self.parts:
            yield [part, *(_mean_and_spread(self.seeds[part], *column) for column in self._columns())]
            if self.committee:
                found = [self.committee[part]]
                yield [f"{part}, committee", *(_mean_and_spread(found, *column) for column in self._columns())]

    def text(self) -> str:
        """Return the table for a terminal."""
        table = [self.head(), *self.rows()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ([cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in table)
        return "\n".join("  ".join(line) for line in lines)

    def _columns(self) -> list[tuple[str, str]]:
        known = {kind for part in self.parts for kind in self.seeds[part][0].by_name()}
        return [(kind, name) for kind in SHOWN if kind in known for name in ("rmse", "mae")]


def write_errors(trained: Sequence[Trained], assessment: Assessment) -> None:
    """Write the errors of each model into its file.

    Raises
    ------
    StorageError
        If one cannot be written.
    """
    for number, each in enumerate(trained):
        errors = {part: found[number].errors() for part, found in assessment.seeds.items()}
        each.potential.metadata["errors (RMSE)"] = json.dumps(errors)
        each.potential.save(each.files.model)


def _mean_and_spread(several: Sequence[ErrorMetrics], kind: str, name: str) -> str:
    numbers = [SHOWN[kind][0] * getattr(each.by_name().get(kind, ErrorSums()), name) for each in several]
    mean = f"{np.mean(numbers):.4g}"
    return mean if len(numbers) == 1 else f"{mean} ± {np.std(numbers, ddof=1):.2g}"
