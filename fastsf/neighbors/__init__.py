"""Neighbour lists of structures: the public function, and pairs for everything inside fastsf.

The search of pairs and lists that follow moving atoms belong here. Kernels of the search are in
fastsf.kernels.pairs.
"""
