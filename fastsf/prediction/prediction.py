"""Prediction for one structure, and its frame in an extended XYZ file."""

from __future__ import annotations

from dataclasses import dataclass

from fastsf.datasets.frames import Frame
from fastsf.io.extxyz_writer import format_frame
from fastsf.io.labels import carried
from fastsf.potentials.committee import CommitteeResult
from fastsf.potentials.result import Result


@dataclass(frozen=True)
class Prediction:
    """Prediction for one structure of a file.

    Parameters
    ----------
    frame : Frame
        Structure and its labels.
    result : Result
        Result of a potential or a committee, with forces.
    """

    frame: Frame
    result: Result

    def text(self) -> str:
        """Return the frame of an extended XYZ file; docs/potentials.md describes it."""
        frame, result = self.frame, self.result
        structure, labels = frame.structure, frame.labels
        outside = int(result.outside.sum())
        info = {"energy": result.energy, "stress": result.stress, "extrapolations": outside, "units": "Angstrom eV"}
        columns = {"forces": result.forces, "energies": result.energies, "outside": result.outside}
        if isinstance(result, CommitteeResult):
            info["energy_std"] = result.energy_std
            columns |= {"forces_std": result.forces_std, "energies_std": result.energies_std}
        info |= {f"REF_{name}": labels.get(name) for name in ("energy", "stress")}
        columns["REF_forces"] = labels.get("forces")
        return format_frame(
            structure.numbers,
            structure.positions,
            frame.cell,
            structure.pbc,
            {**carried(frame.info), **{name: value for name, value in info.items() if value is not None}},
            {name: value for name, value in columns.items() if value is not None},
        )
