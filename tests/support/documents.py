"""Code blocks of documents, and how they run.

A document is a Markdown file. Its Python blocks run in order in one namespace, and the lines of its shell blocks that
begin with ``fastsf`` run as commands, all in one folder. Trainings and simulations are cut short, and results that are
there already are replaced. `support.document_files` writes the files that are there, and `atoms` is what start.xyz
holds. Comments before a block change this:

    <!-- test: skip: needs LAMMPS -->      do not run the block; its commands must still be understood
    <!-- test: with: --only rdf -->        add options to each command of the block
    <!-- test: python: atoms = start -->   run this first
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import pytest

from fastsf.cli.main import main, make_parser

SHELL = ("sh", "bash", "shell", "console")
_COMMENT = re.compile(r"<!-- test: (skip|with|python): (.*?) -->", re.DOTALL)
_SHELL_LINE = re.compile(r"(FASTSF_SHARED|NUMBA|fastsf|python|pip|cd|mpirun)\b")
_SHORT = {
    "train": {"": "--epochs 1 --minutes 0.1"},
    "md": {"--ps": "--ps 0.1 --max-drift 0", "": "--steps 200 --max-drift 0"},
    "analyze": {"--skip": "--skip 0.05"},
    "mc": {"--sweeps": "--sweeps 20", "": "--steps 400"},
}
"""Options that cut a command short, by an option that they must replace."""
_REPLACING = ("featurize", "train", "predict", "evaluate", "md", "mc", "convert", "analyze")


@dataclass(frozen=True)
class CodeBlock:
    """A block of a document: its language, text, first line, and what its comments ask for."""

    language: str
    text: str
    line: int
    notes: dict[str, str]


def blocks(text: str) -> Iterator[CodeBlock]:
    """Yield the Python and shell blocks of a document; shell blocks may be indented in place of fenced."""
    notes: dict[str, str] = {}
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        first = number + 1
        if line.startswith("<!-- test:"):
            while "-->" not in line:
                number += 1
                line += "\n" + lines[number]
            match = _COMMENT.fullmatch(line.strip())
            assert match, f"line {first}: unknown comment {line!r}"
            notes[match[1]] = match[2]
        elif line.startswith("```"):
            end = next(n for n in range(number + 1, len(lines)) if lines[n].startswith("```"))
            language = line.strip("`").strip()
            yield CodeBlock(
                "shell" if language in SHELL else language, "\n".join(lines[number + 1 : end]), first, notes
            )
            number, notes = end, {}
        elif _SHELL_LINE.match(line.removeprefix("    ")) and line.startswith("    "):
            end = next((n for n in range(number, len(lines)) if not lines[n].startswith("    ")), len(lines))
            yield CodeBlock("shell", "\n".join(each[4:] for each in lines[number:end]), first, notes)
            number, notes = end - 1, {}
        elif line.strip():
            notes = {}
        number += 1


def run_python(block: CodeBlock, page: Path, names: dict[str, Any]) -> None:
    """Run a Python block; errors name the line of the document."""
    if "python" in block.notes:
        exec(block.notes["python"], names)
    if "skip" in block.notes:
        compile(block.text, str(page), "exec")
        return
    exec(compile("\n" * block.line + block.text, str(page), "exec"), names)


def run_shell(block: CodeBlock, page: Path, names: dict[str, Any], root: Path) -> None:
    """Run the commands of a shell block."""
    if "python" in block.notes:
        exec(block.notes["python"], names)
    for words in commands(block.text):
        place = f"{page.name}:{block.line}: {shlex.join(words)}"
        if "python" in words and words[words.index("python") + 1].startswith("bench/"):
            assert (root / words[words.index("python") + 1]).exists(), place
        elif words[0] == "fastsf":
            _run_command(words[1:], block.notes, place)
        elif "fastsf" in words:
            make_parser().parse_args(words[words.index("fastsf") + 1 :])


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|;|\|", line):
            words = shlex.split(part.removeprefix("$ "), comments=True)
            if words:
                yield words


def _run_command(words: list[str], notes: dict[str, str], place: str) -> None:
    words = [*words, *shlex.split(notes.get("with", ""))]
    try:
        make_parser().parse_args(words)
    except SystemExit as stop:
        assert stop.code == 0, f"{place}: not understood"
        return
    if "skip" in notes or words[0] == "demo":
        return
    more = [] if "--init" in words else [_shortened(words)]
    if words[0] in _REPLACING and "--overwrite" not in words:
        more.append("--overwrite")
    status = main([*_expanded(words), *shlex.split(" ".join(more)), "--quiet"])
    assert status == 0, f"{place}: exit status {status}"


def _shortened(words: list[str]) -> str:
    choices = _SHORT.get(words[0], {})
    return next((short for option, short in choices.items() if not option or option in words), "")


def _expanded(words: list[str]) -> list[str]:
    """Expand patterns as a shell does."""
    found = []
    for word in words:
        paths = sorted(map(str, Path().glob(word))) if "*" in word and not word.startswith("/") else []
        found += paths or [word]
    return found


def run_document(page: Path, root: Path) -> None:
    """Run all blocks of a document in the current folder."""
    names: dict[str, Any] = {"__name__": page.stem, "atoms": ase.io.read("start.xyz")}
    for block in blocks(page.read_text()):
        failure = None
        try:
            if block.language == "python":
                run_python(block, page, names)
            elif block.language == "shell":
                run_shell(block, page, names, root)
        except Exception as error:
            failure = f"{page.name}, block at line {block.line}: {type(error).__name__}: {error}"
        if failure:
            pytest.fail(failure, pytrace=False)
