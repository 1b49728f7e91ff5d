"""Calling compiled kernels by their address, so that a loop around them is compiled without them.

A kernel that calls another one in the usual way has its machine code made once more, which for the energies takes many
seconds; and one that calls a parallel kernel crashes where it comes from the disk before that. The arguments are packed
into one tuple in Python, and the kernel is compiled for its very types.

Arrays that other programs own come by their address too: `carray(pointer(address), shape, dtype)`.
"""

import ctypes
from typing import NamedTuple

from numba import config, typeof

from fastsf.kernels._jit import kernel


class Loop(NamedTuple):
    """A loop over atoms: a kernel for one thread and one for many, which fill the same arrays."""

    serial: int  # address
    serial_arguments: tuple
    parallel: int  # address; 0 for one thread
    parallel_arguments: tuple


def make_loop(kernels, threads, arguments, n, results, before=None):
    """Loop over n items on so many threads, with the arguments of `fastsf.threads.run`.

    With the loop of `before`, whose arguments had the same types, addresses need not be looked for, which takes long.
    """
    serial, parallel = (*arguments, 0, n, *results), (*arguments, min(n, 4 * threads), *results)
    if before is not None:
        return Loop(before.serial, serial, before.parallel, parallel)
    if threads == 1:
        return Loop(address_of(kernels[0], serial), serial, 0, parallel)
    return Loop(0, serial, address_of(kernels[1], parallel), parallel)


if config.DISABLE_JIT:
    pointer = ctypes.c_void_p

    def int32s(address):
        """Pointer to integers of 32 bits at an address: `int32s(address)[k]`."""
        return ctypes.cast(int(address), ctypes.POINTER(ctypes.c_int32))

    def address_of(function, arguments):
        """Return the function itself: nothing is compiled."""
        return function

    def call(address, arguments):
        """Call it."""
        function = address
        function(*arguments)

else:
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    @intrinsic
    def pointer(typing_context, address):
        """Pointer to whatever stands at an address, for `carray`."""

        def codegen(context, builder, sig, args):
            return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

        return types.voidptr(address), codegen

    @intrinsic
    def int32s(typing_context, address):
        """Pointer to integers of 32 bits at an address: `int32s(address)[k]`."""

        def codegen(context, builder, sig, args):
            return builder.inttoptr(args[0], ir.IntType(32).as_pointer())

        return types.CPointer(types.int32)(address), codegen

    def address_of(function, arguments):
        """Address of a kernel that returns nothing, compiled for these arguments.

        Parameters
        ----------
        function : dispatcher
            From `njit`; it must live as long as the address is used.
        arguments : tuple
            Such as it will be called with.
        """
        signature = tuple(typeof(argument) for argument in arguments)
        function.compile(signature)
        compiled = function.overloads[signature]
        return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)

    @intrinsic
    def call(typing_context, address, arguments):
        """Call the kernel at an address with the arguments (a tuple) that `address_of` was given."""
        if not isinstance(arguments, types.BaseTuple):
            return None

        def codegen(context, builder, sig, args):
            kinds, convention = tuple(sig.args[1].types), context.call_conv
            function_type = convention.get_function_type(types.none, kinds)
            pointer = builder.inttoptr(args[0], function_type.as_pointer())
            values = cgutils.unpack_tuple(builder, args[1], len(kinds))
            status, _ = convention.call_function(builder, pointer, types.none, kinds, values)
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return types.none(types.intp, arguments), codegen


@kernel
def run_loop(loop):
    """Run it."""
    if loop.parallel == 0:
        call(loop.serial, loop.serial_arguments)
    else:
        call(loop.parallel, loop.parallel_arguments)
