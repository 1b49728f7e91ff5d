"""Training of potentials on energies, forces and stresses.

Belongs here: the three stages config, preparation and run, and the tools objective and optimizers. Data
sets are in datasets, the command is in cli.
"""
