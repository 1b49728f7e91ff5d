"""Images of atoms as far as a cutoff reaches beyond the cell, sorted by bins."""

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.pairs.cells import ALL, COUNT, FIRST, PAD, REACH
from fastsf.kernels.sharing import ALONE, share_out


@njit
def count_images(lattices, bins, first):
    """Count the images of all bins: fills `Search.first` (bins + 1,), from its second element on.

    Return a bound for the number of images near a bin.
    """
    cut, lower, upper = bins.cut, bins.lower, bins.upper
    for h in range(len(first)):
        first[h] = 0
    for s in range(len(lattices.cell)):
        for i in range(lattices.first[s], lattices.first[s + 1]):
            for a in range(lower[i, 0], upper[i, 0] + 1):
                for b in range(lower[i, 1], upper[i, 1] + 1):
                    for c in range(lower[i, 2], upper[i, 2] + 1):
                        first[_bin(bins, s, i, a, b, c) + 1] += 1
    for h in range(len(first) - 1):
        first[h + 1] += first[h]
    most_near = 0
    for s in range(len(lattices.cell)):
        most_near = max(most_near, _most_near(cut, first, s))
    return most_near


@kernel
def _most_near(cut, first, s):
    """Return a bound for the images near a bin: the columns that are reached, each as full as the fullest."""
    most, layers = 0, 2 * cut[s, REACH, 2] + 1
    end = cut[s + 1, FIRST, ALL]
    for h in range(cut[s, FIRST, ALL], end):
        most = max(most, first[min(h + layers, end)] - first[h])
    return min(most * (2 * cut[s, REACH, 0] + 1) * (2 * cut[s, REACH, 1] + 1), first[end] - first[cut[s, FIRST, ALL]])


@kernel
def _bin(bins, s, i, a, b, c):
    """Return the bin of the image of atom i that is a, b and c cells away."""
    cut, bin = bins.cut, bins.bin
    columns, layers = cut[s, COUNT, 1] + 2 * cut[s, PAD, 1], cut[s, COUNT, 2] + 2 * cut[s, PAD, 2]
    row = bin[i, 0] + a * cut[s, COUNT, 0]
    column = bin[i, 1] + b * cut[s, COUNT, 1]
    layer = bin[i, 2] + c * cut[s, COUNT, 2]
    return cut[s, FIRST, ALL] + (row * columns + column) * layers + layer


@njit
def sort_range(lattices, bins, search, begin, end, workers):
    """Put the images of the bins begin ... end - 1 in their order (a counting sort).

    Moves `first` of each bin to its end.
    """
    if workers != ALONE:
        share_out(workers, (lattices, bins, search), begin, end, ())
        return
    first, cut, lower, upper = search.first, bins.cut, bins.lower, bins.upper
    for s in range(len(lattices.cell)):
        before = cut[s, FIRST, ALL]
        if cut[s + 1, FIRST, ALL] <= begin or before >= end:
            continue
        bins_of_row = (cut[s, COUNT, 1] + 2 * cut[s, PAD, 1]) * (cut[s, COUNT, 2] + 2 * cut[s, PAD, 2])
        first_row, last_row = (begin - before) // bins_of_row, (end - 1 - before) // bins_of_row
        for i in range(lattices.first[s], lattices.first[s + 1]):
            for a in range(lower[i, 0], upper[i, 0] + 1):
                row = bins.bin[i, 0] + a * cut[s, COUNT, 0]
                if row < first_row or row > last_row:
                    continue
                for b in range(lower[i, 1], upper[i, 1] + 1):
                    for c in range(lower[i, 2], upper[i, 2] + 1):
                        h = _bin(bins, s, i, a, b, c)
                        if begin <= h and h < end:
                            _put(search, lattices, s, i, a, b, c, first[h])
                            first[h] += 1


@njit
def finish_sorting(search):
    """Move `first` back to where bins start, and count the images that have a shift."""
    first, moved, shift = search.first, search.moved, search.shift
    for h in range(len(first) - 1, 0, -1):
        first[h] = first[h - 1]
    first[0] = moved[0] = 0
    for e in range(len(search.atom)):
        moved[e + 1] = moved[e] + (shift[e, 0] != 0 or shift[e, 1] != 0 or shift[e, 2] != 0)


@kernel
def _put(search, lattices, s, i, a, b, c, e):
    """Write one image."""
    points, center, shift, basis = search.points, search.center, search.shift, lattices.basis
    stride = len(center) // 3
    search.atom[e] = i
    x = y = z = 0.0
    for k in range(3):
        steps = a * basis[s, 0, k] + b * basis[s, 1, k] + c * basis[s, 2, k]
        shift[e, k] = steps - lattices.wraps[i, k]
        points[8 * e + k] = lattices.wrapped[i, k]
        if steps != 0:
            x += steps * lattices.cell[s, k, 0]
            y += steps * lattices.cell[s, k, 1]
            z += steps * lattices.cell[s, k, 2]
    points[8 * e + 3], points[8 * e + 7] = 0.0, 0.0
    points[8 * e + 4], points[8 * e + 5], points[8 * e + 6] = x, y, z
    center[e] = points[8 * e] + x
    center[stride + e] = points[8 * e + 1] + y
    center[2 * stride + e] = points[8 * e + 2] + z
