"""Derivatives of scaled symmetry functions as dense blocks, one for each moved atom and each centre that feels it.

Training multiplies them with matrices of the networks, so the columns of a centre are contiguous, images of an
atom are folded onto it, and every moved atom has room for the same number K of centres. A centre is an atom or a pair;
the atom from which its vectors start, centers[row], moves it against all others.
"""

from fastsf.kernels._jit import njit


@njit
def count_centers(start, atom, centers, rows, first, counts, seen):
    """Count the centres among `rows` that each atom of a structure moves, into counts (n,).

    The atoms of the structure are first ... first + n - 1; seen (n,) int64 is scratch.
    """
    seen[:] = -1
    for c in range(len(rows)):
        own = centers[rows[c]] - first
        seen[own] = c
        counts[own] += 1
        for entry in range(start[rows[c]], start[rows[c] + 1]):
            moved = atom[entry] - first
            if seen[moved] != c:
                seen[moved] = c
                counts[moved] += 1


@njit
def fill_blocks(jacobian, centers, rows, first, factor, scratch, index, blocks):
    """Write the blocks dX/dR (n, K, 3, s) of the centres index (n, K), which counts within `rows`.

    Unused blocks keep their zeros and the centre 0. jacobian is (start, column, atom, data);
    scratch (3, n) int64 must be zero.
    """
    start, column, atom, data = jacobian
    seen, position, filled = scratch[0], scratch[1], scratch[2]
    for c in range(len(rows)):
        own = centers[rows[c]] - first
        for entry in range(start[rows[c]] - 1, start[rows[c] + 1]):  # before its entries, the centre itself
            moved = own if entry < start[rows[c]] else atom[entry] - first
            if seen[moved] != c + 1:
                seen[moved] = c + 1
                position[moved] = filled[moved]
                filled[moved] += 1
                index[moved, position[moved]] = c
            if entry >= start[rows[c]]:
                s = column[entry]
                for x in range(3):
                    change = data[entry, x] * factor[s]
                    blocks[moved, position[moved], x, s] += change
                    blocks[own, position[own], x, s] -= change


@njit
def push_forward(gradient, index, blocks, sums, out):
    """Write sums of blocks (n, K, d, s) times the rows index (n, K) of gradient into out (n, d).

    sums (d, s) is scratch: with one sum per column the loop is one of vectors.
    """
    n, width, directions, columns = blocks.shape
    for a in range(n):
        sums[:] = 0.0
        for k in range(width):
            row = index[a, k]
            for x in range(directions):
                for s in range(columns):
                    sums[x, s] += blocks[a, k, x, s] * gradient[row, s]
        for x in range(directions):
            total = 0.0
            for s in range(columns):
                total += sums[x, s]
            out[a, x] = total


@njit
def pull_back(cotangent, index, blocks, out):
    """Add the sums over atoms and directions of cotangent (n, d) times blocks (n, K, d, s) to the rows index of out."""
    n, width, directions, columns = blocks.shape
    for a in range(n):
        for k in range(width):
            row = index[a, k]
            for x in range(directions):
                weight = cotangent[a, x]
                for s in range(columns):
                    out[row, s] += weight * blocks[a, k, x, s]
