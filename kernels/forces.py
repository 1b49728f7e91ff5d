"""From gradients of pair vectors to gradients of positions and to virials.

With g_p = dE/dr_p and r_p = r_j - r_i, the gradient at atom i is -sum_p g_p over its own pairs plus the g of the
reverse pairs; every atom gathers its own sum, so that nothing is shared between threads.
"""

from numba import prange

from fastsf.kernels._jit import njit


@njit
def gather_range(start, reverse, vector, g, begin, end, gradient, virial):
    """Position gradients (n, 3) and virials sum_p r_p (x) g_p (n, 3, 3) of the atoms begin ... end - 1."""
    for i in range(begin, end):
        gradient[i, :] = 0.0
        virial[i, :, :] = 0.0
        for p in range(start[i], start[i + 1]):
            q = reverse[p]
            for a in range(3):
                gradient[i, a] += g[q, a] - g[p, a]
                for b in range(3):
                    virial[i, a, b] += vector[p, a] * g[p, b]


@njit(parallel=True)
def gather(start, reverse, vector, g, parts, gradient, virial):
    """`gather_range` over all atoms, in `parts` blocks shared among the threads."""
    n = len(start) - 1
    for part in prange(parts):
        gather_range(start, reverse, vector, g, part * n // parts, (part + 1) * n // parts, gradient, virial)
