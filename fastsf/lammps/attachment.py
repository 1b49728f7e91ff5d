"""A potential in a running LAMMPS."""

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
    """Let a LAMMPS instance take its energies and forces from a potential.

    Replaces ``pair_style`` and ``pair_coeff`` of an input; the simulation box must exist.

    Parameters
    ----------
    lmp : lammps.lammps
        LAMMPS instance on any number of MPI ranks, all of which must call this.
    potential : Potential
        The potential.
    elements : sequence of str
        Element of each type of atoms, in the order of the types.
    route : "plugin" or "external", optional
        A pair style that is compiled at the first use, or LAMMPS's ``fix external``, which needs no compiler and is
        slower. By default the former; potentials with pair-centred energies need the latter.

    Returns
    -------
    Attachment
        Also an attribute of the instance, ``lmp.fastsf``.

    Raises
    ------
    InputError
        For elements that the potential does not have, and units other than metal and real.
    LammpsError
        If the pair style cannot be compiled, or LAMMPS refuses a command.
    StorageError
        If the compiled pair style cannot be written.
    """
    attachment = Attachment(lmp, potential, route)
    attachment.connect(elements)
    return attachment


class Attachment:
    """A potential in a LAMMPS instance; see `attach`.

    Parameters
    ----------
    lmp, potential, route
        As in `attach`.

    Raises
    ------
    InputError
        For an unknown route, and for pair-centred energies with the route "plugin".
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
        """Define `pair_style fastsf` in LAMMPS, and make this potential the one that it takes."""
        if not self._lmp.has_package("PLUGIN"):
            raise LammpsError(
                "this LAMMPS was built without its package PLUGIN; use --route external, which needs none"
            )
        on_all(self._ranks, self.model.compile)
        self.command(f'plugin load "{path}"')
        plugin.use(path, self.model)

    def connect(self, elements: Sequence[str]) -> None:
        """Give the commands that replace `pair_style` and `pair_coeff`; errors as in `attach`."""
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
        """Let LAMMPS execute a command.

        Raises
        ------
        LammpsError
            If LAMMPS refuses it.
        """
        self.call(self._lmp.command, text)

    def file(self, path: Path) -> None:
        """Let LAMMPS execute an input file; errors as in `command`."""
        self.call(self._lmp.file, str(path))

    def call(self, function: Any, argument: str) -> None:
        """Call a function of the instance, and turn its errors into `LammpsError`."""
        try:
            function(argument)
        except Exception as error:  # that is what the package raises
            if self._forces is not None and self._forces.error:
                raise LammpsError(self._forces.error) from error
            text = "LAMMPS: " + re.sub(r"^ERROR(?: on proc \d+)?: ", "", getattr(error, "message", str(error)))
            if self._ranks is not None and type(error).__name__ == "MPIAbortException":
                print(f"fastsf: {' '.join(text.split())}", file=sys.stderr, flush=True)
                self._ranks.Abort(2)  # the other ranks do not know of the error and would wait
            raise LammpsError(text) from error

    def counts(self) -> tuple[int, int, int]:
        """Return counts over all ranks: functions outside the training range, atoms that had such, all atoms.

        An atom is counted at every evaluation. All ranks must call this.
        """
        counts = self.model.counts if self._ranks is None else self._ranks.allreduce(self.model.counts)
        functions, outside, atoms = counts.tolist()
        return functions, outside, atoms


def route_of(model: LammpsModel, route: Route | None) -> Route:
    """Return the wanted route, or the default route of a potential.

    Raises
    ------
    InputError
        For an unknown route, and for pair-centred energies with the route "plugin".
    """
    if route is None:
        return "plugin" if model.pairs is None else "external"
    if route not in ROUTES:
        raise InputError(f"route: expected one of {', '.join(ROUTES)}, found {route!r}")
    if route == "plugin" and model.pairs is not None:
        raise InputError(
            "pair-centred energies need neighbors of ghost atoms, which the route plugin does not have; "
            "leave the route out, or use --route external"
        )
    return route


def ranks_of(lmp: Any) -> Any:
    """Return the MPI communicator of a LAMMPS instance; None if it has one rank.

    Raises
    ------
    LammpsError
        If there are several ranks but no mpi4py.
    """
    if lmp.extract_setting("world_size") == 1:
        return None
    ranks = lmp.comm if lmp.comm is not None else library.world()
    if ranks is None:
        raise LammpsError(f"several MPI ranks need mpi4py; install it with {library.INSTALL}")
    return ranks


def on_all(ranks: Any, function: Callable[[], T]) -> T:
    """Call a function on the first rank, then on the others, which use the files that it has made; return its result.

    Raises
    ------
    FastsfError, OSError
        On all ranks, the error that it raises on any of them.
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
