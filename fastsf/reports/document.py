"""Documents of headings, texts, tables and pictures, as Markdown and as one HTML file."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastsf.storage.atomic import storage_errors, write_text

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; margin: 1em 0; } th, td { padding: 0.2em 0.8em; border-bottom: 1px solid #e4e4e4; }
th { text-align: left; background: #f5f5f5; } td + td { text-align: right; font-variant-numeric: tabular-nums; }
img { max-width: 100%; } pre { background: #f7f7f7; padding: 0.8em; overflow-x: auto; font-size: 13px; }
"""


@dataclass
class ReportDocument:
    """Document that grows from top to bottom.

    Parameters
    ----------
    title : str
        Title.
    folder : Path
        Folder of the files; names of pictures in the Markdown are relative to it.
    blocks : list of (str, str)
        Parts of the document, each as Markdown and as HTML.
    """

    title: str
    folder: Path
    blocks: list[tuple[str, str]] = field(default_factory=list)

    def _add(self, markdown: str, page: str) -> None:
        self.blocks.append((markdown, page))

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._add(f"## {text}", f"<h2>{html.escape(text)}</h2>")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._add(text, f"<p>{html.escape(text)}</p>")

    def listing(self, lines: Iterable[str]) -> None:
        """Add preformatted lines."""
        text = "\n".join(lines)
        self._add(f"```\n{text}\n```", f"<pre>{html.escape(text)}</pre>")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a table."""
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
        markdown = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        body = "".join(_row("td", line) for line in lines[2:])
        self._add(markdown, f"<table>{_row('th', head)}{body}</table>")

    def picture(self, path: Path, text: str) -> None:
        """Add a picture (PNG), which is embedded in the HTML.

        Raises
        ------
        StorageError
            If it cannot be read.
        """
        with storage_errors(f"cannot read {path}"):
            data = base64.b64encode(path.read_bytes()).decode()
        name = path.relative_to(self.folder).as_posix()
        image = f'<img alt="{html.escape(text)}" src="data:image/png;base64,{data}">'
        self._add(f"![{text}]({name})", f"<p>{image}</p>")

    def as_markdown(self) -> str:
        """Return the whole document as Markdown."""
        return "\n\n".join([f"# {self.title}", *(markdown for markdown, _ in self.blocks)]) + "\n"

    def as_html(self) -> str:
        """Return the whole document as HTML that needs no other file."""
        title = html.escape(self.title)
        head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        body = "\n".join(page for _, page in self.blocks)
        return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n<h1>{title}</h1>\n{body}\n</body></html>\n'

    def write(self, name: str) -> list[Path]:
        """Write NAME.md and NAME.html into the folder; return the files.

        Raises
        ------
        StorageError
            If a file cannot be written.
        """
        written = []
        for ending, text in (("md", self.as_markdown()), ("html", self.as_html())):
            written.append(self.folder / f"{name}.{ending}")
            write_text(written[-1], text)
        return written


def _row(kind: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells) + "</tr>"
