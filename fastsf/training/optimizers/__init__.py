"""Optimisers, one file each, and the registry of their names.

Belongs here: steps of parameters. They know nothing of files, data or potentials.
"""
