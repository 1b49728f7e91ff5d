"""Formats of RuNNer and n2p2: keywords of input.nn, lines of symmetry functions, scaling.data, weights.

Belongs here: single files. A folder as a whole is a potential: potentials.files.
"""
