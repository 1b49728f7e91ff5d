"""From structures to symmetry functions: values, Jacobians, and products with derivatives.

ACSF, PCSF, the packing of functions into tables and statistics of columns belong here. The
functions as data are in symmetry.
"""
