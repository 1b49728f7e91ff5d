"""Files that are whole after a kill, a full disk or a crash at any time.

Belongs here: atomic replacement, growing files, transactions, states without pickles, Ctrl-C. File formats with a
meaning are in io, simulation and featurize.
"""
