"""Pair-centred symmetry functions: what they add to the atom-centred ones, and the same four loops.

Belongs here: formulas of a pair and its neighbours. Factors of one centre are in acsf.
"""
