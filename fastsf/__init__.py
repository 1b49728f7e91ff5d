"""Fast Behler-Parrinello symmetry functions and neural network potentials on CPUs."""

from importlib.metadata import PackageNotFoundError, version

from fastsf.compilation import compile_kernels
from fastsf.descriptor import ACSF
from fastsf.errors import FastsfError, FormatError, InputError, StorageError, StructureError
from fastsf.jacobian import SparseJacobian
from fastsf.neighbors import neighbor_list
from fastsf.symmetry import G1, G2, G3, G4, G5, Angular, Compact, Cutoff, Power, Radial, Window

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
    "Compact",
    "Cutoff",
    "FastsfError",
    "FormatError",
    "InputError",
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
