"""Potentials on disk: model files, and folders that RuNNer, n2p2 and LAMMPS read.

Belongs here: files of whole potentials. Single files of a folder are in io.n2p2.
"""
