"""From symmetry functions to energies, forces and stresses: networks, evaluation, committees, the calculator.

Belongs here: what knows a model and one structure. Data sets are in prediction, training and featurize.
"""
