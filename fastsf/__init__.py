"""Fast Behler-Parrinello symmetry functions and neural network potentials on CPUs."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastsf.compilation.compile import compile_kernels
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
    from fastsf.neighbors.pairs import neighbor_list
    from fastsf.potentials.calculator import Calculator
    from fastsf.potentials.committee import Committee
    from fastsf.potentials.policy import Policy as ExtrapolationPolicy
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
    "Potential",
    "Power",
    "Radial",
    "SimulationError",
    "SparseJacobian",
    "StorageError",
    "StructureError",
    "Window",
    "__version__",
    "compile_kernels",
    "neighbor_list",
]

_ERRORS = (
    "ExtrapolationError",
    "ExtrapolationWarning",
    "FastsfError",
    "FormatError",
    "InputError",
    "SimulationError",
    "StorageError",
    "StructureError",
)
_FACTORS = ("Compact", "Cutoff", "Power", "Window")
_ACSF = ("G1", "G2", "G3", "G4", "G5", "Angular", "Radial")
_PCSF = ("PairAngular", "PairEnvironment", "PairRadial")
_PLACES = {
    "ACSF": "descriptors.acsf",
    "Calculator": "potentials.calculator",
    "Committee": "potentials.committee",
    "ExtrapolationPolicy": "potentials.policy",
    "PCSF": "descriptors.pcsf",
    "Potential": "potentials.potential",
    "SparseJacobian": "descriptors.jacobian",
    "compile_kernels": "compilation.compile",
    "neighbor_list": "neighbors.pairs",
    **dict.fromkeys(_ERRORS, "errors"),
    **dict.fromkeys(_FACTORS, "symmetry.factors"),
    **dict.fromkeys(_ACSF, "symmetry.atoms"),
    **dict.fromkeys(_PCSF, "symmetry.pcsf"),
}
"""Modules of the names above; imported at their first use, so that ``fastsf --help`` need not wait for kernels."""

_OTHER_NAMES = {"ExtrapolationPolicy": "Policy"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"fastsf.{_PLACES[name]}")
    value = globals()[name] = getattr(module, _OTHER_NAMES.get(name, name))
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
