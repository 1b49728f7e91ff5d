"""Networks of elements: activation functions, energies, gradients, and products that training needs.

Belongs here: what takes symmetry functions as numbers. Nothing here knows positions.
"""
