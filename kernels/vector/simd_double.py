"""Vectors of eight float64 lanes only: integers, points, and rows of points."""

from numba import config

if config.DISABLE_JIT:
    from fastsf.kernels.vector._simd_double_numpy import (
        close_bits,
        copy_ints,
        count_bits,
        equal_lanes,
        fill_first,
        fill_ints,
        lane_numbers,
        list_lanes,
        prefetch_for_writing,
        squared_folded,
        store_chosen,
        store_first,
        store_folded,
        store_narrow,
        store_xyz,
        three_lanes,
        transpose,
    )
else:
    from fastsf.kernels.vector._simd_double_llvm import (
        close_bits,
        copy_ints,
        count_bits,
        equal_lanes,
        fill_first,
        fill_ints,
        lane_numbers,
        list_lanes,
        prefetch_for_writing,
        squared_folded,
        store_chosen,
        store_first,
        store_folded,
        store_narrow,
        store_xyz,
        three_lanes,
        transpose,
    )

__all__ = [
    "close_bits",
    "copy_ints",
    "count_bits",
    "equal_lanes",
    "fill_first",
    "fill_ints",
    "lane_numbers",
    "list_lanes",
    "prefetch_for_writing",
    "squared_folded",
    "store_chosen",
    "store_first",
    "store_folded",
    "store_narrow",
    "store_xyz",
    "three_lanes",
    "transpose",
]
