"""Symmetry functions as data: atom- and pair-centred functions, and named sets of them.

Parameters, checks, labels, plain dictionaries and recipes belong here. Values are computed in
descriptors; file formats are in io.
"""
