"""The gradient of a centre's pair vectors, added up over its shells, in float64 whatever the precision of kernels."""

from fastsf.kernels._jit import allocator, inline, kernel
from fastsf.kernels.acsf.environment import aligned
from fastsf.kernels.acsf.tables import GRADIENT, VIRIAL
from fastsf.kernels.vector.simd import LANES, fma, load, load_one, splat, sum_lanes_of_four
from fastsf.kernels.vector.simd_double import store_xyz

from .center_gradients import ALONG, GX, GY, GZ, gradient_lane
from .environment import X, Y, Z, near_lane


@inline
def components(env, gradient, start, k):
    """Return (x, y, z) of the gradients of eight neighbours."""
    base, k_base = start + gradient_lane(k), near_lane(k)
    along = load(gradient, base + ALONG)
    gx = fma(along, load(env.near, k_base + X), load(gradient, base + GX))
    gy = fma(along, load(env.near, k_base + Y), load(gradient, base + GY))
    gz = fma(along, load(env.near, k_base + Z), load(gradient, base + GZ))
    return gx, gy, gz


@allocator
def make_rest():
    """Return scratch for `scatter`."""
    return aligned(3 * LANES)


@kernel
def scatter(env, gradient, start, lanes, rest, out, sums):
    """Add the gradient that begins at `start` to out (p, 3), and its sums over the pairs of the centre to sums (SUMS,).

    These are sum_p g_p and the rows of sum_p r_p (x) g_p; `rest` (24,) is scratch.
    """
    zero = splat(0.0)
    px, py, pz, xx, xy, xz = zero, zero, zero, zero, zero, zero
    yx, yy, yz, zx, zy, zz = zero, zero, zero, zero, zero, zero
    for k in range(0, lanes, LANES):
        gx, gy, gz = components(env, gradient, start, k)
        k_base = near_lane(k)
        x, y, z = load(env.near, k_base + X), load(env.near, k_base + Y), load(env.near, k_base + Z)
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
    _add_sums(sums, GRADIENT, px, py, pz, xx)
    _add_sums(sums, VIRIAL + 1, xy, xz, yx, yy)
    _add_sums(sums, VIRIAL + 5, yz, zx, zy, zz)


@kernel
def _add_sums(sums, base, a, b, c, d):
    totals = sum_lanes_of_four(a, b, c, d)
    sums[base] += totals[0]
    sums[base + 1] += totals[1]
    sums[base + 2] += totals[2]
    sums[base + 3] += totals[3]
