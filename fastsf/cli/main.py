"""The command line of fastsf; `_COMMANDS` lists what there is.

Modules that load kernels are imported by the commands that need them, so that help and wrong options answer
at once.
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastsf.cli.arguments import RUN_OPTIONS, make_parser
from fastsf.cli.options import compile_for, console_of, load_members, reading_of
from fastsf.console import LOG, Console, compile_first
from fastsf.errors import FastsfError, FormatError, InputError, StructureError

if TYPE_CHECKING:
    from fastsf.descriptors.base import Descriptor
    from fastsf.featurize.run import FeaturizeSummary, Reading

_MOST_LINES = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0, 2 for anything wrong with the input or the system, 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files may hold what a terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    arguments = make_parser().parse_args(argv)
    arguments.words = list(sys.argv[1:] if argv is None else argv)
    try:
        _COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt as stop:
        return _complain("interrupted" + (f" ({stop})" if stop.args else _kept(arguments)), 130)
    except BrokenPipeError:  # the reader of our output has gone, as in `fastsf inspect FILE | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except MemoryError:
        return _complain(f"not enough memory{_less(arguments)}{_kept(arguments)}", 2)
    except (FastsfError, OSError) as error:
        return _complain(str(error) + _advice(error, arguments), 2)
    return 0


def _complain(message: str, status: int) -> int:
    LOG.error(message)
    print(f"fastsf: {' '.join(message.split())}", file=sys.stderr)
    return status


def _less(arguments: argparse.Namespace) -> str:
    """Say how less memory can do, where there is a way."""
    if hasattr(arguments, "memory"):
        return "; --memory keeps less"
    return "; --chunk-atoms makes the pieces smaller" if hasattr(arguments, "chunk_atoms") else ""


def _advice(error: Exception, arguments: argparse.Namespace) -> str:
    """Say what can be done about an error, where there is something."""
    bad_frame = error.frame is not None if isinstance(error, FormatError) else isinstance(error, StructureError)
    if bad_frame and getattr(arguments, "on_error", "") == "stop":
        return "; --on-error skip leaves such structures out" + _kept(arguments)
    return _kept(arguments) if isinstance(error, OSError) else ""


def _kept(arguments: argparse.Namespace) -> str:
    """Say where finished work waits, if there is any."""
    output = getattr(arguments, "output", None)
    if output is None or not Path(f"{output}.parts").is_dir():
        return ""
    return f" (finished chunks are kept in {output}.parts; the same command goes on from there)"


# --- commands ---


def _featurize(arguments: argparse.Namespace) -> None:
    console = console_of(arguments)
    if arguments.recipe is None and (arguments.cutoff is not None or arguments.elements is not None):
        raise InputError("--cutoff and --elements belong to --recipe; a file of functions has its own")
    if arguments.recipe is not None and arguments.rows is not None:
        raise InputError("--rows belongs to --functions; a recipe is one of atoms or of pairs")
    from fastsf.featurize.run import Options, featurize
    from fastsf.io.structures import expand_paths

    inputs = [str(path) for path in expand_paths(arguments.inputs)]
    reading = reading_of(arguments)
    options = Options(arguments.derivatives, arguments.float32, arguments.scale, arguments.chunk_atoms)
    descriptor = _descriptor(arguments, inputs, reading, console)
    console.say(descriptor.describe())
    group = "derivatives" if arguments.derivatives else "featurize"
    compile_first([group if descriptor.centered_on == "atoms" else f"pair-{group}"], console)
    with console.progress_bar() as bar:
        summary = featurize(
            inputs,
            arguments.output,
            descriptor,
            options,
            reading,
            overwrite=arguments.overwrite,
            command=shlex.join(["fastsf", *arguments.words]),
            on_progress=bar,
        )
    tell(summary, console)


def _descriptor(arguments: argparse.Namespace, inputs: Sequence[str], reading: Reading, console: Console) -> Descriptor:
    from fastsf.descriptors.base import descriptor_from_file, descriptor_from_recipe

    threads = arguments.threads
    if arguments.functions is not None:
        path, unit = arguments.functions, arguments.length_unit
        return descriptor_from_file(path, unit, centered_on=arguments.rows, threads=threads)
    if arguments.elements is not None:
        elements = [symbol.strip() for symbol in arguments.elements.split(",")]
    else:
        elements = _find_elements(arguments, inputs, reading, console)
    return descriptor_from_recipe(arguments.recipe, elements, arguments.cutoff, threads=threads)


def _find_elements(
    arguments: argparse.Namespace, inputs: Sequence[str], reading: Reading, console: Console
) -> list[str]:
    from fastsf.datasets.frames import find_elements
    from fastsf.featurize.manifest import recorded_elements

    known = None if arguments.overwrite else recorded_elements(arguments.output, inputs)
    if known is None:
        console.say("Reading the files for their elements (--elements saves this pass) ...")
        known = find_elements(inputs, reading)
        console.say(f"Elements: {', '.join(known)}")
    return known


def tell(summary: FeaturizeSummary, console: Console) -> None:
    """Say what a featurization did."""
    if summary.complete_before:
        console.say(f"{summary.output} is complete already; --overwrite computes it anew.")
    counts = f"{summary.structures:,} structures, {summary.atoms:,} atoms"
    if summary.pairs is not None:
        counts += f", {summary.pairs:,} pairs"
    labels = f"energies of {summary.with_energy:,}, forces of {summary.with_forces:,}"
    console.say(f"{summary.output}: {counts}; {labels}, stresses of {summary.with_stress:,}")
    if summary.resumed and not summary.complete_before:
        console.say(f"{summary.resumed:,} structures were computed before and not computed again.")
    if summary.computed_atoms:
        each = 1e6 / summary.computed_atoms
        console.say(
            f"{summary.seconds:.1f} s for {summary.computed_atoms:,} atoms: {summary.seconds * each:.1f} µs "
            f"per atom, of it {summary.kernel_seconds * each:.1f} µs in the kernels"
        )
    if summary.skipped:
        console.say(f"Left out: {len(summary.skipped):,} (all are listed in the file)")
        for reason in summary.skipped[:_MOST_LINES]:
            console.say(f"  {reason}")


def _predict(arguments: argparse.Namespace) -> None:
    console = console_of(arguments)
    from fastsf.io.structures import expand_paths
    from fastsf.prediction.predict import CHUNK_ATOMS, predict
    from fastsf.prediction.report import check_results, report, write_results

    check_results(arguments.metrics, arguments.plots, arguments.overwrite)
    inputs = [str(path) for path in expand_paths(arguments.inputs)]
    potential = load_members(arguments)
    console.say(potential.describe())
    compile_for(arguments, potential, ["committee" if arguments.member else "predict"], console)
    with console.progress_bar() as bar:
        summary = predict(
            inputs,
            potential,
            arguments.output,
            reading_of(arguments),
            threads=arguments.threads,
            chunk_atoms=arguments.chunk_atoms or CHUNK_ATOMS,
            group_key=arguments.group_key,
            overwrite=arguments.overwrite,
            on_progress=bar,
        )
    console.say(report(summary))
    if arguments.command == "evaluate" and not summary.metrics.by_name():
        raise InputError("there is nothing to compare with: no structure has a label")
    about = {"models": [arguments.model, *arguments.member], "command": shlex.join(["fastsf", *arguments.words])}
    for path in write_results(summary, arguments.metrics, arguments.plots, about):
        console.say(f"wrote {path}")


def _train(arguments: argparse.Namespace) -> None:
    console = console_of(arguments)
    from fastsf.cli.train_init import init
    from fastsf.training.config.files import overrides_of, read_config, read_folder
    from fastsf.training.run.command import default_folder, train

    if arguments.init:
        output = Path(arguments.output or "train.toml")
        options = {"pairs": arguments.pairs, "overwrite": arguments.overwrite}
        init(arguments.config, output, console, reading=reading_of(arguments), **options)
        return
    if arguments.pairs:
        raise InputError("--pairs belongs to --init; a training takes its functions from the configuration")
    if len(arguments.config) > 1:
        raise InputError(f"expected one configuration, found {len(arguments.config)} files; --init makes one for data")
    overrides = overrides_of({name: getattr(arguments, name) for name in RUN_OPTIONS}, arguments.set)
    path = Path(arguments.config[0])
    folder = default_folder(path) if arguments.output is None else Path(arguments.output)
    if path.is_dir():
        config = read_folder(path, arguments.length_unit, arguments.energy_unit, overrides)
    else:
        config = read_config(path, overrides)
    train(config, folder, console, overwrite=arguments.overwrite, command=shlex.join(["fastsf", *arguments.words]))


def _md(arguments: argparse.Namespace) -> None:
    from fastsf.cli.md import run_md

    run_md(arguments, console_of(arguments))


def _mc(arguments: argparse.Namespace) -> None:
    from fastsf.cli.mc import run_mc

    run_mc(arguments, console_of(arguments))


def _convert(arguments: argparse.Namespace) -> None:
    from fastsf.cli.convert import run_convert

    run_convert(arguments, console_of(arguments))


def _inspect(arguments: argparse.Namespace) -> None:
    from fastsf.cli.inspect import run_inspect

    run_inspect(arguments, console_of(arguments))


def _analyze(arguments: argparse.Namespace) -> None:
    from fastsf.cli.analyze import run_command

    run_command(arguments, console_of(arguments), shlex.join(["fastsf", *arguments.words]))


def _demo(arguments: argparse.Namespace) -> None:
    console = console_of(arguments)
    from fastsf.cli.demo import run_demo

    run_demo(Path(arguments.folder), console)


def _compile(arguments: argparse.Namespace) -> None:
    console = console_of(arguments)
    from fastsf.compilation.compile import cache_folder, compile_kernels

    console.say("Compiling the kernels, once per installation ...")
    seconds = compile_kernels(arguments.what or None)
    folder = cache_folder()
    kept = f"kept in {folder}" if folder else "no cache folder can be written: every process compiles anew"
    console.say(f"{seconds:.1f} s; {kept}")


def _lammps(arguments: argparse.Namespace) -> None:
    from fastsf.cli.lammps import lammps

    lammps(arguments)


_COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "featurize": _featurize,
    "train": _train,
    "predict": _predict,
    "evaluate": _predict,
    "md": _md,
    "mc": _mc,
    "convert": _convert,
    "inspect": _inspect,
    "analyze": _analyze,
    "demo": _demo,
    "compile": _compile,
    "lammps": _lammps,
}
