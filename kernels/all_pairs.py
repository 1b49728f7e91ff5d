"""All pairs of a few atoms that nothing repeats: for molecules, quicker than sorting into bins."""

from fastsf.kernels._jit import njit


@njit
def find_pairs(positions, cutoff, cursor, start, neighbor, vector, reverse):
    """Find pairs closer than a cutoff, and the reverse of each; returns their number.

    Parameters
    ----------
    positions : (n, 3) float64
        Å.
    cutoff : float
        Å.
    cursor : (n,) int64
        Scratch.
    start : (n + 1,) int64
        Pairs of atom i are start[i] to start[i + 1].
    neighbor, reverse : (n * (n - 1),) int64
        The other atom, and the index of the pair (j, i).
    vector : (n * (n - 1), 3) float64
        r_j - r_i.
    """
    n, total, limit = len(positions), 0, cutoff * cutoff
    start[0] = 0
    for i in range(n):
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        for j in range(n):
            if j == i:
                cursor[i] = total  # from here on, in order, come the reverses of the later atoms' pairs with i
                continue
            dx, dy, dz = positions[j, 0] - x, positions[j, 1] - y, positions[j, 2] - z
            if dx * dx + dy * dy + dz * dz < limit:
                neighbor[total] = j
                vector[total, 0], vector[total, 1], vector[total, 2] = dx, dy, dz
                if j < i:
                    other = cursor[j]
                    cursor[j] += 1
                    reverse[total], reverse[other] = other, total
                total += 1
        start[i + 1] = total
    return total
