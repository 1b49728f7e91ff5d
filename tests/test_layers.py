"""A module imports only from layers below its own; kernels import nothing of fastsf but kernels."""

import ast
from pathlib import Path

import pytest

import fastsf
from fastsf.potentials.precision import KERNEL_MODULES

PACKAGE = Path(fastsf.__file__).parent
LAYERS = (
    "_lazy", "types", "errors", "units", "elements", "structure", "threads",
    "storage", "neighbors", "symmetry", "io", "descriptors", "potentials", "datasets", "featurize", "reports",
    "prediction", "training", "simulation", "md", "mc", "lammps", "analysis",
)  # fmt: skip
"""Modules and packages from the bottom to the top: each imports only from those before it (and kernels)."""

LAYERS_INSIDE = {"training": ("objective", "optimizers", "config", "preparation", "run")}
"""Layers of the folders of a package."""

COMMANDS = ("cli",)
"""What shows and compiles: commands use packages, never the other way round."""


def imported_modules(path: Path):
    package = ("fastsf", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert "kernels" in package, f"{path.name}: only kernels, of which there are two sets, may do this"
            yield ".".join((*package[: len(package) - node.level + 1], *(node.module or "").split(".")))
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module != "fastsf" else [f"fastsf.{alias.name}" for alias in node.names]
            yield from names
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


SOURCES = sorted(path for path in PACKAGE.glob("**/*.py") if "kernels" not in path.relative_to(PACKAGE).parts)
INSIDE = [path for path in SOURCES if path.relative_to(PACKAGE).parts[0] in LAYERS_INSIDE]
KERNELS = sorted((PACKAGE / "kernels").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_imports_go_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own not in LAYERS:
        return
    below = LAYERS[: LAYERS.index(own) + 1]
    for module in imported_modules(path):
        if module.startswith("fastsf.") and not module.startswith("fastsf.kernels"):
            other = module.split(".")[1]
            assert other in below or other not in LAYERS, f"{path.name} imports {module}"


DESIGN = Path(__file__).resolve().parents[1] / "docs" / "design.md"


@pytest.mark.skipif(not DESIGN.exists(), reason="no documents here")
def test_the_document_lists_the_layers() -> None:
    listed = DESIGN.read_text().split("## Layers")[1].split("```")[1].split()
    assert listed[1:] == ["kernels", *LAYERS, *reversed(COMMANDS)]


@pytest.mark.parametrize("path", INSIDE, ids=str)
def test_imports_inside_a_package_go_down(path: Path) -> None:
    package, own = path.relative_to(PACKAGE).with_suffix("").parts[:2]
    layers = LAYERS_INSIDE[package]
    below = layers[: layers.index(own) + 1] if own in layers else layers
    for module in imported_modules(path):
        words = module.split(".")
        assert words[0] != "fastsf" or words[1:2] == [] or words[1] not in COMMANDS, f"{path.name} imports {module}"
        assert words[:2] != ["fastsf", package] or words[2] in below, f"{path.name} imports {module}"


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.name)
def test_kernels_stand_alone(path: Path) -> None:
    allowed = ("numpy", "numba", "llvmlite", "math", "typing", "enum", "ctypes", "fastsf.kernels")
    extra = ("hashlib", "tempfile", "contextlib", "pathlib", "platformdirs", "operator") if path.name[0] == "_" else ()
    for module in imported_modules(path):
        assert module.startswith(allowed + extra), f"{path.name} imports {module}"


IN_DOUBLE = {("acsf.vjp", "vector.simd"), ("acsf.center_sums", "vector.simd"), ("acsf.center_sums", "acsf.environment")}
"""Modules of both precisions that use another one in float64 on purpose."""


def kernels_imported_by(name: str, relative: bool) -> set[str]:
    """Kernel modules that one of them imports in its own precision, or in float64 whatever its own is."""
    path = (PACKAGE / "kernels" / name.replace(".", "/")).with_suffix(".py")
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and bool(node.level) == relative:
            folder = path.parents[node.level - 1] if relative else PACKAGE
            words = (node.module or "").removeprefix("fastsf").strip(".").split(".")
            module = folder.joinpath(*filter(None, words))
            found += [module, *(module / alias.name for alias in node.names)]
    inside = [each.relative_to(PACKAGE / "kernels") for each in found if each.with_suffix(".py") in KERNELS]
    return {".".join(each.parts) for each in inside}


def test_kernels_keep_to_their_precision() -> None:
    own, waiting = set(), set(KERNEL_MODULES.values())
    while waiting:
        own |= waiting
        waiting = set().union(*(kernels_imported_by(name, relative=True) for name in waiting)) - own
    crossed = {(name, other) for name in own for other in kernels_imported_by(name, relative=False) & own}
    assert crossed == IN_DOUBLE


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.name)
def test_only_one_file_compiles(path: Path) -> None:
    if path.name != "_jit.py":
        assert "numba.njit" not in path.read_text() and "numba import njit" not in path.read_text()
