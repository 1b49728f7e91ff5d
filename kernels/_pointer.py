"""Addresses as pointers, to arrays that other programs own."""

import ctypes

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

if config.DISABLE_JIT:
    pointer = ctypes.c_void_p

    def int32s(address):
        """Pointer to integers of 32 bits at an address: `int32s(address)[k]`."""
        return ctypes.cast(int(address), ctypes.POINTER(ctypes.c_int32))

else:

    @intrinsic
    def pointer(typing_context, address):
        """Pointer to whatever stands at an address, for `carray`."""

        def lower(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

        return types.voidptr(address), lower

    @intrinsic
    def int32s(typing_context, address):
        """Pointer to integers of 32 bits at an address: `int32s(address)[k]`."""

        def lower(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], ir.IntType(32).as_pointer())

        return types.CPointer(types.int32)(address), lower
