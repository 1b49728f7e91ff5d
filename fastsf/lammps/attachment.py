"""Giving a running LAMMPS a potential."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from fastsf.errors import FastsfError, InputError
from fastsf.lammps import library, plugin
from fastsf.lammps.external import FIX, ExternalForces
from fastsf.lammps.library import LammpsError
from fastsf.lammps.model import ENERGY_UNITS, LammpsModel
from fastsf.potentials.potential import Potential
from fastsf.types import IntArray

Route = Literal["plugin", "external"]
ROUTES = ("plugin", "external")
T = TypeVar("T")


def attach(lmp: Any, potential: Potential, elements: Sequence[str], *, route: Route | None = None) -> Attachment:
    """Let a LAMMPS take its energies and forces from a potential.

    Stands for ``pair_style`` and ``pair_coeff`` of an input: the simulation box must be there.

    Parameters
    ----------
    lmp : lammps.lammps
        The LAMMPS, on any number of MPI ranks, all of which call this.
    potential : Potential
        The potential.
    elements : sequence of str
        Element of each type of atoms, in the order of the types.
    route : "plugin" or "external", optional
        A pair style that is compiled here at the first use, or LAMMPS's ``fix external``, which needs no compiler and
        costs more. By default the former, and the latter for potentials with energies of pairs, which need it.

    Returns
    -------
    Attachment
        The LAMMPS keeps it as ``lmp.fastsf`` too.

    Raises
    ------
    InputError
        For elements that the potential does not know, and units that are neither metal nor real.
    LammpsError
        If the pair style cannot be compiled, or LAMMPS refuses a command.
    StorageError
        If the compiled pair style cannot be written.
    """
    attachment = Attachment(lmp, potential, route)
    attachment.connect(elements)
    return attachment


class Attachment:
    """A potential at work in a LAMMPS; see `attach`.

    Parameters
    ----------
    lmp, potential, route
        As of `attach`.

    Raises
    ------
    InputError
        For an unknown route, and for energies of pairs by the route "plugin".
    """

    def __init__(self, lmp: Any, potential: Potential, route: Route | None = None) -> None:
        self.model = LammpsModel(potential)
        self.route = route_of(self.model, route)
        self._lmp = lmp
        self._ranks = ranks_of(lmp)
        self._forces: ExternalForces | None = None
        lmp.fastsf = self
        if self.route == "plugin":
            self._load(on_all(self._ranks, plugin.build))

    def _load(self, path: Path) -> None:
        """Make `pair_style fastsf` known, and this potential the one that it takes."""
        if not self._lmp.has_package("PLUGIN"):
            raise LammpsError("this LAMMPS was built without its package PLUGIN; --route external does without it")
        on_all(self._ranks, self.model.compile)
        self.command(f'plugin load "{path}"')
        plugin.use(path, self.model)

    def connect(self, elements: Sequence[str]) -> None:
        """Give the commands that stand for `pair_style` and `pair_coeff`; errors as of `attach`."""
        element = self.model.element_of_type(elements)
        unit = self._unit()
        kinds = self._lmp.extract_global("ntypes")
        if len(elements) != kinds:
            raise InputError(f"expected the elements of {kinds} types of atoms, found {' '.join(elements) or 'none'}")
        if self.route == "plugin":
            self.command("pair_style fastsf")
            self.command(f"pair_coeff * * {' '.join(elements)}")
        else:
            self._connect_external(element, unit)

    def _unit(self) -> float:
        units = self._lmp.extract_global("units")
        if units not in ENERGY_UNITS:
            raise InputError(f"fastsf needs units {' or '.join(ENERGY_UNITS)}, found {units}")
        return ENERGY_UNITS[units]

    def _connect_external(self, element: IntArray, unit: float) -> None:
        self._forces = ExternalForces(self._lmp, self.model, element, unit, self._ranks)
        self.command(f"pair_style hybrid/overlay zero {self.model.cutoff!r} full")
        self.command("pair_coeff * * zero")
        self.command(f"fix {FIX} all external pf/callback 1 1")
        self.command(f"fix_modify {FIX} energy yes virial yes")
        self._lmp.set_fix_external_callback(FIX, self._forces)

    def command(self, text: str) -> None:
        """Give LAMMPS a command.

        Raises
        ------
        LammpsError
            If it refuses.
        """
        self.call(self._lmp.command, text)

    def file(self, path: Path) -> None:
        """Let LAMMPS read an input; errors as of `command`."""
        self.call(self._lmp.file, str(path))

    def call(self, function: Any, argument: str) -> None:
        """Call a function of the LAMMPS, and turn its errors into ours."""
        try:
            function(argument)
        except Exception as error:  # that is what the package raises
            if self._forces is not None and self._forces.error:
                raise LammpsError(self._forces.error) from error
            text = "LAMMPS: " + re.sub(r"^ERROR(?: on proc \d+)?: ", "", getattr(error, "message", str(error)))
            if self._ranks is not None and type(error).__name__ == "MPIAbortException":
                print(f"fastsf: {' '.join(text.split())}", file=sys.stderr, flush=True)
                self._ranks.Abort(2)  # the other ranks know nothing of it, and would wait
            raise LammpsError(text) from error

    def counts(self) -> tuple[int, int, int]:
        """Count on all ranks, so far: functions outside the range of the training set, atoms that had such, atoms.

        An atom counts anew at every evaluation. All ranks must call it.
        """
        counts = self.model.counts if self._ranks is None else self._ranks.allreduce(self.model.counts)
        functions, outside, atoms = counts.tolist()
        return functions, outside, atoms


def route_of(model: LammpsModel, route: Route | None) -> Route:
    """Return the route that was asked for, or the one that a potential takes by default.

    Raises
    ------
    InputError
        For an unknown route, and for energies of pairs by the route "plugin".
    """
    if route is None:
        return "plugin" if model.pairs is None else "external"
    if route not in ROUTES:
        raise InputError(f"route: expected one of {', '.join(ROUTES)}, found {route!r}")
    if route == "plugin" and model.pairs is not None:
        raise InputError(
            "energies of pairs need neighbors of ghost atoms, which the route plugin does not have; "
            "leave the route out, or take external"
        )
    return route


def ranks_of(lmp: Any) -> Any:
    """MPI communicator of a LAMMPS; None if it runs alone.

    Raises
    ------
    LammpsError
        If there are several ranks and no mpi4py.
    """
    if lmp.extract_setting("world_size") == 1:
        return None
    ranks = lmp.comm if lmp.comm is not None else library.world()
    if ranks is None:
        raise LammpsError(f"mpi4py is needed for several MPI ranks; {library.INSTALL} brings it")
    return ranks


def on_all(ranks: Any, function: Callable[[], T]) -> T:
    """Call a function on the first rank, and then on the others, which find on disk what it has made; its results.

    Raises
    ------
    FastsfError, OSError
        On all ranks, what it raises on any.
    """
    if ranks is None:
        return function()
    results: list[T] = []
    for mine in (ranks.rank == 0, ranks.rank > 0):
        error = _tried(function, results) if mine else None
        for each in ranks.allgather(error):
            if each is not None:
                raise each
    return results[0]


def _tried(function: Callable[[], T], results: list[T]) -> Exception | None:
    try:
        results.append(function())
    except (FastsfError, OSError) as error:
        return error
    return None
