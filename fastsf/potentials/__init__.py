"""Potentials: from symmetry functions to energies, forces and stresses.

Belongs here: what knows a model and one structure. Data sets are in prediction, training and featurize.
"""
