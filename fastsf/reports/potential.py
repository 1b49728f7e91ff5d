"""Descriptions of potentials for ``fastsf inspect``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fastsf.errors import FormatError, counted
from fastsf.io.n2p2.keywords import KeywordLine, Keywords
from fastsf.io.n2p2.runner2 import is_runner2, with_radii
from fastsf.io.n2p2.weights import count_parameters
from fastsf.potentials.files.folder import SETTINGS, choose_units
from fastsf.potentials.potential import Potential
from fastsf.reports.checks import FolderCheck
from fastsf.reports.words import explain
from fastsf.units import energy_factor, length_factor

_WIDTH = 52
_MOST_NOTES = 20
_MOST_FUNCTIONS = 5


def describe_folder(
    path: str | Path, length_unit: str | None = None, energy_unit: str | None = None, *, verbose: bool = False
) -> tuple[str, int]:
    """Explain a folder of RuNNer or n2p2 line by line, with errors and remarks.

    Parameters
    ----------
    path : path-like
        Folder with input.nn, scaling.data and weights.ZZZ.data; any of them may be missing or damaged.
    length_unit, energy_unit : str, optional
        Units of the folder by the names of ASE; as for `fastsf.Potential.load`.
    verbose : bool
        List all remarks, not only the first.

    Returns
    -------
    str
        Text of several lines.
    int
        Number of errors.

    Raises
    ------
    InputError
        If a unit is unknown, or differs from the one in the file.
    StorageError
        If there is no input.nn.
    """
    length_unit, energy_unit = choose_units(Path(path), length_unit, energy_unit)
    length_factor(length_unit), energy_factor(energy_unit)
    check = FolderCheck(Path(path), length_unit)
    lines = [f"{path}: potential of RuNNer or n2p2, read in {length_unit} and {energy_unit}", ""]
    if check.keywords is not None:
        lines += [f"{SETTINGS}, line by line"]
        for line, read in zip(check.keywords.entries, _as_read(check.keywords), strict=True):
            text = " ".join([line.keyword, *line.args])
            lines.append(f"{line.line:5d}  {text:{_WIDTH}}  {explain(read, check.elements, length_unit, energy_unit)}")
        lines.append("")
    lines += [*_networks(check), "", *_findings(check, None if verbose else _MOST_NOTES)]
    return "\n".join(lines), sum(finding.wrong for finding in check.findings)


def _as_read(keywords: Keywords) -> Sequence[KeywordLine]:
    """Return the lines with radii where those of RuNNer 2 have numbers of cutoff functions."""
    if not is_runner2(keywords):
        return keywords.entries
    try:
        return with_radii(keywords).entries
    except FormatError:
        unread = (replace(line, args=()) if line.keyword == "symfunction_short" else line for line in keywords.entries)
        return tuple(unread)


def _networks(check: FolderCheck) -> Iterator[str]:
    yield "networks"
    for symbol in check.elements:
        count = sum(function.center == symbol for function in check.functions)
        text = f"  {symbol:2} {count} functions"
        if symbol in check.topologies:
            topology = check.topologies[symbol]
            layers = "-".join(map(str, topology.sizes))
            parameters = count_parameters(topology.sizes)
            text += f", layers {layers} ({', '.join(topology.activations)}), {parameters:,} weights and biases"
        if symbol in check.scalings:
            text += f", scaling {check.scalings[symbol].mode.replace('_', ' and ', 1)}"
        yield text


def _findings(check: FolderCheck, most: int | None) -> Iterator[str]:
    wrong = [finding.text for finding in check.findings if finding.wrong]
    notes = [finding.text for finding in check.findings if not finding.wrong]
    yield f"found {counted(len(wrong), 'error')}"
    yield from (f"  {text}" for text in wrong)
    yield f"found {counted(len(notes), 'remark')}"
    yield from (f"  {text}" for text in notes[:most])
    if most is not None and len(notes) > most:
        yield f"  ... and {counted(len(notes) - most, 'remark')} more (--verbose lists all)"


def describe_model(path: str | Path, *, verbose: bool = False) -> str:
    """Describe a model file of fastsf: functions, networks, scaling, energies, origin.

    Parameters
    ----------
    path : path-like
    verbose : bool
        List all functions, not only the first of each element or kind of pairs.

    Raises
    ------
    StorageError, FormatError
        If it cannot be read.
    """
    potential = Potential.load(path)
    lines = [f"{path}: potential of fastsf, in Å and eV", potential.describe()]
    of_pairs = {} if potential.pairs is None else potential.pairs.descriptor.labels
    for name, labels in (potential.descriptor.labels | of_pairs).items():
        if labels:
            lines += ["", f"{name}: {counted(len(labels), 'function')}"]
            shown = labels if verbose else labels[:_MOST_FUNCTIONS]
            lines += [f"  {k:4d}  {label}" for k, label in enumerate(shown)]
            if len(shown) < len(labels):
                lines.append(f"  ... and {counted(len(labels) - len(shown), 'function')} more (--verbose lists all)")
    return "\n".join(lines)
