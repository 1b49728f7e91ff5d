"""Energies and gradients of atoms, with symmetry functions and network in one pass, centre by centre.

Belongs here: fused kernels for dynamics. Their parts are in acsf and networks.
"""
