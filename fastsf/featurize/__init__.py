"""Featurization of data sets: structures in, one HDF5 file of symmetry functions out, resumable.

Belongs here: the run, its chunks, the layout, writer and reader of feature files. Descriptors are in descriptors.
"""
