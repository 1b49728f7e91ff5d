"""Atom-centred symmetry functions: cutoffs, factors, and the loops for values, vjp, jvp and Jacobian.

Belongs here: formulas of one centre and its neighbours. Networks are in networks, both in one pass in energies.
"""
