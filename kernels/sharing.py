"""Loops over items that several threads share, compiled once for one thread and for many.

A kernel over the items begin ... end - 1 takes `workers` after these two. `ALONE`: it does them all. Otherwise it calls
`share_out`, and the threads call this same kernel, each with a part of the items. For a parallel loop that called
the kernel by its name, numba would make its machine code four more times.

`workers` is the address of two words: the address of `_work`, and the number of parts. It comes with each call; nothing
that is kept on disk contains it.
"""

import numpy as np
from numba import config, prange

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.pointers import address_of, call

ALONE = 0
"""Value of `workers` without other threads."""

_PARTS = 4
"""Parts per thread: some take longer than others."""


def make_workers(threads):
    """Return the words of so many threads of this process; they must live as long as their address is used."""
    return np.array([address_of(_work, (0, 0, 0, 0, 0)), _PARTS * threads])


@njit(parallel=True)
def _work(function, stored, begin, end, parts):
    """Let threads call a function, given by its address, with parts of the items."""
    n = end - begin
    parts = min(n, parts)
    for part in prange(parts):
        call(function, (stored, begin + _part_of(n, part, parts), begin + _part_of(n, part + 1, parts)))


@kernel
def _part_of(total, part, parts):
    """Return the first item of a part of `total` items; the next part begins where it ends."""
    return part * total // parts


if config.DISABLE_JIT:

    def share_out(workers, first, begin, end, last):
        """Raise an error: there are no threads without compiled code."""
        raise NotImplementedError

else:
    from llvmlite import ir
    from numba.core import callconv, cgutils, types
    from numba.extending import intrinsic

    from fastsf.kernels.pointers import call_function

    _INT = types.intp

    _ERROR = 2  # index of the exception of a worker among the stored arguments

    @intrinsic
    def share_out(typing_context, workers, first, begin, end, last):
        """Share the items of the kernel that calls this among threads: `kernel(*first, begin, end, workers, *last)`.

        An error of any part, which can only be a lack of memory, becomes one of this kernel.
        """

        def codegen(context, builder, sig, args):
            workers, _, begin, end, _ = args
            first, last = (_uncounted(context, builder, sig.args[k], args[k]) for k in (1, 4))
            no_error = context.get_constant(_INT, 0)
            frame = cgutils.alloca_once_value(builder, cgutils.pack_struct(builder, (first, last, no_error)))
            function = _make_worker(context, builder, frame.type, sig.args[1].types, sig.args[4].types)
            address, stored = (builder.ptrtoint(each, workers.type) for each in (function, frame))
            words = builder.inttoptr(workers, workers.type.as_pointer())
            work, parts = (builder.load(cgutils.gep_inbounds(builder, words, k)) for k in range(2))
            status = call_function(context, builder, work, (_INT,) * 5, (address, stored, begin, end, parts))
            error = builder.load(cgutils.gep_inbounds(builder, frame, 0, _ERROR))
            with cgutils.if_unlikely(builder, cgutils.is_not_null(builder, error)):
                exception = builder.inttoptr(error, status.excinfoptr.type)
                raised = status._replace(code=callconv.RETCODE_USEREXC, excinfoptr=exception)
                context.call_conv.return_status_propagate(builder, raised)
            return context.get_dummy_value()

        return types.none(_INT, first, _INT, _INT, last), codegen

    def _uncounted(context, builder, kind, value):
        """Return a value whose arrays count no references, for which threads would wait for each other."""
        if isinstance(kind, types.Array):
            position = context.data_model_manager[kind].get_field_position("meminfo")
            return builder.insert_value(value, cgutils.get_null_value(value.type.elements[position]), position)
        if isinstance(kind, types.BaseTuple):
            values = cgutils.unpack_tuple(builder, value, len(kind.types))
            pairs = zip(kind.types, values, strict=True)
            return context.make_tuple(builder, kind, [_uncounted(context, builder, *each) for each in pairs])
        return value

    def _make_worker(context, builder, room_type, first, last):
        """Return the function (stored, begin, end) that calls the kernel being built with the stored arguments."""
        convention, kernel = context.call_conv, builder.function
        own_type = convention.get_function_type(types.none, (_INT,) * 3)
        function = ir.Function(builder.module, own_type, builder.module.get_unique_name(f"{kernel.name}.worker"))
        function.linkage = "internal"
        inside = ir.IRBuilder(function.append_basic_block())
        stored, begin, end = convention.get_arguments(function)
        frame = inside.inttoptr(stored, room_type)
        before, after = (
            cgutils.unpack_tuple(inside, inside.load(cgutils.gep_inbounds(inside, frame, 0, k)), len(kinds))
            for k, kinds in enumerate((first, last))
        )
        values = (*before, begin, end, context.get_constant(_INT, ALONE), *after)
        status, _ = convention.call_function(inside, kernel, types.none, (*first, _INT, _INT, _INT, *last), values)
        with cgutils.if_unlikely(inside, status.is_error):
            error = inside.ptrtoint(status.excinfoptr, stored.type)
            inside.store(error, cgutils.gep_inbounds(inside, frame, 0, _ERROR))
        convention.return_value(inside, context.get_dummy_value())
        return function
