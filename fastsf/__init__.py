"""Fast Behler-Parrinello symmetry functions and neural network potentials on CPUs."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from fastsf.compilation import compile_kernels
from fastsf.descriptor import ACSF
from fastsf.errors import (
    ExtrapolationError,
    ExtrapolationWarning,
    FastsfError,
    FormatError,
    InputError,
    StorageError,
    StructureError,
)
from fastsf.jacobian import SparseJacobian
from fastsf.neighbors import neighbor_list
from fastsf.symmetry import G1, G2, G3, G4, G5, Angular, Compact, Cutoff, Power, Radial, Window

if TYPE_CHECKING:
    from fastsf.calculator import Calculator
    from fastsf.committee import Committee
    from fastsf.extrapolation_policy import Policy as ExtrapolationPolicy
    from fastsf.potential import Potential

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
    "Potential",
    "Power",
    "Radial",
    "SparseJacobian",
    "StorageError",
    "StructureError",
    "Window",
    "__version__",
    "compile_kernels",
    "neighbor_list",
]

_LATER = {
    "Calculator": ("fastsf.calculator", "Calculator"),
    "Committee": ("fastsf.committee", "Committee"),
    "ExtrapolationPolicy": ("fastsf.extrapolation_policy", "Policy"),
    "Potential": ("fastsf.potential", "Potential"),
}
"""What is imported when it is first used: it needs HDF5 and more of ASE, which featurizing workers do without."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _LATER[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
