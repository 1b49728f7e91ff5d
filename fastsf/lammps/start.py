"""A data file and an input to start from."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fastsf.errors import InputError, StorageError, StructureError
from fastsf.potentials.potential import Potential
from fastsf.storage.atomic import make_folder, write_atomically
from fastsf.structure import Structure

if TYPE_CHECKING:
    from ase import Atoms

DATA, INPUT = "start.data", "in.lammps"
_TITLE = "# written by fastsf; units metal; boundary {boundary}"
_VACUUM = 10.0
"""Vacuum in Å around structures without a cell; the walls of such a box follow the atoms."""

_TEXT = """\
# Molecular dynamics with a neural network potential.
#
#     fastsf lammps run {input} --model MODEL
#     mpirun -n 4 fastsf lammps run {input} --model MODEL

units           metal           # Å, eV, ps, bar; "real" works too
atom_style      atomic
boundary        {boundary}
read_data       {data}

pair_style      fastsf
pair_coeff      * * {elements}

neighbor        1.0 bin         # Å beyond the cutoff
{velocities}
timestep        {timestep}          # ps
fix             1 all nvt temp {kelvin} {kelvin} {damping}

thermo          100
thermo_style    custom step time temp pe ke etotal press density
dump            1 all custom 100 trajectory.lammpstrj id element xu yu zu vx vy vz fx fy fz
dump_modify     1 element {elements} sort id

run             {steps}
write_data      end.data
"""


def write_start(
    potential: Potential,
    atoms: Atoms,
    folder: Path,
    *,
    kelvin: float = 300.0,
    femtoseconds: float = 0.5,
    steps: int = 1000,
    seed: int = 1,
    overwrite: bool = False,
) -> list[Path]:
    """Write a data file and an input with which LAMMPS moves a structure.

    Parameters
    ----------
    potential : Potential
        Potential that must have the elements of the structure.
    atoms : ase.Atoms
        First structure, with its velocities if it has any.
    folder : Path
        Folder for the files; made if it does not exist.
    kelvin, femtoseconds : float
        Temperature in K and time step in fs.
    steps, seed : int
        Number of steps, and seed of the velocities if they are drawn.
    overwrite : bool
        Replace existing files.

    Returns
    -------
    list of Path
        Paths of data file and input.

    Raises
    ------
    InputError
        For a temperature or a time step that is not positive.
    StructureError
        For elements that the potential does not have, atoms of an element with different masses, and structures
        that cannot be used.
    StorageError
        If a file cannot be written or exists already.
    """
    for name, value in (("temperature", kelvin), ("time step", femtoseconds)):
        if not 0 < value < float("inf"):
            raise InputError(f"expected a positive {name}, found {value}")
    potential.descriptor.species_of(Structure.from_atoms(atoms).numbers)
    if not len(atoms):
        raise StructureError("expected a structure with atoms, found none")
    data, elements = _data(atoms, potential)
    velocities = f"velocity        all create {kelvin:g} {seed} dist gaussian loop all\n"
    text = _TEXT.format(
        input=INPUT,
        data=DATA,
        boundary=_boundary(atoms),
        elements=" ".join(elements),
        velocities="" if atoms.has("momenta") else velocities,
        timestep=f"{femtoseconds / 1000:g}",
        damping=f"{0.1 * femtoseconds:g}",
        kelvin=f"{kelvin:g}",
        steps=steps,
    )
    make_folder(folder)
    written = {folder / DATA: data, folder / INPUT: text}
    for path in written:
        if path.exists() and not overwrite:
            raise StorageError(f"{path} exists already; --overwrite replaces it")
    for path, content in written.items():
        write_atomically(path, partial(_write, content))
    return list(written)


def _write(content: str, file: IO[bytes]) -> None:
    file.write(content.encode())


def _data(atoms: Atoms, potential: Potential) -> tuple[str, list[str]]:
    """Return the text of the data file and the elements of its types."""
    from ase.data import atomic_numbers
    from ase.io.lammpsdata import write_lammps_data

    boxed = atoms.copy()
    free = [axis for axis in range(3) if not boxed.cell[axis].any()]
    if free:
        boxed.center(vacuum=_VACUUM, axis=free)
    present = set(boxed.get_chemical_symbols())
    elements = [symbol for symbol in potential.elements if symbol in present]
    for symbol in elements:
        masses = sorted(set(boxed.get_masses()[boxed.numbers == atomic_numbers[symbol]].tolist()))
        if len(masses) > 1:
            raise StructureError(
                f"expected one mass of all atoms of {symbol}, which are one type in LAMMPS; found {masses[0]:g} and "
                f"{masses[-1]:g}: give them the same mass, or use fastsf md"
            )
    file = io.StringIO()
    velocities = boxed.has("momenta")
    write_lammps_data(file, boxed, specorder=elements, masses=True, velocities=velocities)  # metal, atomic
    _, _, lines = file.getvalue().partition("\n")
    return f"{_TITLE.format(boundary=_boundary(atoms))}\n{lines}", elements


def _boundary(atoms: Atoms) -> str:
    return " ".join("p" if periodic else "s" for periodic in atoms.pbc)
