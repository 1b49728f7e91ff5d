"""Second instance of the kernels of this folder, for vectors of sixteen float32.

Modules of this package (`fastsf.kernels.single.energies`) are made from the same files. What they import relatively
is in the precision of their own package; what they import from `fastsf.kernels` is the same for both.
"""

import numpy as np

from fastsf import kernels

REAL = np.float32
__path__ = kernels.__path__
