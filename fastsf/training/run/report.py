"""The report on a training: what was trained on what, how it went, and how large the errors are."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastsf.potentials.committee import Committee
from fastsf.potentials.potential import Potential
from fastsf.prediction.error_plots import plot_errors
from fastsf.prediction.metrics import SHOWN, ErrorMetrics, ErrorSums
from fastsf.prediction.parity import plot_parity
from fastsf.reports.document import ReportDocument
from fastsf.structure import Structure
from fastsf.training.run.assessment import assess
from fastsf.training.run.history import read_history
from fastsf.training.run.loop import Progress
from fastsf.training.run.plots import plot_learning, plot_weights
from fastsf.training.run.preparation import PARTS, Preparation
from fastsf.training.run.run import RunFiles

_SKIN = 1.0
_SECONDS = 0.3


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished training.

    Parameters
    ----------
    seed : int
    files : RunFiles
    progress : Progress
    reason : str
        Why it ended.
    potential : Potential
        With the best parameters.
    """

    seed: int
    files: RunFiles
    progress: Progress
    reason: str
    potential: Potential


class Assessment:
    """Errors of all seeds, and of their committee, on all parts of the data.

    Parameters
    ----------
    trained : sequence of Trained
    preparation : Preparation
        Of all of them.

    Attributes
    ----------
    parts : list of str
        Parts of the data that are not empty.
    seeds : dict of str to list of ErrorMetrics
        For each part those of each seed.
    committee : dict of str to ErrorMetrics
        For each part; empty with one seed.
    seconds : float
        Wall time of all epochs.
    """

    def __init__(self, trained: Sequence[Trained], preparation: Preparation) -> None:
        dataset = preparation.dataset
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
        """The part that tells most about new structures."""
        return self.parts[-1]

    def metrics(self) -> ErrorMetrics:
        """Errors on the part that tells most, of the committee if there is one."""
        return self.committee.get(self.judged) or self.seeds[self.judged][0]

    def head(self) -> list[str]:
        """Heads of the columns of `rows`."""
        return ["", *(f"{kind} {name.upper()} ({SHOWN[kind][1]})" for kind, name in self._columns())]

    def rows(self) -> Iterator[list[str]]:
        """Errors as a table: a line for each part, the mean over seeds and their spread, and the committee's."""
        for part in self.parts:
            yield [part, *(_mean_and_spread(self.seeds[part], *column) for column in self._columns())]
            if self.committee:
                found = [self.committee[part]]
                yield [f"{part}, committee", *(_mean_and_spread(found, *column) for column in self._columns())]

    def text(self) -> str:
        """The table for a terminal."""
        table = [self.head(), *self.rows()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ([cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in table)
        return "\n".join("  ".join(line) for line in lines)

    def _columns(self) -> list[tuple[str, str]]:
        known = {kind for part in self.parts for kind in self.seeds[part][0].by_name()}
        return [(kind, name) for kind in SHOWN if kind in known for name in ("rmse", "mae")]


def _mean_and_spread(several: Sequence[ErrorMetrics], kind: str, name: str) -> str:
    numbers = [SHOWN[kind][0] * getattr(each.by_name().get(kind, ErrorSums()), name) for each in several]
    mean = f"{np.mean(numbers):.4g}"
    return mean if len(numbers) == 1 else f"{mean} ± {np.std(numbers, ddof=1):.2g}"


def measure_speed(potential: Potential, structures: Sequence[Structure]) -> tuple[float, int]:
    """Time of a step of dynamics with the largest structure: energy and forces, neighbour lists kept.

    Returns
    -------
    microseconds : float
        Per atom, the fastest of several.
    atoms : int
        Of the structure.
    """
    structure = max(structures, key=len)
    evaluator = potential.evaluator(structure, _SKIN)
    best, end = math.inf, time.perf_counter() + _SECONDS
    while time.perf_counter() < end or best == math.inf:
        before = time.perf_counter()
        evaluator.evaluate(structure.positions)
        best = min(best, time.perf_counter() - before)
    return 1e6 * best / len(structure), len(structure)


def write_report(
    folder: Path,
    trained: Sequence[Trained],
    preparation: Preparation,
    assessment: Assessment,
    remarks: str,
    command: str,
) -> list[Path]:
    """Write report.md, report.html and the pictures.

    Parameters
    ----------
    folder : Path
        Where to.
    trained : sequence of Trained
    preparation : Preparation
    assessment : Assessment
    remarks : str
        What is unusual in the data.
    command : str
        What the user typed.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    document = ReportDocument(f"Training of a potential for {', '.join(preparation.descriptor.elements)}", folder)
    _errors(document, assessment)
    _speed(document, trained[0].potential, preparation)
    _course(document, trained)
    _details(document, assessment)
    _data(document, preparation, remarks)
    _potential(document, trained[0].potential, preparation)
    _origin(document, preparation, command)
    return document.write("report")


def _errors(document: ReportDocument, assessment: Assessment) -> None:
    document.heading("Errors")
    document.table(assessment.head(), assessment.rows())
    number = len(assessment.seeds[assessment.judged])
    if number > 1:
        document.text(f"Mean and standard deviation over {number} seeds; the committee predicts their mean.")


def _speed(document: ReportDocument, potential: Potential, preparation: Preparation) -> None:
    microseconds, atoms = measure_speed(potential, preparation.dataset.labelled.structures)
    threads = potential.descriptor.threads
    document.text(
        f"Speed of the model: {microseconds:.2f} µs per atom for energy and forces of {atoms} atoms "
        f"({'all' if threads is None else threads} threads; neighbour lists kept)."
    )


def _course(document: ReportDocument, trained: Sequence[Trained]) -> None:
    document.heading("Training")
    rows = [
        [
            str(each.seed),
            str(each.progress.epoch),
            str(each.progress.best_epoch),
            f"{each.progress.seconds:.1f}",
            each.reason,
            each.files.model.name,
        ]
        for each in trained
    ]
    document.table(["seed", "epochs", "kept epoch", "time (s)", "ended because", "model"], rows)
    picture = document.folder / "plots" / "learning.png"
    histories = [read_history(each.files.history) for each in trained]
    plot_learning(histories, [each.progress.best_epoch for each in trained], picture)
    document.picture(picture, "errors against epochs")


def _details(document: ReportDocument, assessment: Assessment) -> None:
    part, metrics, plots = assessment.judged, assessment.metrics(), document.folder / "plots"
    document.heading(f"Errors on the {part} set")
    plot_errors(metrics, f"Errors on the {part} set", plots / "errors.png")
    document.picture(plots / "errors.png", "errors by group and element")
    for path in plot_parity(metrics, plots):
        document.picture(path, f"predictions against reference, {path.stem}")


def _data(document: ReportDocument, preparation: Preparation, remarks: str) -> None:
    dataset = preparation.dataset
    document.heading("Data")
    groups = sorted(set(dataset.labelled.groups))
    parts = {name: dataset.part(name) for name in PARTS}
    rows = [
        [group or "(none)", *(str(sum(each == group for each in part.groups)) for part in parts.values())]
        for group in groups
    ]
    rows.append(["all structures", *(str(len(part)) for part in parts.values())])
    rows.append(["atoms", *(f"{part.n_atoms.sum():,}" for part in parts.values())])
    document.table(["group", *parts], rows)
    document.listing([*dataset.split.warnings, *remarks.splitlines()])


def _potential(document: ReportDocument, potential: Potential, preparation: Preparation) -> None:
    document.heading("Model")
    sigma, config = preparation.sigma, preparation.config
    document.listing(
        [
            *potential.describe().splitlines(),
            "",
            f"sigmas to begin with: {sigma.energy:.4g} eV/atom, {sigma.forces:.4g} eV/Å, {sigma.stress:.4g} eV/Å^3",
            f"optimizer {config.optimizer}: {config.settings}",
        ]
    )
    picture = document.folder / "plots" / "weights.png"
    of_pairs = {} if potential.pairs is None else potential.pairs.networks
    plot_weights({**potential.networks, **of_pairs}, picture)
    document.picture(picture, "distribution of weights and biases")


def _origin(document: ReportDocument, preparation: Preparation, command: str) -> None:
    import fastsf

    document.heading("Origin")
    files = [f"{digest}  {path}" for path, digest in preparation.dataset.digests.items()]
    document.listing([f"fastsf {fastsf.__version__}: {command}", "", "SHA-256 of the data", *files])
