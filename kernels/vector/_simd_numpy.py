"""The vector functions of `simd` on NumPy arrays, for runs without the JIT."""

import numpy as np

from .. import REAL

LANES = 64 // np.dtype(REAL).itemsize
MANTISSA_BITS = np.finfo(REAL).nmant
HAS_AVX512 = True  # as far as `pack` goes
_INDEX = np.arange(LANES)
_INT = np.dtype(f"i{np.dtype(REAL).itemsize}")


def _real(lanes):
    """Return numbers in the precision of vectors."""
    return np.asarray(lanes, REAL)


def load(array, start):
    return _whole(array[start : start + LANES]).astype(REAL)


def load_one(array, index):
    _check(array, index)
    return array[index]


def store_one(array, index, number):
    _check(array, index)
    array[index] = number


def _check(array, index):
    if not 0 <= index < len(array):
        raise IndexError("access beyond the end of the array")


def _whole(lanes):
    if len(lanes) != LANES:
        raise IndexError("vector access beyond the end of the array")
    return lanes


def store(array, start, vector):
    _whole(array[start : start + LANES])[:] = vector


def _part(array, start, size):
    target = array[start : start + size]
    if len(target) != size:
        raise IndexError("vector access beyond the end of the array")
    return target


def splat(number):
    return np.full(LANES, number, REAL)


def fma(a, b, c):
    return _real(_real(a) * b + c)


def sqrt(a):
    return np.sqrt(a)


def reciprocal(a):
    with np.errstate(divide="ignore"):
        return 1.0 / a


def inverse_sqrt(a):
    return 1.0 / np.sqrt(a)


def power(base, exponent):
    return _real(base**exponent)


def maximum(a, b):
    return _real(np.where(a > b, a, b))


def minimum(a, b):
    return _real(np.where(a < b, a, b))


def exp2_scale(vector, shifted):
    with np.errstate(over="ignore"):
        exponent = _real(shifted).view(_INT) << MANTISSA_BITS
        return (_real(vector).view(_INT) + exponent).view(REAL)


def flush_subnormals():
    return 0


def keep_subnormals(before):
    pass


def sum_lanes(a):
    a = np.asarray(a, np.float64)
    while len(a) > 1:
        half = len(a) // 2
        a = a[:half] + a[half:]
    return float(a[0])


def sum_lanes_of_four(a, b, c, d):
    return sum_lanes(a), sum_lanes(b), sum_lanes(c), sum_lanes(d)


def select(mask, a, b):
    return _real(np.where(mask, a, b))


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


def unpack(array, start, bits):
    mask = bits_mask(bits)
    lanes = np.zeros(LANES, REAL)
    lanes[mask] = array[start : start + int(mask.sum())]
    return lanes
