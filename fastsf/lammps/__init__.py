"""Potentials in LAMMPS."""
