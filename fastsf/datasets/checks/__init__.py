"""Checks of data before training: duplicates, outliers, units, geometry.

Belongs here: one check a file, each of which returns findings. Nothing is changed.
"""
