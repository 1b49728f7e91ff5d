"""Symmetry functions and neural network potentials, fast on CPUs.

The names that users need are attributes of this package, and so are its packages and modules (``fastsf.md``).
All are imported at their first use: ``import fastsf`` loads no kernels.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from fastsf._lazy import lazy_names

if TYPE_CHECKING:
    from fastsf import analysis, datasets, featurize, io, lammps, mc, md, prediction, simulation, symmetry, training
    from fastsf.cli.compilation.compile import compile_kernels
    from fastsf.descriptors.acsf import ACSF
    from fastsf.descriptors.jacobian import SparseJacobian
    from fastsf.descriptors.pcsf import PCSF
    from fastsf.errors import (
        ExtrapolationError,
        ExtrapolationWarning,
        FastsfError,
        FormatError,
        InputError,
        SimulationError,
        StorageError,
        StructureError,
    )
    from fastsf.neighbors.neighbor_list import neighbor_list
    from fastsf.potentials.calculator import Calculator
    from fastsf.potentials.committee import Committee
    from fastsf.potentials.pcsf_term import PairTerm
    from fastsf.potentials.policy import ExtrapolationPolicy
    from fastsf.potentials.potential import Potential
    from fastsf.symmetry.atoms import G1, G2, G3, G4, G5, Angular, Radial
    from fastsf.symmetry.factors import Compact, Cutoff, Power, Window
    from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial

try:
    __version__ = version("fastsf")
except PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"

__all__ = [
    "ACSF",
    "G1",
    "G2",
    "G3",
    "G4",
    "G5",
    "PCSF",
    "Angular",
    "Calculator",
    "Committee",
    "Compact",
    "Cutoff",
    "ExtrapolationError",
    "ExtrapolationPolicy",
    "ExtrapolationWarning",
    "FastsfError",
    "FormatError",
    "InputError",
    "PairAngular",
    "PairEnvironment",
    "PairRadial",
    "PairTerm",
    "Potential",
    "Power",
    "Radial",
    "SimulationError",
    "SparseJacobian",
    "StorageError",
    "StructureError",
    "Window",
    "__version__",
    "analysis",
    "compile_kernels",
    "datasets",
    "featurize",
    "io",
    "lammps",
    "mc",
    "md",
    "neighbor_list",
    "prediction",
    "simulation",
    "symmetry",
    "training",
]

_MODULES = {
    "cli.compilation.compile": "compile_kernels",
    "descriptors.acsf": "ACSF",
    "descriptors.jacobian": "SparseJacobian",
    "descriptors.pcsf": "PCSF",
    "errors": (
        "ExtrapolationError ExtrapolationWarning FastsfError FormatError InputError SimulationError StorageError "
        "StructureError"
    ),
    "neighbors.neighbor_list": "neighbor_list",
    "potentials.calculator": "Calculator",
    "potentials.committee": "Committee",
    "potentials.pcsf_term": "PairTerm",
    "potentials.policy": "ExtrapolationPolicy",
    "potentials.potential": "Potential",
    "symmetry.atoms": "G1 G2 G3 G4 G5 Angular Radial",
    "symmetry.factors": "Compact Cutoff Power Window",
    "symmetry.pcsf": "PairAngular PairEnvironment PairRadial",
}
"""Modules, and the names that they offer here."""

_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}


_find = lazy_names(__name__, _MODULE_OF)


def __getattr__(name: str) -> Any:
    if not name.startswith("_") and find_spec(f"fastsf.{name}"):
        return import_module(f"fastsf.{name}")
    return _find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF, *(module.name for module in iter_modules(__path__))})
