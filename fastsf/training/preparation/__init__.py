"""Prepared data: from a configuration to data sets, scaled symmetry functions and networks to start from.

Belongs here: everything that all seeds of a run share, computed once. Epochs and files are in training.run.
"""
