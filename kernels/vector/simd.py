"""Eight float64 lanes, in the package `single` sixteen of float32, as one value inside kernels.

`load` makes a vector from an array, operators and the functions here combine vectors (and scalars), `store` writes
one back. LLVM turns a vector into whatever the CPU has. Nothing is fused or re-associated except by `fma`,
so that results do not depend on how LLVM inlines a function. Loads and stores are not bounds-checked:
arrays are padded to whole vectors. Numbers of the other precision, in arrays or as scalars, are converted.

Without the JIT (NUMBA_DISABLE_JIT=1) the same names are small NumPy functions, for coverage and debugging.
"""

from numba import config

if config.DISABLE_JIT:
    from ._simd_numpy import (
        HAS_AVX512,
        LANES,
        MANTISSA_BITS,
        any_lane,
        bits_mask,
        count_lanes,
        exp2_scale,
        first_lanes,
        flush_subnormals,
        fma,
        from_lane,
        inverse_sqrt,
        keep_subnormals,
        load,
        load_one,
        mask_bits,
        maximum,
        minimum,
        pack,
        packed_lanes,
        power,
        reciprocal,
        select,
        splat,
        sqrt,
        store,
        store_one,
        sum_lanes,
        sum_lanes_of_four,
        unpack,
    )
else:
    from ._simd_llvm import (
        HAS_AVX512,
        LANES,
        MANTISSA_BITS,
        any_lane,
        bits_mask,
        count_lanes,
        exp2_scale,
        first_lanes,
        flush_subnormals,
        fma,
        from_lane,
        inverse_sqrt,
        keep_subnormals,
        load,
        load_one,
        mask_bits,
        maximum,
        minimum,
        pack,
        packed_lanes,
        power,
        reciprocal,
        select,
        splat,
        sqrt,
        store,
        store_one,
        sum_lanes,
        sum_lanes_of_four,
        unpack,
    )

PACKS = HAS_AVX512
"""True if `pack` moves lanes to the front, so that those of several vectors follow each other."""

__all__ = [
    "LANES",
    "MANTISSA_BITS",
    "PACKS",
    "any_lane",
    "bits_mask",
    "count_lanes",
    "exp2_scale",
    "first_lanes",
    "flush_subnormals",
    "fma",
    "from_lane",
    "inverse_sqrt",
    "keep_subnormals",
    "load",
    "load_one",
    "mask_bits",
    "maximum",
    "minimum",
    "pack",
    "packed_lanes",
    "power",
    "reciprocal",
    "select",
    "splat",
    "sqrt",
    "store",
    "store_one",
    "sum_lanes",
    "sum_lanes_of_four",
    "unpack",
]
