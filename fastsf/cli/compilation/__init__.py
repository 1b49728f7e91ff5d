"""Compilation of kernels ahead of their first use, by several processes.

Belongs here: groups of tasks, the processes, and a task for every kernel that Python calls.
The cache of compiled kernels is in fastsf.kernels._jit.
"""
