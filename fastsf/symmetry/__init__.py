"""What a symmetry function is: atom- and pair-centred functions as data, and named sets of them.

Belongs here: parameters, checks, labels, plain dictionaries, recipes. Numbers are worked out in descriptors, file
formats are in io.
"""
