"""Runs of LAMMPS inputs with `pair_style fastsf`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastsf.errors import FormatError
from fastsf.lammps import library
from fastsf.lammps.attachment import Attachment, Route, on_all, ranks_of
from fastsf.potentials.potential import Potential
from fastsf.storage.atomic import storage_errors

STYLE = "pair_style fastsf"


@dataclass(frozen=True)
class LammpsSummary:
    """The summary of a run.

    Parameters
    ----------
    version : str
        Version of LAMMPS.
    ranks : int
        Number of MPI ranks.
    seconds : float
        Wall time in s.
    functions, outside, evaluated : int
        Symmetry functions outside the range of the training set, atoms that had such, and all atoms; an atom is
        counted at every evaluation.
    """

    version: str
    ranks: int
    seconds: float
    functions: int
    outside: int
    evaluated: int

    def text(self) -> str:
        """Return the summary in words."""
        ranks = f"{self.ranks} ranks" if self.ranks > 1 else "1 rank"
        lines = [f"LAMMPS {self.version} on {ranks}: {self.evaluated:,} atoms evaluated, {self.seconds:.1f} s in all"]
        if self.functions:
            lines.append(
                f"extrapolation: {self.functions:,} symmetry functions of {self.outside:,} of these atoms were outside "
                "the range of the training set, where energies and forces are guesses"
            )
        else:
            lines.append("no extrapolations")
        return "\n".join(lines)


def run_input(
    path: str | Path, potential: Potential, route: Route | None = None, options: Sequence[str] = ()
) -> LammpsSummary:
    """Let LAMMPS run an input with a potential; all MPI ranks must call this.

    Parameters
    ----------
    path : path-like
        Input with the lines ``pair_style fastsf`` and ``pair_coeff * * ELEMENT ...``.
    potential : Potential
        Potential of these lines.
    route : "plugin" or "external", optional
        As in `attach`. With "external", both lines must be in this file, and `jump` cannot go back past them.
    options : sequence of str
        Further options of LAMMPS's command line.

    Raises
    ------
    LammpsError
        If LAMMPS is missing or stops with an error.
    InputError
        For elements that the potential does not have, and units other than metal and real.
    FormatError
        If the input has no such lines.
    StorageError
        If a file cannot be read or written.
    """
    began, path = time.perf_counter(), Path(path)
    parts = on_all(library.world(), lambda: split(path))
    lmp = library.load().lammps(cmdargs=list(options), comm=library.world())
    try:
        attachment = Attachment(lmp, potential, route)
        if attachment.route == "plugin":
            attachment.file(path)
        else:
            _run_parts(lmp, attachment, parts, path)
        functions, outside, evaluated = attachment.counts()
        if not evaluated:
            raise FormatError(f"LAMMPS never used the potential: expected {STYLE} before the first run", path)
        ranks, version = lmp.extract_setting("world_size"), str(lmp.version())
    finally:
        lmp.close()
    return LammpsSummary(version, ranks, time.perf_counter() - began, functions, outside, evaluated)


@dataclass(frozen=True)
class InputParts:
    """The parts of an input that is split at its pair style.

    Parameters
    ----------
    before, between, after : str
        Lines before `pair_style fastsf`, between it and its `pair_coeff`, and after that.
    coefficients : str
        Line `pair_coeff`.
    """

    before: str
    between: str
    coefficients: str
    after: str


def split(path: Path) -> InputParts | None:
    """Split an input at `pair_style fastsf` and its `pair_coeff`; None if it does not have both.

    Raises
    ------
    StorageError
        If the file cannot be read.
    """
    with storage_errors(f"cannot read {path}"):
        lines = _logical(path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True))
    words = [line.split("#")[0].split() for line in lines]
    style = next((k for k, each in enumerate(words) if each == STYLE.split()), None)
    if style is None:
        return None
    coefficients = next((k for k, each in enumerate(words) if k > style and each[:1] == ["pair_coeff"]), None)
    if coefficients is None:
        return None
    parts = lines[:style], lines[style + 1 : coefficients], [lines[coefficients]], lines[coefficients + 1 :]
    return InputParts(*("".join(part) for part in parts))


def _logical(lines: Sequence[str]) -> list[str]:
    """Join lines that end with an ampersand with the next one."""
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1].rstrip().endswith("&"):
            joined[-1] = joined[-1].rstrip()[:-1] + " " + line
        else:
            joined.append(line)
    return joined


def _run_parts(lmp: Any, attachment: Attachment, parts: InputParts | None, path: Path) -> None:
    """Run an input whose pair style is replaced by the external route."""
    if parts is None:
        raise FormatError(f"route external: expected {STYLE} and then pair_coeff * * ELEMENT ... in this file", path)
    _run_text(lmp, attachment, parts.before)
    _run_text(lmp, attachment, parts.between)
    words = lmp.expand(parts.coefficients).split("#")[0].split()
    if words[1:3] != ["*", "*"]:
        raise FormatError(f"expected pair_coeff * * ELEMENT ..., found {' '.join(words)}", path)
    attachment.connect(words[3:])
    _run_text(lmp, attachment, parts.after)


def _run_text(lmp: Any, attachment: Attachment, text: str) -> None:
    """Run lines as a file, so that `jump SELF` finds its labels."""
    if not text.strip():
        return
    ranks = ranks_of(lmp)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder if ranks is None else ranks.bcast(folder)) / "in.lammps"  # only the first rank opens it
        if ranks is None or ranks.rank == 0:
            file.write_text(text, encoding="utf-8", errors="surrogateescape")
        attachment.file(file)
