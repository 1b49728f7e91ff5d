"""Structures with labels: reading, splitting, reference energies, and checks before training.

Belongs here: data sets whatever they are for. Formats of single files are in io.
"""
