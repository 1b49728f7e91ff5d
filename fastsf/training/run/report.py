"""Report on a training: data, learning curves, errors and the model."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from fastsf.potentials.potential import Potential
from fastsf.prediction.error_plots import plot_errors
from fastsf.prediction.parity import plot_parity
from fastsf.reports.document import ReportDocument
from fastsf.structure import Structure
from fastsf.training.preparation.dataset import PARTS
from fastsf.training.preparation.prepared import PreparedData
from fastsf.training.run.assessment import Assessment
from fastsf.training.run.history import read_history
from fastsf.training.run.plots import plot_learning, plot_weights
from fastsf.training.run.seeds import Trained

_SKIN = 1.0
_SECONDS = 0.3


def measure_speed(potential: Potential, structures: Sequence[Structure]) -> tuple[float, int]:
    """Measure the time of energy and forces of the largest structure, with a kept neighbour list.

    Returns
    -------
    microseconds : float
        Time per atom, the fastest of several runs.
    atoms : int
        Number of atoms of the structure.
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
    prepared: PreparedData,
    assessment: Assessment,
    remarks: str,
    command: str,
) -> list[Path]:
    """Write report.md, report.html and the figures.

    Parameters
    ----------
    folder : Path
        Folder of the report.
    trained : sequence of Trained
    prepared : PreparedData
    assessment : Assessment
    remarks : str
        Findings in the data.
    command : str
        Command of the user.

    Returns
    -------
    list of Path
        Files of the report.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    document = ReportDocument(f"Training of a potential for {', '.join(prepared.descriptor.elements)}", folder)
    _errors(document, assessment)
    _speed(document, trained[0].potential, prepared)
    _learning(document, trained)
    _details(document, assessment)
    _data(document, prepared, remarks)
    _potential(document, trained[0].potential, prepared)
    _origin(document, prepared, command)
    return document.write("report")


def _errors(document: ReportDocument, assessment: Assessment) -> None:
    document.heading("Errors")
    document.table(assessment.head(), assessment.rows())
    number = len(assessment.seeds[assessment.judged])
    if number > 1:
        document.text(f"Mean and standard deviation over {number} seeds; the committee predicts their mean.")


def _speed(document: ReportDocument, potential: Potential, prepared: PreparedData) -> None:
    microseconds, atoms = measure_speed(potential, prepared.dataset.labelled.structures)
    threads = potential.descriptor.threads
    document.text(
        f"Speed of the model: {microseconds:.2f} µs per atom for energy and forces of {atoms} atoms "
        f"({'all' if threads is None else threads} threads; neighbour lists kept)."
    )


def _learning(document: ReportDocument, trained: Sequence[Trained]) -> None:
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


def _data(document: ReportDocument, prepared: PreparedData, remarks: str) -> None:
    dataset = prepared.dataset
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


def _potential(document: ReportDocument, potential: Potential, prepared: PreparedData) -> None:
    document.heading("Model")
    sigma, config = prepared.sigma, prepared.config
    document.listing(
        [
            *potential.describe().splitlines(),
            "",
            f"first sigmas: {sigma.energy:.4g} eV/atom, {sigma.forces:.4g} eV/Å, {sigma.stress:.4g} eV/Å^3",
            f"optimizer {config.optimizer}: {_settings(config.settings)}",
        ]
    )
    picture = document.folder / "plots" / "weights.png"
    of_pairs = {} if potential.pairs is None else potential.pairs.networks
    plot_weights({**potential.networks, **of_pairs}, picture)
    document.picture(picture, "distribution of weights and biases")


def _origin(document: ReportDocument, prepared: PreparedData, command: str) -> None:
    import fastsf

    document.heading("Origin")
    files = [f"{digest}  {path}" for path, digest in prepared.dataset.digests.items()]
    document.listing([f"fastsf {fastsf.__version__}: {command}", "", "SHA-256 of the data", *files])


def _settings(settings: object) -> str:
    """Return settings as text."""
    return ", ".join(f"{each.name} = {getattr(settings, each.name)}" for each in fields(settings))  # type: ignore[arg-type]
