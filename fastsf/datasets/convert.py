"""Conversion of labelled structures between formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, get_args

from fastsf.datasets.frames import Frame, FrameIndex, FrameReader, Reading, located
from fastsf.datasets.inputs import Input, checked_inputs, checked_output
from fastsf.datasets.label_account import LabelAccount
from fastsf.errors import InputError, StorageError, StructureError, counted
from fastsf.io.extxyz_writer import format_frame
from fastsf.io.input_data_writer import format_block
from fastsf.io.labels import carried
from fastsf.io.text import compressing
from fastsf.storage.atomic import write_atomically
from fastsf.types import FloatArray
from fastsf.units import energy_factor, length_factor

Kind = Literal["input.data", "extxyz"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_NAMES: dict[Kind, re.Pattern[str]] = {
    "input.data": re.compile(r".*\.data(\.(gz|bz2|xz))?", re.IGNORECASE),
    "extxyz": re.compile(r".*\.(ext)?xyz(\.(gz|bz2|xz))?", re.IGNORECASE),
}


@dataclass
class Conversion:
    """Result of a conversion.

    Parameters
    ----------
    kind : "input.data" or "extxyz"
        Format of the output.
    structures, atoms : int
        Numbers of structures and atoms that were written.
    with_energy, with_forces, with_stress : int
        Numbers of structures with the label in the input.
    skipped : list of str
        Omitted structures: file, frame and reason.
    account : LabelAccount
        Names of the labels in the input, and what is not read.
    """

    kind: Kind
    structures: int = 0
    atoms: int = 0
    with_energy: int = 0
    with_forces: int = 0
    with_stress: int = 0
    skipped: list[str] = field(default_factory=list)
    account: LabelAccount = field(default_factory=LabelAccount)

    def text(self, most: int = 20) -> str:
        """Return a summary as text, with at most so many of the omitted structures."""
        lines = [
            f"{counted(self.structures, 'structure')}, {counted(self.atoms, 'atom')}; {self.account.text()}",
            *self.account.remarks(),
        ]
        if self.kind == "input.data":
            unknown = self.structures - self.with_forces
            lines += [f"warning: {counted(unknown, 'structure')} without forces; zeros are written"] * (unknown > 0)
            lines += ["input.data has no stresses; they are not written"] * (self.with_stress > 0)
        lines += [f"left out: {reason}" for reason in self.skipped[:most]]
        lines += [f"left out: {len(self.skipped) - most:,} more"] * (len(self.skipped) > most)
        return "\n".join(lines)


def data_kind(output: str | Path) -> Kind | None:
    """Return the format that the name of a file stands for, or None."""
    return next((kind for kind, pattern in _NAMES.items() if pattern.fullmatch(Path(output).name)), None)


def convert_data(
    inputs: Sequence[str | Path],
    output: str | Path,
    kind: Kind | None = None,
    reading: Reading | None = None,
    length_unit: str = "Angstrom",
    energy_unit: str = "eV",
    *,
    overwrite: bool = False,
) -> Conversion:
    """Write the structures of files with their labels into one file.

    Parameters
    ----------
    inputs : sequence of path-like
        Files that ASE reads, or input.data; patterns are not expanded.
    output : path-like
        The file, compressed if its name ends in .gz, .bz2 or .xz. It gets its name when it is complete.
    kind : "input.data" or "extxyz", optional
        Format; default: that of the name.
    reading : Reading, optional
        Units of input.data files, names of labels, and treatment of structures that cannot be used.
    length_unit, energy_unit : str
        Units of input.data; extended XYZ is always in Å and eV.
    overwrite : bool
        Replace an existing output.

    Returns
    -------
    Conversion
        Counts and omitted structures. input.data has zeros for missing forces, and no stresses.

    Raises
    ------
    StorageError
        If a file cannot be read or written, or the output exists.
    InputError
        For a structure that cannot be used or written (unless those are skipped), and if none is left.
    """
    files = checked_inputs(inputs)
    target = checked_output(output, files)
    kind = kind or data_kind(target)
    if kind is not None and kind not in KINDS:
        raise InputError(f"format of data: expected {' or '.join(KINDS)}, found {kind!r}")
    if kind is None:
        raise InputError(
            f"{target}: expected a name that ends with .data, .extxyz or .xyz; --to (kind) sets the format for others"
        )
    if target.exists() and not overwrite:
        raise StorageError(f"{target} already exists; --overwrite (overwrite=True) replaces it")
    form = _writer(kind, length_unit, energy_unit)
    conversion = Conversion(kind)
    write_atomically(
        target, partial(_write, target, files, replace(reading or Reading(), strict_labels=True), form, conversion)
    )
    return conversion


def _writer(kind: Kind, length_unit: str, energy_unit: str) -> Callable[[Frame], str]:
    length, energy = length_factor(length_unit), energy_factor(energy_unit)
    if kind == "input.data":
        return partial(_block, length=length, energy=energy)
    if (length, energy) != (1.0, 1.0):
        raise InputError("units to write are for input.data and folders only; extended XYZ is in Å and eV")
    return _frame


def _write(
    target: Path,
    files: Sequence[Input],
    reading: Reading,
    form: Callable[[Frame], str],
    conversion: Conversion,
    file: IO[bytes],
) -> None:
    reader = FrameReader(files, None, reading)
    with compressing(target, file) as stream:
        for item in reader(FrameIndex()):
            if not isinstance(item, Frame):
                conversion.skipped.append(item.reason)
                continue
            try:
                stream.write(form(item).encode())
            except StructureError as error:
                reason = located(error, files[item.index.file].path, item.index.frame)
                if reading.on_error == "stop":
                    raise StructureError(reason) from error
                conversion.skipped.append(reason)
                continue
            _count(conversion, item)
        if not conversion.structures:
            raise InputError(
                f"no structure can be written: {counted(len(conversion.skipped), 'structure')} left out, first "
                f"{conversion.skipped[0]}"
            )
        reader.check_keys()


def _count(conversion: Conversion, frame: Frame) -> None:
    conversion.structures += 1
    conversion.account.add(frame.found)
    conversion.atoms += len(frame.structure)
    conversion.with_energy += "energy" in frame.labels
    conversion.with_forces += "forces" in frame.labels
    conversion.with_stress += "stress" in frame.labels


def _frame(frame: Frame) -> str:
    structure, labels = frame.structure, frame.labels
    info = carried(frame.info) | {name: labels[name] for name in ("energy", "stress") if name in labels}
    columns: dict[str, FloatArray | None] = {"forces": labels.get("forces"), "charges": frame.charges}
    present: dict[str, FloatArray] = {name: column for name, column in columns.items() if column is not None}
    return format_frame(structure.numbers, structure.positions, frame.cell, structure.pbc, info, present)


def _block(frame: Frame, length: float, energy: float) -> str:
    """Return the block of input.data; other information is in its comment."""
    info = carried(frame.info)
    own: dict[str, Any] = {name: info.pop(name) for name in ("comment", "set", "charge") if name in info}
    words = " ".join(f"{name}={value}" for name, value in info.items())
    comment = "\n".join(text for text in (str(own.get("comment", "")), words) if text)
    labels = frame.labels if frame.charges is None else {**frame.labels, "charges": frame.charges}
    return format_block(frame.structure, labels, {**own, "comment": comment}, length, energy)
