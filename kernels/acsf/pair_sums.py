"""The gradient of a centre's pair vectors, added up over its shells, in float64 whatever the precision of kernels."""

from fastsf.kernels._jit import allocator, inline, kernel
from fastsf.kernels.acsf.environment import aligned
from fastsf.kernels.vector.simd import LANES, fma, load, load_one, splat, sum_lanes_of_four
from fastsf.kernels.vector.simd_double import store_xyz

from .environment import X, Y, Z, lane_at
from .pair_gradients import ALONG, GX, GY, GZ, gradient_lane


@inline
def components(env, gradient, start, k):
    """(x, y, z) of the gradients of eight neighbours."""
    at, there = start + gradient_lane(k), lane_at(k)
    along = load(gradient, at + ALONG)
    gx = fma(along, load(env.near, there + X), load(gradient, at + GX))
    gy = fma(along, load(env.near, there + Y), load(gradient, at + GY))
    gz = fma(along, load(env.near, there + Z), load(gradient, at + GZ))
    return gx, gy, gz


@allocator
def make_rest():
    """Scratch for `scatter`."""
    return aligned(3 * LANES)


@kernel
def scatter(env, gradient, start, lanes, rest, out, sums):
    """Add the gradient that stands at `start` to out (p, 3), and what the centre itself needs of it to sums (12,).

    These are sum_p g_p and the rows of sum_p r_p (x) g_p; `rest` (24,) is scratch.
    """
    zero = splat(0.0)
    px, py, pz, xx, xy, xz = zero, zero, zero, zero, zero, zero
    yx, yy, yz, zx, zy, zz = zero, zero, zero, zero, zero, zero
    for k in range(0, lanes, LANES):
        gx, gy, gz = components(env, gradient, start, k)
        there = lane_at(k)
        x, y, z = load(env.near, there + X), load(env.near, there + Y), load(env.near, there + Z)
        px, py, pz = px + gx, py + gy, pz + gz
        xx, xy, xz = fma(x, gx, xx), fma(x, gy, xy), fma(x, gz, xz)
        yx, yy, yz = fma(y, gx, yx), fma(y, gy, yy), fma(y, gz, yz)
        zx, zy, zz = fma(z, gx, zx), fma(z, gy, zy), fma(z, gz, zz)
        store_xyz(rest, 0, gx, gy, gz)
        for lane in range(LANES):
            p = load_one(env.pair, k + lane)
            if p >= 0:
                for c in range(3):
                    out[p, c] += load_one(rest, 3 * lane + c)
    _add_sums(sums, 0, px, py, pz, xx)
    _add_sums(sums, 4, xy, xz, yx, yy)
    _add_sums(sums, 8, yz, zx, zy, zz)


@kernel
def _add_sums(sums, at, a, b, c, d):
    totals = sum_lanes_of_four(a, b, c, d)
    sums[at] += totals[0]
    sums[at + 1] += totals[1]
    sums[at + 2] += totals[2]
    sums[at + 3] += totals[3]
