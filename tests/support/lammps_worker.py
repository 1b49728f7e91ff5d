"""Runs of LAMMPS on any number of MPI ranks, with results in a file: `mpirun -n 2 python lammps_worker.py ROUTE FILE`.

The tests start it, since MPI ranks are processes. Keys of the JSON that it writes are names of the functions in CASES.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from ase import Atoms, units

from fastsf import Potential
from fastsf.errors import FastsfError
from fastsf.lammps import attach, library
from support.pcsf_potentials import mixed_potential, pair_potential
from support.potentials import ELEMENTS, random_potential
from support.systems import SYSTEMS

STEPS, STEP = 50, 0.0005
"""Number of steps and ps."""

MASSES = {"H": 1.0, "O": 16.0, "S": 32.0}
PS = 1000 * units.fs
"""ASE's unit of time per ps."""

QUIET = ["-screen", "none", "-log", "none"]


def start(atoms: Atoms, unit_style: str = "metal", style: str = "atomic", extra: tuple[str, ...] = ()):
    """Return a LAMMPS instance that holds a structure, whose cell must be lower triangular."""
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = atoms.cell.array.tolist()
    lmp = library.load().lammps(cmdargs=QUIET, comm=library.world())
    boundary = " ".join("p" if periodic else "s" for periodic in atoms.pbc)
    lines = [f"units {unit_style}", *extra, f"atom_style {style}", f"boundary {boundary}", "atom_modify map array"]
    lines += [f"region box prism 0 {lx!r} 0 {ly!r} 0 {lz!r} {xy!r} {xz!r} {yz!r}", "create_box 3 box"]
    lines += [f"mass {k} {MASSES[symbol]!r}" for k, symbol in enumerate(ELEMENTS, start=1)]
    lmp.commands_list([*lines, "neighbor 0.5 bin", f"timestep {STEP!r}"])
    n, types = len(atoms), [1 + ELEMENTS.index(symbol) for symbol in atoms.symbols]
    lmp.create_atoms(n, list(range(1, n + 1)), types, atoms.positions.ravel(), atoms.get_velocities().ravel() * PS)
    return lmp


def moving() -> Atoms:
    """Return atoms that move far in some steps: every kind of event of a neighbour list, on two ranks."""
    atoms = SYSTEMS["triclinic"]().repeat((2, 1, 1))
    rng = np.random.default_rng(5)
    atoms.set_velocities(rng.normal(size=(len(atoms), 3)) * 0.03 / (STEP * PS))
    return atoms


def static(route: str | None, name: str, unit_style: str = "metal", potential: Potential | None = None) -> dict:
    """Return all results for one structure."""
    lmp = start(SYSTEMS[name](), unit_style)
    attachment = attach(lmp, potential or random_potential(), ELEMENTS, route=route)
    lmp.commands_list(["compute each all pe/atom", "compute pull all stress/atom NULL virial", "fix 1 all nve"])
    lmp.command("dump 1 all custom 1 /dev/null id c_each c_pull[1]")  # asks for energies and virials of atoms
    lmp.commands_list(["thermo 1", "run 0"])
    n = lmp.get_natoms()
    found = {
        "energy": lmp.get_thermo("pe"),
        "forces": np.array(lmp.gather_atoms("f", 1, 3)).reshape(-1, 3),
        "pressure": [lmp.get_thermo(f"p{k}") for k in ("xx", "yy", "zz", "xy", "xz", "yz")],
        "counts": attachment.counts(),
        "energies": np.array(lmp.gather("c_each", 1, 1)),
        "virials": np.array(lmp.gather("c_pull", 1, 6)).reshape(n, 6),
    }
    lmp.close()
    return found


def triclinic(route: str) -> dict:
    return static(route, "triclinic")


def small_cell(route: str) -> dict:
    return static(route, "cell_much_smaller_than_cutoff")


def slab(route: str) -> dict:
    return static(route, "slab")


def real(route: str) -> dict:
    return static(route, "triclinic", "real")


def pairs(route: str) -> dict:
    """Return results of pair-centred energies, without and with those of atoms."""
    if route == "plugin":
        return {}
    names = ("triclinic", "cell_much_smaller_than_cutoff", "slab")
    made = {"alone": pair_potential(), "with atoms": mixed_potential("none")}
    found = {f"{key} {name}": static(None, name, potential=each) for key, each in made.items() for name in names}
    return found | {"dynamics": dynamics(route, made["alone"])}


def dynamics(route: str, potential: Potential | None = None) -> dict:
    """Return the results of some steps without thermostat."""
    lmp = start(moving())
    attach(lmp, potential or random_potential(), ELEMENTS, route=route)
    lmp.commands_list(["fix 1 all nve", "thermo 1", "run 0"])
    before, owned = lmp.get_thermo("etotal"), owners(lmp)
    lmp.command(f"run {STEPS}")
    found = {
        "before": before,
        "after": lmp.get_thermo("etotal"),
        "positions": np.array(lmp.gather_atoms("x", 1, 3)).reshape(-1, 3),
        "velocities": np.array(lmp.gather_atoms("v", 1, 3)).reshape(-1, 3),
        "rebuilds": lmp.get_thermo("nbuild"),
        "moved": int((owned != owners(lmp)).sum()),
    }
    lmp.close()
    return found


def owners(lmp) -> np.ndarray:
    """Return the rank of each atom."""
    ranks, n = library.world(), lmp.get_natoms()
    mine = np.zeros(n, np.int64)
    mine[lmp.numpy.extract_atom("id")[: lmp.extract_global("nlocal")] - 1] = ranks.rank
    return ranks.allreduce(mine)


def hybrid(route: str) -> dict:
    """Return results of the pair style next to another one."""
    if route != "plugin":
        return {}
    lmp = start(SYSTEMS["triclinic"]())
    attach(lmp, random_potential(), ELEMENTS)
    lmp.commands_list(
        ["pair_style hybrid/overlay fastsf lj/cut 3.0", "pair_coeff * * fastsf H O S", "pair_coeff * * lj/cut 0.0 1.0"]
    )
    lmp.command("run 0")
    found = {"energy": lmp.get_thermo("pe"), "forces": np.array(lmp.gather_atoms("f", 1, 3)).reshape(-1, 3)}
    found["pressure"] = [lmp.get_thermo(f"p{k}") for k in ("xx", "yy", "zz", "xy", "xz", "yz")]
    lmp.close()
    return found


def errors(route: str) -> dict:
    """Return the messages of errors."""
    found = {
        "element": refused(route, ("H", "O", "Cu")),
        "number": refused(route, ("H", "O")),
        "units": refused(route, ELEMENTS, "lj"),
        "commands": refused(route, ELEMENTS, commands=("pair_modify shift yes", "kspace_style nothing")),
    }
    if route == "external" or library.world().size == 1:  # LAMMPS ends all ranks when one alone has an error
        broken = random_potential()
        broken.model.networks.offset[1] = np.nan
        found["broken"] = refused(route, ELEMENTS, potential=broken)
    found["special"] = refused(route, ELEMENTS, style="bond", commands=("special_bonds lj/coul 0.0 0.0 1.0",))
    found["coefficients"] = refused(route, ELEMENTS, commands=("pair_coeff * * 6.0",))
    if route == "plugin":
        found["pairs"] = refused(route, ELEMENTS, potential=pair_potential())
        found["newton"] = refused(route, ELEMENTS, extra=("newton off",))
        for name, line in (("arguments", "pair_style fastsf 3.0"), ("later element", "pair_coeff * * H O Cu")):
            found[name] = refused(route, ELEMENTS, commands=(line,))
    return found


def refused(route: str, elements, unit_style="metal", style="atomic", extra=(), commands=(), potential=None) -> str:
    lmp = start(SYSTEMS["triclinic"](), unit_style, style, extra)
    try:
        attachment = attach(lmp, potential or random_potential(), elements, route=route)
        for command in (*commands, "run 0"):
            attachment.command(command)
    except FastsfError as error:
        return str(error)
    finally:
        lmp.close()
    return "nothing was wrong"


CASES = (triclinic, small_cell, slab, real, pairs, dynamics, hybrid, errors)


def main(route: str, output: str) -> None:
    results = {case.__name__: case(route) for case in CASES}
    if library.world().rank == 0:
        Path(output).write_text(json.dumps(results, default=np.ndarray.tolist))


if __name__ == "__main__":
    main(*sys.argv[1:])
