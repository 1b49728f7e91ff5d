"""Time and peak memory of `fastsf featurize` on silicon cells, against the bare kernels on the same cells.

    python bench/bench_featurize.py                       1,000,000 atoms (some minutes, 1 GB of disk)
    python bench/bench_featurize.py --atoms 50000         a quick look

Each measurement is a process of its own, so that peak memory is its own too; both use the same numbers of
threads and the same chunks. The featurizer reads, computes and writes; the bare kernels get their structures
ready made and throw their results away. A tenth of the data shows whether memory grows.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def main() -> None:
    options = parse()
    if options.kernels is not None:
        print(json.dumps(bare_kernels(options)))
        return
    if options.featurize is not None:
        print(json.dumps(featurizer(options)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        report(options, Path(folder))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=2, help="cells of 8 atoms along each axis")
    parser.add_argument("--recipe", default="imbalzano2018")
    parser.add_argument("--cutoff", type=float, default=6.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--derivatives", action="store_true")
    parser.add_argument("--folder", help="where to put the temporary files")
    parser.add_argument("--kernels", help=argparse.SUPPRESS)
    parser.add_argument("--featurize", help=argparse.SUPPRESS)
    return parser.parse_args()


def report(options: argparse.Namespace, folder: Path) -> None:
    few, many = folder / "few.xyz", folder / "many.xyz"
    print(f"writing {options.atoms:,} atoms ...", flush=True)
    write_cells(few, options.atoms // 10, options.repeat, seed=1)
    write_cells(many, options.atoms, options.repeat, seed=2)
    run(options, "--kernels", few)  # compiles, warms the disk cache
    small = run(options, "--featurize", few)
    before = run(options, "--kernels", many)
    full = run(options, "--featurize", many)
    after = run(options, "--kernels", many)
    kernels = min(before["seconds"], after["seconds"])
    each = 1e6 / full["atoms"]
    print(f"recipe {options.recipe}, {options.cutoff:g} Å, {full['columns']} columns, threads {options.threads}")
    print(f"bare kernels   {kernels * each:8.2f} µs/atom")
    print(f"featurize      {full['seconds'] * each:8.2f} µs/atom   {full['bytes'] / 1e6:,.0f} MB written")
    print(f"  computing    {full['computing'] * each:8.2f} µs/atom")
    print(f"rate           {100 * kernels / full['seconds']:8.1f} % of the kernels'")
    print(f"peak memory    {full['peak']:8.0f} MB; with a tenth of the atoms {small['peak']:.0f} MB")


def run(options: argparse.Namespace, mode: str, path: Path) -> dict[str, float]:
    words = [sys.executable, __file__, mode, str(path), "--recipe", options.recipe]
    words += ["--cutoff", str(options.cutoff), "--threads", str(options.threads)]
    words += ["--derivatives"] if options.derivatives else []
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(options.threads), "OMP_NUM_THREADS": "1"}
    output = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output)


def write_cells(path: Path, n_atoms: int, repeat: int, seed: int) -> None:
    from ase.build import bulk

    rng = np.random.default_rng(seed)
    cell = bulk("Si", cubic=True) * (repeat, repeat, repeat)
    lattice = " ".join(f"{x:.8f}" for x in cell.cell.array.ravel())
    fixed = f'Lattice="{lattice}" Properties=species:S:1:pos:R:3:forces:R:3 pbc="T T T"'
    with path.open("w") as file:
        for _ in range(-(-n_atoms // len(cell))):
            rows = np.hstack(
                [cell.positions + rng.normal(0, 0.1, cell.positions.shape), rng.normal(size=(len(cell), 3))]
            )
            keys = f"{fixed} energy={rng.normal():.8f}"
            lines = [f"Si {x:16.8f} {y:16.8f} {z:16.8f} {a:16.8f} {b:16.8f} {c:16.8f}" for x, y, z, a, b, c in rows]
            file.write("\n".join([str(len(cell)), keys, *lines]) + "\n")


def descriptor(options: argparse.Namespace):
    from fastsf.descriptors.choose import descriptor_from_recipe

    return descriptor_from_recipe(options.recipe, ["Si"], options.cutoff, threads=options.threads)


def bare_kernels(options: argparse.Namespace) -> dict[str, float]:
    from fastsf.datasets.frames import FrameIndex, FrameReader, Input, Reading
    from fastsf.featurize.run import Options

    made, seconds, atoms = descriptor(options), 0.0, 0
    reader = FrameReader([Input.of(options.kernels)], made.elements, Reading())
    chunk_size = Options(derivatives=options.derivatives).chunk_size(made.centered_on)
    for chunk in reader.chunks(FrameIndex(), chunk_size):
        structures = [frame.structure for frame in chunk.frames]
        if not atoms:
            made.evaluate_batch(structures[:1], jacobian=options.derivatives)
        began = time.perf_counter()
        made.evaluate_batch(structures, jacobian=options.derivatives)
        seconds += time.perf_counter() - began
        atoms += chunk.atoms
    return {"seconds": seconds, "atoms": atoms}


def featurizer(options: argparse.Namespace) -> dict[str, float]:
    import fastsf.io.structures  # noqa: F401  starting Python is not what is measured
    from fastsf.featurize.run import Options, featurize

    made, output = descriptor(options), Path(options.featurize + ".h5")
    made.evaluate_batch([], jacobian=options.derivatives)
    summary = featurize([options.featurize], output, made, Options(derivatives=options.derivatives, scale=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    size = output.stat().st_size
    output.unlink()
    return {
        "seconds": summary.seconds,
        "computing": summary.kernel_seconds,
        "atoms": summary.atoms,
        "columns": made.n_features,
        "bytes": size,
        "peak": peak,
    }


if __name__ == "__main__":
    main()
