"""Potentials on disk: model files, and folders that RuNNer, n2p2 and LAMMPS read.

Belongs here: a potential as a whole. Single files of a folder are in io.n2p2.
"""
