"""Neighbour pairs: cell lists, searches, lists that live on, and sums over pairs that become forces.

Belongs here: what knows positions and images. Symmetry functions are in acsf and pcsf.
"""
