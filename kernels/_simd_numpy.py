"""The vector functions of `simd` on NumPy arrays of eight numbers, for runs without the JIT."""

import numpy as np

LANES = 8
HAS_AVX512 = True  # as far as `pack` goes
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


def _part(array, start, size):
    target = array[start : start + size]
    if len(target) != size:
        raise IndexError("vector access beyond the end of the array")
    return target


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


def pack(vector, mask):
    return np.concatenate([vector[mask], vector[~mask]])


def mask_bits(mask):
    return int((mask << _INDEX).sum())


def bits_mask(bits):
    return (bits >> _INDEX) & 1 == 1


packed_lanes = count_lanes


def list_lanes(array, start, first, bits):
    target = _whole(array[start : start + LANES])
    lanes = first + _INDEX[bits_mask(bits)]
    target[: len(lanes)] = lanes


def transpose(source, start, target, offset):
    rows = [load(source, start + LANES * row) for row in range(LANES)]
    for column, vector in enumerate(np.transpose(rows)):
        store(target, offset + LANES * column, vector)


def unpack(array, start, bits):
    mask = bits_mask(bits)
    lanes = np.zeros(LANES)
    lanes[mask] = array[start : start + int(mask.sum())]
    return lanes
