"""Every Python and shell block of the documents runs."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest
from support.document_files import prepare
from support.documents import blocks, run_document

from fastsf import ExtrapolationWarning

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    prepare(folder)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page: Path, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: None) -> None:
    folder = tmp_path / "folder"
    shutil.copytree(files, folder)
    monkeypatch.chdir(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        run_document(page, ROOT)


def test_blocks_are_found() -> None:
    text = """
Text.

```python
x = 1
```

<!-- test: skip: needs time -->
    fastsf demo  # a comment
    cd folder

    more = "text"
"""
    found = list(blocks(text))
    assert [(block.language, block.text, block.line) for block in found] == [
        ("python", "x = 1", 4),
        ("shell", "fastsf demo  # a comment\ncd folder", 9),
    ]
    assert found[1].notes == {"skip": "needs time"}
