"""Eight float64 lanes as one value inside kernels.

`load` makes a vector from an array, operators and the functions here combine vectors (and scalars), `store` writes
one back. LLVM turns a vector into whatever the CPU has. Nothing is fused or re-associated but what `fma` says,
so that results do not depend on how LLVM inlines a function. Loads and stores are not bounds-checked:
arrays are padded to whole vectors.

Without the JIT (NUMBA_DISABLE_JIT=1) the same names are small NumPy functions, for coverage and debugging.
"""

from numba import config

if config.DISABLE_JIT:
    from fastsf.kernels._simd_numpy import (
        any_lane,
        bits_mask,
        compress,
        count_lanes,
        exp2_scale,
        fill_first,
        first_lanes,
        fma,
        from_lane,
        inverse_sqrt,
        load,
        load_int,
        mask_bits,
        maximum,
        minimum,
        not_lane,
        pack,
        packed_lanes,
        power,
        select,
        splat,
        sqrt,
        store,
        store_compressed_index,
        store_compressed_int,
        store_first,
        store_xyz,
        store_xyz_first,
        sum_lanes,
        unpack,
    )
else:
    from fastsf.kernels._simd_llvm import (
        any_lane,
        bits_mask,
        compress,
        count_lanes,
        exp2_scale,
        fill_first,
        first_lanes,
        fma,
        from_lane,
        inverse_sqrt,
        load,
        load_int,
        mask_bits,
        maximum,
        minimum,
        not_lane,
        pack,
        packed_lanes,
        power,
        select,
        splat,
        sqrt,
        store,
        store_compressed_index,
        store_compressed_int,
        store_first,
        store_xyz,
        store_xyz_first,
        sum_lanes,
        unpack,
    )

LANES = 8

__all__ = [
    "LANES",
    "any_lane",
    "bits_mask",
    "compress",
    "count_lanes",
    "exp2_scale",
    "fill_first",
    "first_lanes",
    "fma",
    "from_lane",
    "inverse_sqrt",
    "load",
    "load_int",
    "mask_bits",
    "maximum",
    "minimum",
    "not_lane",
    "pack",
    "packed_lanes",
    "power",
    "select",
    "splat",
    "sqrt",
    "store",
    "store_compressed_index",
    "store_compressed_int",
    "store_first",
    "store_xyz",
    "store_xyz_first",
    "sum_lanes",
    "unpack",
]
