"""Make the packaged data sets: python bench/make_data.py [FOLDER].

Needs the extra `data` (matscipy, tblite) and ten minutes on one core. Every random number comes from a
seed written below, so that two runs on one machine give identical files. Molecular dynamics is chaotic:
another processor or another version of a library gives other structures of the same kind, each with labels
that are right for its positions.
"""

import gzip
import io
import os
import sys
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms, units
from ase.build import bulk, diamond100, diamond111, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.langevin import Langevin
from ase.optimize import BFGS, FIRE

Group = tuple[str, list[Atoms]]

LATTICE = 5.431  # Å, diamond silicon; also the Stillinger-Weber minimum to 1e-4 Å
LIQUID_DENSITY = 2.53  # g/cm^3, silicon at its melting point
MAX_FORCE = 25.0  # eV/Å; a structure beyond it is a mistake in this script
VACUUM = 6.0  # Å, more than the range of the Stillinger-Weber potential


def stillinger_weber():
    """Silicon as published in 1985."""
    from matscipy.calculators.manybody import Manybody
    from matscipy.calculators.manybody.explicit_forms import stillinger_weber as form

    return Manybody(**form.StillingerWeber(form.Stillinger_Weber_PRB_31_5262_Si))


def gfn2(accuracy=1.0):
    """GFN2-xTB; an accuracy of 0.01 makes the label independent of where the charges started."""
    from tblite.ase import TBLite

    return TBLite(method="GFN2-xTB", accuracy=accuracy, verbosity=0)


def snapshots(start, reference, temperature, count, seed, *, timestep, warmup, spacing, friction=0.02):
    """Structures of one Langevin trajectory: fs, 1/fs, K; one every `spacing` steps after `warmup` steps."""
    rng = np.random.default_rng(seed)
    atoms = start.copy()
    atoms.calc = reference()
    spread = np.sqrt(atoms.get_masses() * units.kB * temperature)[:, None]
    atoms.set_momenta(spread * rng.standard_normal((len(atoms), 3)))
    dynamics = Langevin(
        atoms,
        timestep * units.fs,
        temperature_K=temperature,
        friction=friction / units.fs,
        fixcm=False,
        rng=rng,
    )
    dynamics.run(warmup)
    frames = []
    for _ in range(count):
        dynamics.run(spacing)
        frames.append(atoms.copy())
    return frames


def relaxed(start, reference, optimizer=FIRE, fmax=0.05, steps=300):
    atoms = start.copy()
    atoms.calc = reference()
    optimizer(atoms, logfile=None).run(fmax=fmax, steps=steps)
    return atoms


def rattled(start, rng, displacement, strain=0.0):
    """Normal displacements of all atoms (Å), and a random symmetric strain of the cell."""
    atoms = start.copy()
    if strain:
        tensor = rng.uniform(-strain, strain, (3, 3))
        atoms.set_cell(atoms.cell @ (np.eye(3) + (tensor + tensor.T) / 2), scale_atoms=True)
    atoms.positions += rng.normal(0.0, displacement, atoms.positions.shape)
    return atoms


def si_md(start, temperature, count, seed, warmup=150, spacing=40):
    return snapshots(start, stillinger_weber, temperature, count, seed, timestep=2.0, warmup=warmup, spacing=spacing)


def si_crystals() -> list[Group]:
    rng = np.random.default_rng(1985)
    cubic, small = bulk("Si", a=LATTICE, cubic=True), bulk("Si", a=LATTICE) * 2
    large = cubic * 2
    volume = [bulk("Si", a=LATTICE * scale, cubic=True) for scale in np.linspace(0.90, 1.12, 12)]
    strained = [
        rattled(start, rng, displacement, strain=0.10)
        for start in (cubic, small)
        for displacement in np.linspace(0.0, 0.12, 12)
    ]
    shaken = [rattled(large, rng, displacement, strain=0.03) for displacement in np.linspace(0.02, 0.17, 16)]
    return [
        ("bulk-volume", volume),
        ("bulk-strained", strained),
        ("bulk-rattled", shaken),
        ("polymorph", si_polymorphs(rng)),
        *((f"bulk-md-{kelvin}K", si_md(large, kelvin, 8, 2000 + kelvin)) for kelvin in (300, 800, 1500)),
    ]


def si_polymorphs(rng):
    tin = Atoms("Si4", cell=np.diag([4.972, 4.972, 2.786]), pbc=True)
    tin.set_scaled_positions([[0, 0, 0], [0, 0.5, 0.25], [0.5, 0.5, 0.5], [0.5, 0, 0.75]])
    phases = (  # each near its own Stillinger-Weber minimum
        bulk("SiSi", "wurtzite", a=3.84, c=6.27) * (2, 1, 1),
        tin * (1, 1, 2),
        bulk("Si", "sc", a=2.612) * 2,
        bulk("Si", "bcc", a=3.245, cubic=True) * (2, 2, 1),
        bulk("Si", "fcc", a=4.147, cubic=True) * (2, 1, 1),
    )
    frames = []
    for phase in phases:
        for scale in (0.98, 1.0, 1.04):
            atoms = phase.copy()
            atoms.set_cell(atoms.cell * scale, scale_atoms=True)
            frames.append(rattled(atoms, rng, 0.04, strain=0.03))
    return frames


def si_defects() -> list[Group]:
    host = bulk("Si", a=LATTICE, cubic=True) * 2
    vacancy, divacancy = host.copy(), host.copy()
    del vacancy[0]
    nearest = int(np.argsort(host.get_distances(0, range(len(host)), mic=True))[1])
    del divacancy[[0, nearest]]
    skew = bulk("Si", a=LATTICE) * 3
    tetrahedral, hexagonal, dumbbell = skew.copy(), skew.copy(), skew.copy()
    tetrahedral.append("Si")
    tetrahedral.positions[-1] = np.full(3, LATTICE / 2)
    hexagonal.append("Si")
    hexagonal.positions[-1] = np.full(3, LATTICE * 5 / 8)
    half = np.array([0.85, 0.85, 0.0])  # Å, half the vector between the two atoms on one site
    dumbbell.append("Si")
    dumbbell.positions[-1] = dumbbell.positions[0] - half
    dumbbell.positions[0] += half
    groups = []
    for name, starts in (
        ("vacancy", (vacancy, divacancy)),
        ("interstitial", (tetrahedral, hexagonal, dumbbell)),
    ):
        frames = []
        for index, start in enumerate(starts):
            rest = relaxed(start, stillinger_weber)
            for kelvin in (300, 1000):
                frames += si_md(rest, kelvin, 3, 10 * kelvin + len(start) + index)
        groups.append((name, frames))
    return groups


def si_surfaces() -> list[Group]:
    frames = []
    for index, make in enumerate((diamond100, diamond111)):
        slab = make("Si", (2, 2, 8), a=LATTICE, vacuum=VACUUM)
        rng = np.random.default_rng(5000 + index)
        frames += [rattled(slab, rng, displacement) for displacement in np.linspace(0.02, 0.15, 4)]
        for kelvin in (300, 1000):
            frames += si_md(slab, kelvin, 4, 6000 + kelvin + index)
    return [("surface", frames)]


def si_disordered() -> list[Group]:
    crystal = bulk("Si", a=LATTICE, cubic=True) * 2
    volume = crystal.get_masses().sum() / (LIQUID_DENSITY * 1e-24 * units.kg * 1e-3)
    crystal.set_cell(np.eye(3) * volume ** (1 / 3), scale_atoms=True)
    molten = si_md(crystal, 5000, 1, 7001, warmup=500)[-1]
    hot = si_md(molten, 3000, 12, 7002, warmup=500)
    cool = si_md(hot[-1], 1800, 12, 7003, warmup=500)
    glass = si_md(cool[-1], 1000, 1, 7004, warmup=1000)[-1]
    return [
        ("liquid-3000K", hot),
        ("liquid-1800K", cool),
        ("quenched-600K", si_md(glass, 600, 8, 7005, warmup=500)),
    ]


def si_clusters() -> list[Group]:
    dimers = [Atoms("Si2", [[0, 0, 0], [0, 0, distance]]) for distance in np.linspace(1.9, 3.7, 10)]
    clusters = []
    for size in (3, 4, 5, 6, 7, 8):
        rng = np.random.default_rng(8000 + size)
        box = rattled(bulk("Si", a=LATTICE, cubic=True)[:size], rng, 0.2)
        box.pbc = False
        box.center(vacuum=VACUUM)
        for atoms in si_md(relaxed(box, stillinger_weber), 600, 2, 8100 + size):
            atoms.cell = None
            clusters.append(atoms)
    return [("dimer", dimers), ("cluster", clusters)]


def ethanol_starts():
    """The anti and the gauche minimum; atoms: methyl C, C, O, its H, two H, three methyl H."""
    anti = molecule("CH3CH2OH")
    gauche = anti.copy()
    gauche.set_dihedral(0, 1, 2, 3, 60, indices=[3])
    return tuple(relaxed(start, gfn2, BFGS, fmax=0.001) for start in (anti, gauche))


def ethanol_scans(anti) -> list[Group]:
    hydroxyl, methyl, bonds = [], [], []
    for angle in range(0, 181, 15):
        hydroxyl.append(anti.copy())
        hydroxyl[-1].set_dihedral(0, 1, 2, 3, angle, indices=[3])
    for angle in range(10, 61, 10):
        methyl.append(anti.copy())
        methyl[-1].rotate_dihedral(2, 1, 0, 6, angle, indices=[6, 7, 8])
    for fixed, moving, rest in ((2, 3, [3]), (1, 2, [2, 3]), (1, 0, [0, 6, 7, 8])):
        for scale in (0.85, 0.90, 0.95, 1.10, 1.20, 1.35):
            atoms = anti.copy()
            atoms.positions[rest] += (scale - 1) * (atoms.positions[moving] - atoms.positions[fixed])
            bonds.append(atoms)
    return [("scan-hydroxyl", hydroxyl), ("scan-methyl", methyl), ("scan-bond", bonds)]


def ethanol() -> list[Group]:
    anti, gauche = ethanol_starts()
    groups = []
    for kelvin in (300, 600, 900):
        frames = []
        for index, start in enumerate((anti, gauche)):
            frames += snapshots(start, gfn2, kelvin, 75, 9000 + kelvin + index, timestep=0.5, warmup=1000, spacing=200)
        groups.append((f"md-{kelvin}K", frames))
    rng = np.random.default_rng(9999)
    shaken = [rattled(start, rng, size) for start in (anti, gauche) for size in (0.04, 0.06, 0.08) for _ in range(2)]
    return [*groups, *ethanol_scans(anti), ("rattled", shaken)]


def silicon() -> list[Group]:
    return [*si_crystals(), *si_defects(), *si_surfaces(), *si_disordered(), *si_clusters()]


def rounded(frame):
    """The structure exactly as it will be read back: the labels must belong to these numbers."""
    atoms = Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=frame.pbc)
    if atoms.pbc.any():
        atoms.wrap()
    else:
        atoms.positions -= atoms.get_center_of_mass()
    atoms.set_cell(np.round(atoms.cell, 6) + 0.0)
    atoms.positions = np.round(atoms.positions, 6) + 0.0  # + 0.0: no minus zeros
    return atoms


def label(frame, reference, method, group):
    """Round a structure, compute its energy, forces and, where all directions repeat, stress."""
    atoms = rounded(frame)
    work = atoms.copy()
    if method == "Stillinger-Weber" and not work.pbc.any():
        work.center(vacuum=VACUUM)  # matscipy's neighbour list wants a cell
    work.calc = reference()
    results = {
        "energy": round(float(work.get_potential_energy()), 8),
        "forces": np.round(work.get_forces(), 6) + 0.0,
    }
    if atoms.pbc.all():
        results["stress"] = np.round(work.get_stress(), 9) + 0.0
    largest = np.abs(results["forces"]).max()
    if not largest < MAX_FORCE:
        raise SystemExit(f"{group}: a force of {largest:.1f} eV/Å")
    atoms.info.update(group=group, method=method)
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def write(path, frames):
    """Extended XYZ, compressed without a time stamp or a file name: same frames, same bytes."""
    text = io.StringIO()
    ase.io.write(text, frames, format="extxyz")
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed:
        packed.write(text.getvalue().encode())
    print(f"{path}: {len(frames)} structures, {path.stat().st_size / 1e3:.0f} kB")


def main(folder):
    os.environ["OMP_NUM_THREADS"] = "1"  # sums over threads would differ in the last digit from run to run
    for name, groups, reference, method in (
        ("silicon", silicon, stillinger_weber, "Stillinger-Weber"),
        ("ethanol", ethanol, lambda: gfn2(accuracy=0.01), "GFN2-xTB"),
    ):
        frames = [label(atoms, reference, method, group) for group, members in groups() for atoms in members]
        write(folder / f"{name}.extxyz.gz", frames)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "fastsf" / "data")
