"""Compiled kernels: arrays in, arrays out; they neither validate nor raise.

This package imports nothing of fastsf but itself: the compile cache is keyed by the source of these files alone.
"""

import numpy as np

REAL = np.float64
"""Precision of vectors, and of what is kept for neighbours and triplets; that of `single` is another one."""
