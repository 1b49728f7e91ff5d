"""Gradients with respect to the pair vectors of one centre: where they are kept, and what triplets add to them.

The gradient of a scalar with respect to the pair vector r_k is along_k r_k + (x, y, z)_k. Blocks of neighbours
hold these four numbers one after the other. The gradients of several scalars are `gradient_size` numbers apart.
"""

from fastsf.kernels._jit import inline, kernel

from .. import REAL
from ..vector.simd import LANES, fma, load, load_one, splat, store, store_one, sum_lanes_of_four, unpack
from .environment import X, Y, Z, coordinate, lanes_of, near_block, segment
from .triplets import (
    ACROSS,
    ALONG_FIRST,
    ALONG_SECOND,
    COSINE,
    FAR_INVERSE,
    FAR_LOG_SLOPE,
    INVERSE_FIRST,
    INVERSE_SECOND,
    LOG_SLOPE_FIRST,
    LOG_SLOPE_SECOND,
    block_first,
    block_mask,
    block_offset,
    block_second,
)

ALONG, GX, GY, GZ = range(0, 4 * LANES, LANES)
_FIELDS = 4


@inline
def gradient_block(k):
    """Return the offset of the block that starts with neighbour k (a multiple of `LANES`)."""
    return k * _FIELDS


@inline
def gradient_lane(k):
    """Return the offset of the first number of neighbour k; the others follow at the distances above."""
    return k * _FIELDS - (k & (LANES - 1)) * (_FIELDS - 1)


@kernel
def gradient_size(env):
    """Return the length of the gradient of one scalar."""
    return lanes_of(env) * _FIELDS


@kernel
def clear(gradient, start, lanes):
    """Set the gradient of a scalar to zero."""
    for base in range(start, start + gradient_block(lanes), LANES):
        store(gradient, base, splat(0.0))


@inline
def add_to_block(gradient, base, along, gx, gy, gz):
    """Add to the gradients of a block of neighbours."""
    store(gradient, base + ALONG, load(gradient, base + ALONG) + along)
    store(gradient, base + GX, load(gradient, base + GX) + gx)
    store(gradient, base + GY, load(gradient, base + GY) + gy)
    store(gradient, base + GZ, load(gradient, base + GZ) + gz)


@kernel
def add_radial(env, gradient, start, slot, element, weight):
    """Add weight * dG/dr_p of a radial function, F'(r)/r along the pair's own vector, to the gradient at `start`."""
    first, lanes = segment(env, element)
    row = slot * lanes_of(env)
    for k in range(first, first + lanes, LANES):
        base = start + gradient_block(k) + ALONG
        store(gradient, base, fma(load(env.factor_slope, row + k), weight, load(gradient, base)))


@inline
def turn_and_stretch(
    value, eta_value, shift_value, slope, cosine, far_log_slope, far_inverse, inverse_j, inverse_k, shifted
):
    """Return the parts (turn, stretch, across) of the gradients of the pairs j and k; the last is the same for both.

    With T = A(cos) F(r_j) F(r_k) F(r_jk) and F'/F = envelope'/envelope - 2 eta (r - shift), summed over functions,
    from sums of T, -2 eta T, 2 eta shift T and of A' F F F::

        dT/dr_j = (along_j + along_jk) r_j + (across - along_jk) r_k
        along_j = T F'/(F r_j) - dT/dcos cos / r_j^2,   across = dT/dcos / (r_j r_k)
    """
    far = fma(value, far_log_slope, eta_value)
    if shifted:
        far = fma(shift_value, far_inverse, far)
    return slope * cosine, eta_value + far, fma(slope * inverse_j, inverse_k, -far)


@inline
def along_pair(value, shift_value, turn, stretch, log_slope, inverse):
    """Return the coefficient of the own vector of a pair, from its envelope'/(envelope r) and 1/r."""
    return fma(value, log_slope, fma(-fma(turn, inverse, -shift_value), inverse, stretch))


@inline
def resolve(array, scratch, b, group, value, eta_value, shift_value, slope):
    """Write the coefficients of the pair vectors for a vector of triplets into the scratch of their chunk."""
    inverse_j, inverse_k = load(scratch, INVERSE_FIRST + b), load(scratch, INVERSE_SECOND + b)
    cosine, log_slope, inverse = load(array, COSINE + b), load(array, FAR_LOG_SLOPE + b), load(array, FAR_INVERSE + b)
    turn, stretch, across = turn_and_stretch(
        value, eta_value, shift_value, slope, cosine, log_slope, inverse, inverse_j, inverse_k, group.shifted
    )
    first, second = load(scratch, LOG_SLOPE_FIRST + b), load(scratch, LOG_SLOPE_SECOND + b)
    store(scratch, ALONG_FIRST + b, along_pair(value, shift_value, turn, stretch, first, inverse_j))
    store(scratch, ALONG_SECOND + b, along_pair(value, shift_value, turn, stretch, second, inverse_k))
    store(scratch, ACROSS + b, across)


@kernel
def spread(env, gradient, start, chunk, blocks):
    """Add the coefficients of a chunk to the gradients of its pairs, for the scalar at `start`."""
    scratch, info, near = chunk.scratch, chunk.blocks, env.near
    last, x, y, z = -1, REAL(0.0), REAL(0.0), REAL(0.0)
    along, gx, gy, gz = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for block in range(blocks):
        packed = load_one(info, block)
        j, k = block_first(packed), block_second(packed)
        if j != last:
            if last >= 0:
                add_to_first(gradient, start, last, along, gx, gy, gz)
            along, gx, gy, gz = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
            last, x, y, z = j, coordinate(env, j, X), coordinate(env, j, Y), coordinate(env, j, Z)
        offset, mask = block_offset(packed), block_mask(packed)
        k_base, base = near_block(k), start + gradient_block(k)
        across = unpack(scratch, ACROSS + offset, mask)
        along = along + unpack(scratch, ALONG_FIRST + offset, mask)
        gx = fma(across, load(near, k_base + X), gx)
        gy = fma(across, load(near, k_base + Y), gy)
        gz = fma(across, load(near, k_base + Z), gz)
        along_k = unpack(scratch, ALONG_SECOND + offset, mask)
        store(gradient, base + ALONG, load(gradient, base + ALONG) + along_k)
        store(gradient, base + GX, fma(across, x, load(gradient, base + GX)))
        store(gradient, base + GY, fma(across, y, load(gradient, base + GY)))
        store(gradient, base + GZ, fma(across, z, load(gradient, base + GZ)))
    if last >= 0:
        add_to_first(gradient, start, last, along, gx, gy, gz)


@inline
def add_to_first(gradient, start, j, along, gx, gy, gz):
    """Add sums over the lanes to the gradient of neighbour j."""
    base = start + gradient_lane(j)
    sums = sum_lanes_of_four(along, gx, gy, gz)
    store_one(gradient, base + ALONG, load_one(gradient, base + ALONG) + sums[0])
    store_one(gradient, base + GX, load_one(gradient, base + GX) + sums[1])
    store_one(gradient, base + GY, load_one(gradient, base + GY) + sums[2])
    store_one(gradient, base + GZ, load_one(gradient, base + GZ) + sums[3])
