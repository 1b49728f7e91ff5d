"""Neighbour lists of structures: the public function, and pairs for everything inside fastsf.

Belongs here: searching pairs and keeping lists. Kernels of the search are in fastsf.kernels.pairs.
"""
