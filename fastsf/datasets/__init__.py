"""Data sets: structures with labels, their splits, reference energies and checks.

Belongs here: data sets for any purpose. Formats of single files are in io.
"""
