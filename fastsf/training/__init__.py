"""Training of potentials on energies, forces and stresses.

Belongs here: config, objective, optimizers and run, in this order. Data sets are in datasets.
"""
