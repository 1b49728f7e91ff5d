"""Rules of the tree, its names and its words, each a test; CONTRIBUTING.md explains them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastsf

PACKAGE = Path(fastsf.__file__).resolve().parent
KERNELS = PACKAGE / "kernels"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(KERNELS))
KERNEL_SOURCES = sorted(KERNELS.rglob("*.py"))
PACKAGES = sorted(path for path in (*SOURCES, *KERNEL_SOURCES) if path.name == "__init__.py" and path.parent != PACKAGE)
ROOT = Path(__file__).resolve().parents[1]
CHECKOUT = (ROOT / "docs").is_dir()
"""Whether the documents are there; tests of an installed package have only themselves."""
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def short(path: Path) -> str:
    """Return the path of a file from the package or the root."""
    return str(path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT))


def module_of(path: Path) -> str:
    """Return the name of a module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# --- the tree ---


def test_top_level_has_at_most_10_modules_and_18_packages() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 10
    assert len(list(PACKAGE.glob("*/__init__.py"))) <= 18


def test_folders_have_at_most_20_modules() -> None:
    sizes = {short(folder): len(list(folder.glob("*.py"))) for folder in {path.parent for path in SOURCES}}
    assert {name: size for name, size in sizes.items() if size > 20} == {}


def test_tests_are_in_folders_named_after_packages() -> None:
    folders = {path.parent.name for path in Path(__file__).parent.rglob("test_*.py")} - {"tests", "docs", "examples"}
    assert {name for name in folders if not (PACKAGE / name).exists()} == set()


@pytest.mark.skipif(not CHECKOUT, reason="no pyproject.toml of a checkout here")
def test_all_packages_are_installed() -> None:
    listed = (ROOT / "pyproject.toml").read_text().split("\npackages = [")[1].split("]")[0]
    assert sorted(re.findall(r'"(.+)"', listed)) == sorted(["fastsf", *map(module_of, PACKAGES)])


@pytest.mark.parametrize("path", PACKAGES, ids=short)
def test_packages_say_what_belongs_there(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert len(text.split()) >= 8, "expected a docstring that says what belongs into this package"


# --- names ---


def public_classes(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def test_class_names_occur_once() -> None:
    found = defaultdict(list)
    for path in (*SOURCES, *KERNEL_SOURCES):
        for name in public_classes(path):
            found[name].append(short(path))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_public_names_and_packages_are_attributes() -> None:
    for name in (*fastsf.__all__, *(path.parent.name for path in PACKAGE.glob("*/__init__.py"))):
        assert getattr(fastsf, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fastsf.nothing


# --- imports ---


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a module imports, also in functions; what only type checkers read is left out."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_modules_import_each_other() -> None:
    names = {module_of(path) for path in SOURCES}
    graph = {module_of(path): set(imports(path)) & names - {module_of(path), "fastsf"} for path in SOURCES}
    while leaves := [name for name, others in graph.items() if not others & graph.keys()]:
        for name in leaves:
            del graph[name]
    while roots := [name for name in graph if not any(name in others for others in graph.values())]:
        for name in roots:
            del graph[name]
    assert {name: sorted(others & graph.keys()) for name, others in graph.items()} == {}


# --- words ---

NO_BEGINNING = re.compile(r"(What|Where|Whether|Which|Of|By|Times)\b")


@pytest.mark.parametrize("path", [*SOURCES, *KERNEL_SOURCES], ids=short)
def test_docstrings_begin_with_a_verb_or_a_noun(path: Path) -> None:
    beginnings = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            first = node.value.value.strip().split("\n")[0]
            if NO_BEGINNING.match(first):
                beginnings.append(f"{path.name}:{node.lineno}: {first}")
    assert beginnings == []


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines of a document that are neither code nor a table nor a link."""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside and not line.startswith(("|", "    ", "<", "[")):
            yield number, re.sub(r"\]\([^)]*\)", "]", line)


@pytest.mark.skipif(not CHECKOUT, reason="no documents here")
@pytest.mark.parametrize("path", DOCUMENTS, ids=short)
def test_lines_of_documents_have_at_most_100_characters(path: Path) -> None:
    assert [number for number, line in prose(path.read_text()) if len(line) > 100] == []


@pytest.mark.skipif(not (ROOT / "fastsf").is_dir(), reason="no checkout here")
@pytest.mark.parametrize("path", DOCUMENTS, ids=short)
def test_links_lead_to_files(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text())
    local = [link for link in links if not link.startswith(("http:", "https:", "mailto:"))]
    assert [link for link in local if not (path.parent / link).exists()] == []


# --- the version ---


@pytest.mark.skipif(not CHECKOUT, reason="no other files with the version here")
def test_the_version_is_the_same_everywhere() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    citation = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert version and citation
    assert citation[1].strip("\"'") == version[1]
    assert fastsf.__version__ in (version[1], "0+unknown")
