"""Formats of structures of other programs: LAMMPS, i-PI, VASP, and the recognition of formats.

Belongs here: one file per format, called by io.structures. The formats of fastsf's own files and input.data are in io.
"""
