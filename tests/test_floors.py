"""A module imports only from floors below its own; kernels import nothing of fastsf but kernels."""

import ast
from pathlib import Path

import pytest

import fastsf
from fastsf.precision import KERNEL_MODULES

PACKAGE = Path(fastsf.__file__).parent
FLOORS = {
    "errors": 1, "units": 1, "elements": 1, "structure": 1, "threads": 1, "data": 1, "statistics": 1, "disk": 1,
    "recycling": 1, "interruption": 1, "state_file": 1, "growing_file": 1, "transaction": 1,
    "symmetry": 2, "function_sets": 2, "published_sets": 2, "recipes": 2, "definition": 2, "entries": 2, "packing": 2,
    "pair_search": 2, "neighbors": 2, "all_pairs": 2, "jacobian": 2, "directions": 2, "descriptor": 2,
    "precision": 2,
    "pair_symmetry": 2, "pair_definition": 2, "pair_recipes": 2, "pair_packing": 2,
    "pair_rows": 2, "pair_descriptor": 2,
    "pair_sums": 2, "pair_term": 3, "pair_energies": 3,
    "scaling": 3, "network": 3, "network_packing": 3, "committee": 3,
    "potential": 3, "result": 3, "potential_parts": 3, "evaluation": 3, "compilation": 3, "compilation_tasks": 3,
    "compilation_sample": 3, "pair_compilation_tasks": 3, "pair_loops": 3,
    "training": 4, "training.plots": 6, "training.report": 7, "training.command": 7, "training.display": 7,
    "training.document": 7,
    "training.init_command": 7,
    "frames": 4, "read_ahead": 4, "input_files": 4,
    "featurize": 5, "descriptors": 5, "chunks": 5, "layout": 5, "manifest": 5, "features": 5,
    "feature_writer": 5, "write_behind": 5, "steady_file": 5,
    "extrapolation": 3, "extrapolation_policy": 3,
    "error_metrics": 4, "predict": 5, "prediction": 5, "calculator": 5, "ase_plugin": 5, "convert": 5,
    "convert_data": 5,
    "parity_plots": 6, "prediction_report": 7,
    "io": 3,
    "lammps": 5, "lammps.command": 7, "lammps.arguments": 7,
    "simulation": 5, "simulation.command": 7, "simulation.display": 7, "simulation.options": 7,
    "simulation.md_options": 7,
    "md": 5, "md.command": 7, "mc": 5, "mc.command": 7, "simulation.mc_options": 7,
    "plots": 6, "function_plots": 6, "range_plots": 6, "plot_style": 6, "shapes": 6,
    "analysis": 5, "analysis.plots": 6, "analysis.report": 7, "analysis.tables": 7,
    "analysis.command": 7, "analysis.options": 7,
    "cli": 7, "arguments": 7, "console": 7, "demo": 7, "report": 7, "options": 7,
    "convert_command": 7, "inspect_command": 7, "__main__": 7,
    "potential_report": 7, "potential_checks": 7, "potential_words": 7,
}  # fmt: skip
LAZY = {("descriptor", "io"), ("pair_descriptor", "io")}
"""Descriptors can be read from a file; they import the formats only then."""


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


def place_of(module: str) -> str:
    """The entry of a module in the table: its own, else that of its package."""
    words = module.removeprefix("fastsf.").split(".")
    own = ".".join(words[:2])
    return own if own in FLOORS else words[0]


SOURCES = sorted(path for path in PACKAGE.glob("**/*.py") if "kernels" not in path.relative_to(PACKAGE).parts)
KERNELS = sorted((PACKAGE / "kernels").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_imports_go_down(path: Path) -> None:
    own = place_of(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    if own == "__init__":
        return
    assert own in FLOORS, f"{path.name} has no floor"
    for module in imported_modules(path):
        if not module.startswith("fastsf.") or module.startswith("fastsf.kernels"):
            continue
        other = place_of(module)
        if other in FLOORS and (own, other) not in LAZY:
            assert FLOORS[other] <= FLOORS[own], f"{path.name} imports {module}"


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.name)
def test_kernels_stand_alone(path: Path) -> None:
    allowed = ("numpy", "numba", "llvmlite", "math", "typing", "enum", "ctypes", "fastsf.kernels")
    extra = ("hashlib", "tempfile", "contextlib", "pathlib", "platformdirs", "operator") if path.name[0] == "_" else ()
    for module in imported_modules(path):
        assert module.startswith(allowed + extra), f"{path.name} imports {module}"


IN_DOUBLE = {("acsf.vjp", "vector.simd"), ("acsf.pair_sums", "vector.simd"), ("acsf.pair_sums", "acsf.environment")}
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
