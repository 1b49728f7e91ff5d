"""From structures to symmetry functions: values, Jacobians, and products with derivatives.

Belongs here: ACSF, PCSF, packing of functions into tables, statistics of columns. What a function is: symmetry.
"""
