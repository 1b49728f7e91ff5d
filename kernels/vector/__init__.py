"""Vectors of eight float64 (or sixteen float32) lanes as one value inside kernels, and functions of them.

Belongs here: arithmetic, memory access and elementary functions of vectors. Nothing of chemistry.
"""
