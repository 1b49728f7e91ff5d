"""The vector functions of `simd` on NumPy arrays of eight numbers, for runs without the JIT."""

import numpy as np

LANES = 8
_INDEX = np.arange(LANES)


def load(array, start):
    return _whole(array[start : start + LANES]).copy()


def load_one(array, index):
    _check(array, index)
    return array[index]


def store_one(array, index, number):
    _check(array, index)
    array[index] = number


def _check(array, index):
    if not 0 <= index < len(array):
        raise IndexError("access beyond the end of the array")


def gather(array, offset, index, start):
    return array[offset + _whole(index[start : start + LANES])]


def equal_lanes(array, start, number):
    return _whole(array[start : start + LANES]) == number


def _whole(lanes):
    if len(lanes) != LANES:
        raise IndexError("vector access beyond the end of the array")
    return lanes


def store(array, start, vector):
    _whole(array[start : start + LANES])[:] = vector


def store_xyz(array, start, x, y, z):
    target = array[start : start + 3 * LANES]
    if len(target) != 3 * LANES:
        raise IndexError("vector access beyond the end of the array")
    target[:] = np.stack([x, y, z], axis=1).ravel()


def store_compressed_int(source, start, mask, target, offset):
    lanes = _whole(source[start : start + LANES])
    _whole(target[offset : offset + LANES])[:] = np.concatenate([lanes[mask], lanes[~mask]])


def store_compressed_index(first, mask, target, offset):
    lanes = first + _INDEX
    _whole(target[offset : offset + LANES])[:] = np.concatenate([lanes[mask], lanes[~mask]])


def store_first(array, start, vector, count):
    _part(array, start, min(count, LANES))[:] = vector[:count]


def store_xyz_first(array, start, x, y, z, count):
    target = _part(array, start, 3 * min(count, LANES))
    target[:] = np.stack([x, y, z], axis=1)[:count].ravel()


def fill_ints(array, start, number):
    _whole(array[start : start + LANES])[:] = number


def copy_ints(source, start, target, offset):
    _whole(target[offset : offset + LANES])[:] = _whole(source[start : start + LANES])


def fill_first(array, start, number, count):
    _part(array, start, min(count, LANES))[:] = number


def prefetch_for_writing(array, index):
    pass


def _part(array, start, size):
    target = array[start : start + size]
    if len(target) != size:
        raise IndexError("vector access beyond the end of the array")
    return target


def splat(number):
    return np.full(LANES, float(number))


def fma(a, b, c):
    return a * b + c


def sqrt(a):
    return np.sqrt(a)


def reciprocal(a):
    with np.errstate(divide="ignore"):
        return 1.0 / a


def inverse_sqrt(a):
    return 1.0 / np.sqrt(a)


def power(base, exponent):
    return base**exponent


def maximum(a, b):
    return np.where(a > b, a, b)


def minimum(a, b):
    return np.where(a < b, a, b)


def exp2_scale(vector, shifted):
    with np.errstate(over="ignore"):
        return (vector.view(np.int64) + (shifted.view(np.int64) << 52)).view(np.float64)


def sum_lanes(a):
    while len(a) > 1:
        half = len(a) // 2
        a = a[:half] + a[half:]
    return float(a[0])


def sum_lanes_of_four(a, b, c, d):
    return sum_lanes(a), sum_lanes(b), sum_lanes(c), sum_lanes(d)


def select(mask, a, b):
    return np.where(mask, a, b)


def first_lanes(count):
    return count > _INDEX


def from_lane(first):
    return first <= _INDEX


def any_lane(mask):
    return bool(mask.any())


def count_lanes(mask):
    return int(mask.sum())


def compress(vector, mask):
    return np.concatenate([vector[mask], vector[~mask]])


def mask_bits(mask):
    return int((mask << _INDEX).sum())


def bits_mask(bits):
    return (bits >> _INDEX) & 1 == 1


pack = compress
packed_lanes = count_lanes


def unpack(array, start, bits):
    mask = bits_mask(bits)
    lanes = np.zeros(LANES)
    lanes[mask] = array[start : start + int(mask.sum())]
    return lanes
