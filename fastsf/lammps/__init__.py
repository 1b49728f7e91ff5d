"""Potentials in LAMMPS: the compiled pair style, the route without a compiler, and inputs to start from.

`docs/lammps.md` shows how to use them; the command is `fastsf.cli.lammps`.
"""

from typing import TYPE_CHECKING

from fastsf._lazy import lazy_names

if TYPE_CHECKING:
    from fastsf.lammps.attachment import Attachment, attach
    from fastsf.lammps.input_file import run_input
    from fastsf.lammps.library import LammpsError
    from fastsf.lammps.plugin import build
    from fastsf.lammps.start import write_start

__all__ = ["Attachment", "LammpsError", "attach", "build", "run_input", "write_start"]

_MODULES = {
    "Attachment": "attachment",
    "LammpsError": "library",
    "attach": "attachment",
    "build": "plugin",
    "run_input": "input_file",
    "write_start": "start",
}
__getattr__ = lazy_names(__name__, _MODULES)
