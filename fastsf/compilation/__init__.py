"""Compilation of kernels ahead of their first use, on all cores.

Belongs here: tasks, groups of them, processes. The cache itself is in fastsf.kernels._jit.
"""
