"""Calling compiled kernels by their address, so that a loop around them is compiled without them.

A kernel that calls another one in the usual way has its machine code made once more, which for the energies takes many
seconds. The arguments are packed into one tuple in Python, and the kernel is compiled for its very types.

Arrays that other programs own come by their address too: `carray(pointer(address), shape, dtype)`.
"""

import ctypes
from typing import NamedTuple

from numba import config, typeof

from fastsf.kernels._jit import kernel


class Loop(NamedTuple):
    """A loop over items that a kernel does."""

    kernel: int  # address
    arguments: tuple


def make_loop(kernel, arguments, before=None):
    """Return a loop that calls a kernel with these arguments.

    With the loop of `before`, whose arguments had the same types, the address need not be looked for, which takes long.
    """
    return Loop(address_of(kernel, arguments) if before is None else before.kernel, arguments)


if config.DISABLE_JIT:
    pointer = ctypes.c_void_p

    def int32s(address):
        """Return a pointer to integers of 32 bits at an address: `int32s(address)[k]`."""
        return ctypes.cast(int(address), ctypes.POINTER(ctypes.c_int32))

    def address_of(function, arguments):
        """Return the function itself: nothing is compiled."""
        return function

    def call(address, arguments):
        """Call the function."""
        function = address
        function(*arguments)

else:
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    @intrinsic
    def pointer(typing_context, address):
        """Return a pointer to an address, for `carray`."""

        def codegen(context, builder, sig, args):
            return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

        return types.voidptr(address), codegen

    @intrinsic
    def int32s(typing_context, address):
        """Return a pointer to integers of 32 bits at an address: `int32s(address)[k]`."""

        def codegen(context, builder, sig, args):
            return builder.inttoptr(args[0], ir.IntType(32).as_pointer())

        return types.CPointer(types.int32)(address), codegen

    def address_of(function, arguments):
        """Return the address of a kernel that returns nothing, compiled for these arguments.

        Parameters
        ----------
        function : dispatcher
            From `njit`; it must live as long as the address is used.
        arguments : tuple
            Of the types of all later calls.
        """
        signature = tuple(typeof(argument) for argument in arguments)
        function.compile(signature)
        compiled = function.overloads[signature]
        return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)

    def call_function(context, builder, address, kinds, values):
        """Call the kernel at an address, which returns nothing; its errors are those of the caller."""
        convention = context.call_conv
        function = builder.inttoptr(address, convention.get_function_type(types.none, kinds).as_pointer())
        status, _ = convention.call_function(builder, function, types.none, kinds, values)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return status

    @intrinsic
    def call(typing_context, address, arguments):
        """Call the kernel at an address with the arguments (a tuple) that `address_of` was given."""
        if not isinstance(arguments, types.BaseTuple):
            return None

        def codegen(context, builder, sig, args):
            kinds = tuple(sig.args[1].types)
            call_function(context, builder, args[0], kinds, cgutils.unpack_tuple(builder, args[1], len(kinds)))
            return context.get_dummy_value()

        return types.none(types.intp, arguments), codegen


@kernel
def run_loop(loop):
    """Run a loop."""
    call(loop.kernel, loop.arguments)
