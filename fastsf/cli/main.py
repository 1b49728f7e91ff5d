"""The command line of fastsf.

Every command is a module of this package that is listed in `COMMANDS`. It has two functions: ``add(commands)`` adds
its parser and options, and ``run(arguments)`` does the work. Modules that load kernels are imported inside ``run``,
so that help and wrong options answer at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from fastsf.cli.console import LOG
from fastsf.cli.options import Parser
from fastsf.errors import FastsfError, FastsfWarning, FormatError, StructureError

COMMANDS = (
    "featurize",
    "train",
    "predict",
    "evaluate",
    "md",
    "mc",
    "convert",
    "inspect",
    "analyze",
    "demo",
    "compile",
    "lammps",
)
"""Commands in the order of the help; each is a module of this package with `add` and `run`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0; 2 after an error of the input or the system; 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files may hold what a terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    arguments = make_parser().parse_args(argv)
    arguments.words = list(sys.argv[1:] if argv is None else argv)
    try:
        with _warnings_as_lines():
            _module(arguments.command).run(arguments)
    except KeyboardInterrupt as stop:
        return _fail("interrupted" + (f" ({stop})" if stop.args else _kept(arguments)), 130)
    except BrokenPipeError:  # the reader of our output has gone, as in `fastsf inspect FILE | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except MemoryError:
        return _fail(f"not enough memory{_less(arguments)}{_kept(arguments)}", 2)
    except (FastsfError, OSError) as error:
        return _fail(str(error) + _advice(error, arguments), 2)
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Parser(prog="fastsf", description="Symmetry functions and neural network potentials, fast.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        _module(name).add(commands)
    return parser


def _module(command: str) -> Any:
    return import_module(f"fastsf.cli.{command}")


class _Version(argparse.Action):
    """Option that prints the version; it is read only then, because that takes time."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from fastsf import __version__

        print(f"fastsf {__version__}")
        parser.exit()


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print each warning of fastsf once, as one line."""
    printed: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", FastsfWarning)
        show = warnings.showwarning

        def show_once(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if not issubclass(category, FastsfWarning):
                show(message, category, *where)
            elif str(message) not in printed:
                printed.add(str(message))
                LOG.warning(str(message))
                print(f"fastsf: warning: {message}", file=sys.stderr)

        warnings.showwarning = show_once  # type: ignore[assignment]
        yield


def _fail(message: str, status: int) -> int:
    LOG.error(message)
    print(f"fastsf: {' '.join(message.split())}", file=sys.stderr)
    return status


def _less(arguments: argparse.Namespace) -> str:
    """Return the option that reduces the memory, if there is one."""
    if hasattr(arguments, "memory"):
        return "; a smaller --memory keeps less"
    return "; a smaller --chunk-atoms needs less" if hasattr(arguments, "chunk_atoms") else ""


def _advice(error: Exception, arguments: argparse.Namespace) -> str:
    """Return advice about an error, if there is any."""
    bad_frame = error.frame is not None if isinstance(error, FormatError) else isinstance(error, StructureError)
    if bad_frame and getattr(arguments, "on_error", "") == "stop":
        return "; --on-error skip leaves such structures out" + _kept(arguments)
    return _kept(arguments) if isinstance(error, OSError) else ""


def _kept(arguments: argparse.Namespace) -> str:
    """Return where finished chunks are kept, if there are any."""
    output = getattr(arguments, "output", None)
    if output is None or not Path(f"{output}.parts").is_dir():
        return ""
    return f" (finished chunks are kept in {output}.parts; the same command continues from there)"
