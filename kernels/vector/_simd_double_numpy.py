"""The functions of `simd_double` on NumPy arrays, for runs without the JIT."""

import numpy as np

from fastsf.kernels.vector._simd_numpy import _INDEX, LANES, _part, _whole, bits_mask, load, store


def equal_lanes(array, start, number):
    return _whole(array[start : start + LANES]) == number


def store_xyz(array, start, x, y, z):
    target = array[start : start + 3 * LANES]
    if len(target) != 3 * LANES:
        raise IndexError("vector access beyond the end of the array")
    target[:] = np.stack([x, y, z], axis=1).ravel()


def store_first(array, start, vector, count):
    _part(array, start, min(count, LANES))[:] = vector[:count]


def fill_ints(array, start, number):
    _whole(array[start : start + LANES])[:] = number


def copy_ints(source, start, target, offset):
    _whole(target[offset : offset + LANES])[:] = _whole(source[start : start + LANES])


def fill_first(array, start, number, count):
    _part(array, start, min(count, LANES))[:] = number


def prefetch_for_writing(array, index):
    pass


def store_narrow(array, start, vector):
    _whole(array[start : start + LANES])[:] = np.clip(vector, -1e15, 1e15)


def close_bits(array, size, start, x, y, z, limit):
    lanes = [array[k * size + start : k * size + start + 2 * LANES] for k in range(3)]
    if len(lanes[2]) != 2 * LANES:
        raise IndexError("vector access beyond the end of the array")
    with np.errstate(all="ignore"):  # behind the last point stands anything
        dx, dy, dz = lanes[0] - x, lanes[1] - y, lanes[2] - z
        close = dx * dx + dy * dy + dz * dz < np.float32(limit)
    return int((close << np.arange(2 * LANES)).sum())


def count_bits(bits):
    return bits.bit_count()


def store_chosen(source, start, bits, target, offset):
    chosen = source[start : start + 2 * LANES][(bits >> np.arange(2 * LANES)) & 1 == 1]
    _part(target, offset, 2 * LANES)[: len(chosen)] = chosen


def store_folded(array, start, vector):
    _part(array, start, 3)[:] = (vector[:4] + vector[4:])[:3]


def squared_folded(array, index, start, vector):
    rows = np.array([load(array, LANES * row) for row in _whole(index[start : start + LANES])]) - vector
    x, y, z, _ = (rows[:, :4] + rows[:, 4:]).T
    return x * x + y * y + z * z


def three_lanes(x, y, z):
    return np.array([x, y, z, 0.0, 0.0, 0.0, 0.0, 0.0])


def lane_numbers():
    return _INDEX.astype(np.float64)


def list_lanes(array, start, first, bits):
    target = _whole(array[start : start + LANES])
    lanes = first + _INDEX[bits_mask(bits)]
    target[: len(lanes)] = lanes


def transpose(source, start, target, offset):
    rows = [load(source, start + LANES * row) for row in range(LANES)]
    for column, vector in enumerate(np.transpose(rows)):
        store(target, offset + LANES * column, vector)
