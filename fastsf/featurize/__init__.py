"""Featurization of data sets: from structures to one HDF5 file of symmetry functions, resumable.

Belongs here: the run, its chunks, the layout, writer and reader of feature files. Descriptors are in descriptors.
"""
