"""Potentials in LAMMPS; `docs/lammps.md` shows how."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastsf.lammps.attachment import Attachment, attach
    from fastsf.lammps.input_file import run_input
    from fastsf.lammps.library import LammpsError
    from fastsf.lammps.plugin import build
    from fastsf.lammps.start import write_start

__all__ = ["Attachment", "LammpsError", "attach", "build", "run_input", "write_start"]

_PLACES = {
    "Attachment": "attachment",
    "LammpsError": "library",
    "attach": "attachment",
    "build": "plugin",
    "run_input": "input_file",
    "write_start": "start",
}
"""Modules of the names above; imported at their first use, so that ``fastsf --help`` need not wait for kernels."""


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"fastsf.lammps.{_PLACES[name]}"), name)
    return value
