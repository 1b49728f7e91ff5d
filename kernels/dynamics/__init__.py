"""Many steps in one call: integrators, molecular dynamics, Monte Carlo, and the entry for LAMMPS.

Belongs here: loops over steps and engines. Formulas of energies are in energies.
"""
