"""From gradients of pair vectors to gradients of positions.

With g_p = dE/dr_p and r_p = r_j - r_i, the gradient at atom i is -sum_p g_p over its own pairs plus the g of the
reverse pairs; every atom gathers its own sum, so that nothing is shared between threads.
"""

from fastsf.kernels._jit import njit
from fastsf.kernels.sharing import ALONE, share_out


@njit
def gather_range(start, reverse, g, sums, begin, end, workers, gradient):
    """Write gradients with respect to the positions (n, 3) of the atoms begin ... end - 1.

    The rows of sums (n, SUMS) start with sum_p g_p.
    """
    if workers != ALONE:
        share_out(workers, (start, reverse, g, sums), begin, end, (gradient,))
        return
    for i in range(begin, end):
        x, y, z = -sums[i, 0], -sums[i, 1], -sums[i, 2]
        for p in range(start[i], start[i + 1]):
            q = reverse[p]
            x += g[q, 0]
            y += g[q, 1]
            z += g[q, 2]
        gradient[i, 0], gradient[i, 1], gradient[i, 2] = x, y, z
