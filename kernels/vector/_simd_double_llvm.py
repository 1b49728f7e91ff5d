"""The functions of `simd_double` as an extension of numba."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastsf.kernels.vector._simd_llvm import LANES, MASK, VEC, _broadcast, _intrinsic_call, _is_vector_of, _pointer

_I1, _I16, _I32, _I64 = ir.IntType(1), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_F32, _F64 = ir.FloatType(), ir.DoubleType()
_LLVM_VEC, _LLVM_FLOATS = ir.VectorType(_F64, LANES), ir.VectorType(_F32, LANES)
_LLVM_INTS, _LLVM_INT32S = ir.VectorType(_I64, LANES), ir.VectorType(_I32, LANES)
_LLVM_MASK = ir.VectorType(_I1, LANES)
_LLVM_WIDE, _LLVM_WIDE_INTS = ir.VectorType(_F32, 2 * LANES), ir.VectorType(_I32, 2 * LANES)
_LLVM_WIDE_MASK = ir.VectorType(_I1, 2 * LANES)
_LLVM_FOUR = ir.VectorType(_F64, 4)


def _shuffled(builder, a, b, order):
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, len(order)), order))


def _interleave(builder, x, y, z):
    wide = list(range(2 * LANES))
    xy = builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(_I32, 16), wide))
    zz = builder.shuffle_vector(z, z, ir.Constant(ir.VectorType(_I32, 16), wide))
    order = [component * LANES + lane for lane in range(LANES) for component in range(3)]
    return builder.shuffle_vector(xy, zz, ir.Constant(ir.VectorType(_I32, 24), order))


@intrinsic
def store_xyz(typing_context, array, start, x, y, z):
    """Interleave three vectors into array[start : start + 24] as x0 y0 z0 x1 y1 z1 ..."""
    if not _is_vector_of(array, types.float64):
        return None

    def codegen(context, builder, sig, args):
        target = _pointer(context, builder, sig.args[0], *args[:2], ir.VectorType(_F64, 24))
        builder.store(_interleave(builder, *args[2:]), target, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, VEC, VEC, VEC), codegen


def _masked_store(builder, vector, pointer, count):
    """Write the first `count` lanes of a vector of eight 64-bit numbers."""
    mask = builder.icmp_signed("<", ir.Constant(_LLVM_INTS, list(range(LANES))), _broadcast(builder, count))
    kind = ir.FunctionType(ir.VoidType(), [vector.type, pointer.type, _I32, mask.type])
    name = f"llvm.masked.store.v8{'f' if vector.type == _LLVM_VEC else 'i'}64.p0"
    masked_store = cgutils.get_or_insert_function(builder.module, kind, name)
    builder.call(masked_store, [vector, pointer, ir.Constant(_I32, 8), mask])


@intrinsic
def store_first(typing_context, array, start, vector, count):
    """Write the first count lanes to array[start:]."""
    if not _is_vector_of(array, types.float64):
        return None

    def codegen(context, builder, sig, args):
        target = _pointer(context, builder, sig.args[0], *args[:2], _LLVM_VEC)
        _masked_store(builder, args[2], target, args[3])
        return context.get_dummy_value()

    return types.void(array, types.intp, VEC, types.int64), codegen


@intrinsic
def fill_first(typing_context, array, start, number, count):
    """Write a number to array[start : start + min(count, 8)] (int64, contiguous)."""
    if not _is_vector_of(array, types.int64):
        return None

    def codegen(context, builder, sig, args):
        target = _pointer(context, builder, sig.args[0], *args[:2], _LLVM_INTS)
        _masked_store(builder, _broadcast(builder, args[2]), target, args[3])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64, types.int64), codegen


@intrinsic
def fill_ints(typing_context, array, start, number):
    """Write a number to array[start : start + 8] (int32, contiguous)."""
    if not _is_vector_of(array, types.int32):
        return None

    def codegen(context, builder, sig, args):
        target = _pointer(context, builder, sig.args[0], *args[:2], _LLVM_INT32S)
        builder.store(_broadcast(builder, builder.trunc(args[2], _I32)), target, align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), codegen


@intrinsic
def copy_ints(typing_context, source, start, target, offset):
    """Copy source[start : start + 8] to target[offset : offset + 8] (int32, contiguous)."""
    if not (_is_vector_of(source, types.int32) and _is_vector_of(target, types.int32)):
        return None

    def codegen(context, builder, sig, args):
        lanes = builder.load(_pointer(context, builder, sig.args[0], *args[:2], _LLVM_INT32S), align=4)
        builder.store(lanes, _pointer(context, builder, sig.args[2], *args[2:], _LLVM_INT32S), align=4)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp), codegen


@intrinsic
def transpose(typing_context, source, start, target, offset):
    """Write target[offset + 8 c + r] = source[start + 8 r + c] for eight rows r and eight columns c."""
    if not (_is_vector_of(source, types.float64) and _is_vector_of(target, types.float64)):
        return None

    def codegen(context, builder, sig, args):
        first = _pointer(context, builder, sig.args[0], *args[:2], ir.VectorType(_F64, 4))
        halves = [builder.load(builder.gep(first, [ir.Constant(_I32, k)]), align=8) for k in range(2 * LANES)]
        whole = list(range(LANES))
        low = [_shuffled(builder, halves[2 * r], halves[2 * r + LANES], whole) for r in range(4)]
        high = [_shuffled(builder, halves[2 * r + 1], halves[2 * r + 1 + LANES], whole) for r in range(4)]
        columns = []
        for rows in (low, high):
            even = [_shuffled(builder, rows[r], rows[r + 1], [0, 8, 2, 10, 4, 12, 6, 14]) for r in (0, 2)]
            odd = [_shuffled(builder, rows[r], rows[r + 1], [1, 9, 3, 11, 5, 13, 7, 15]) for r in (0, 2)]
            for order in ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]):
                columns += [_shuffled(builder, *pair, order) for pair in (even, odd)]
        for column, vector in enumerate(columns):
            index = builder.add(args[3], ir.Constant(_I64, column * LANES))
            builder.store(vector, _pointer(context, builder, sig.args[2], args[2], index, _LLVM_VEC), align=8)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp), codegen


@intrinsic
def prefetch_for_writing(typing_context, array, index):
    """Ask for the cache line of array[index], to be written soon; there need be no such element."""
    if not any(_is_vector_of(array, kind) for kind in (types.float64, types.int64, types.int32)):
        return None

    def codegen(context, builder, sig, args):
        pointer = _pointer(context, builder, sig.args[0], *args, ir.IntType(8))
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, _I32, _I32, _I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, *(ir.Constant(_I32, number) for number in (1, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def equal_lanes(typing_context, array, start, number):
    """Return the mask of the lanes where the int64 array[start + lane] is a number."""
    if not _is_vector_of(array, types.int64):
        return None

    def codegen(context, builder, sig, args):
        raw = builder.load(_pointer(context, builder, sig.args[0], *args[:2], _LLVM_INTS), align=8)
        return builder.icmp_signed("==", raw, _broadcast(builder, args[2]))

    return MASK(array, types.intp, types.int64), codegen


@intrinsic
def list_lanes(typing_context, array, start, first, bits):
    """Write first + lane for the lanes that a mask's bits tell to array[start:] (int64); touches eight elements."""
    if not _is_vector_of(array, types.int64):
        return None

    def codegen(context, builder, sig, args):
        numbers = builder.add(_broadcast(builder, args[2]), ir.Constant(_LLVM_INTS, list(range(LANES))))
        mask = builder.bitcast(builder.trunc(args[3], ir.IntType(LANES)), _LLVM_MASK)
        name, undefined = "llvm.experimental.vector.compress.v8i64", ir.Constant(_LLVM_INTS, ir.Undefined)
        packed = _intrinsic_call(builder, name, _LLVM_INTS, [numbers, mask, undefined])
        builder.store(packed, _pointer(context, builder, sig.args[0], *args[:2], _LLVM_INTS), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64, types.int64), codegen


@intrinsic
def lane_numbers(typing_context):
    """Return the vector 0, 1, ... 7."""

    def codegen(context, builder, sig, args):
        return ir.Constant(_LLVM_VEC, [float(lane) for lane in range(LANES)])

    return VEC(), codegen


@intrinsic
def store_narrow(typing_context, array, start, vector):
    """Write a vector to array[start : start + 8], rounded to float32, and not beyond 1e15 where squares are finite."""
    if not _is_vector_of(array, types.float32):
        return None

    def codegen(context, builder, sig, args):
        vector = args[2]
        for comparison, bound in (("<", 1e15), (">", -1e15)):
            limit = ir.Constant(_LLVM_VEC, [bound] * LANES)
            vector = builder.select(builder.fcmp_ordered(comparison, vector, limit), vector, limit)
        target = _pointer(context, builder, sig.args[0], *args[:2], _LLVM_FLOATS)
        builder.store(builder.fptrunc(vector, _LLVM_FLOATS), target, align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, VEC), codegen


@intrinsic
def close_bits(typing_context, array, size, start, x, y, z, limit):
    """Return the bits of sixteen points start ... whose squared distance from (x, y, z) is below a limit, in float32.

    Only good to a few roundings: sums are fused where the CPU can. The points' x, y and z stand in `array` (float32),
    `size` elements apart.
    """
    if not _is_vector_of(array, types.float32):
        return None

    def wide(builder, number):
        undefined = ir.Constant(_LLVM_WIDE, ir.Undefined)
        one = builder.insert_element(undefined, number, ir.Constant(_I32, 0))
        return builder.shuffle_vector(one, undefined, ir.Constant(_LLVM_WIDE_INTS, [0] * 2 * LANES))

    def codegen(context, builder, sig, args):
        array, size, index = args[:3]
        squared = ir.Constant(_LLVM_WIDE, [0.0] * 2 * LANES)
        for number in args[3:6]:
            points = builder.load(_pointer(context, builder, sig.args[0], array, index, _LLVM_WIDE), align=4)
            difference = builder.fsub(points, wide(builder, number))
            squared = _intrinsic_call(builder, "llvm.fmuladd.v16f32", _LLVM_WIDE, [difference, difference, squared])
            index = builder.add(index, size)
        limit = wide(builder, builder.fptrunc(args[6], _F32))
        close = builder.fcmp_ordered("<", squared, limit)
        return builder.zext(builder.bitcast(close, _I16), _I64)

    single = types.float32
    return types.int64(array, types.intp, types.intp, single, single, single, types.float64), codegen


@intrinsic
def count_bits(typing_context, bits):
    """Return the number of set bits."""

    def codegen(context, builder, sig, args):
        return builder.ctpop(args[0])

    return types.int64(types.int64), codegen


@intrinsic
def store_chosen(typing_context, source, start, bits, target, offset):
    """Write the int32 source[start + bit] of the set bits to target[offset:], packed; touches sixteen elements."""
    if not (_is_vector_of(source, types.int32) and _is_vector_of(target, types.int32)):
        return None

    def codegen(context, builder, sig, args):
        raw = builder.load(_pointer(context, builder, sig.args[0], *args[:2], _LLVM_WIDE_INTS), align=4)
        mask = builder.bitcast(builder.trunc(args[2], _I16), _LLVM_WIDE_MASK)
        name, undefined = "llvm.experimental.vector.compress.v16i32", ir.Constant(_LLVM_WIDE_INTS, ir.Undefined)
        packed = _intrinsic_call(builder, name, _LLVM_WIDE_INTS, [raw, mask, undefined])
        builder.store(packed, _pointer(context, builder, sig.args[3], *args[3:], _LLVM_WIDE_INTS), align=4)
        return context.get_dummy_value()

    return types.void(source, types.intp, types.int64, target, types.intp), codegen


def _fold(builder, vector):
    low, high = (
        builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(_I32, 4), list(range(first, first + 4))))
        for first in (0, 4)
    )
    return builder.fadd(low, high)


@intrinsic
def store_folded(typing_context, array, start, vector):
    """Write the lanes 0, 1, 2 of a vector plus the lanes 4, 5, 6 to array[start : start + 3]."""
    if not _is_vector_of(array, types.float64):
        return None

    def codegen(context, builder, sig, args):
        target = _pointer(context, builder, sig.args[0], *args[:2], _LLVM_FOUR)
        mask = ir.Constant(ir.VectorType(_I1, 4), [1, 1, 1, 0])
        kind = ir.FunctionType(ir.VoidType(), [_LLVM_FOUR, target.type, _I32, mask.type])
        masked_store = cgutils.get_or_insert_function(builder.module, kind, "llvm.masked.store.v4f64.p0")
        builder.call(masked_store, [_fold(builder, args[2]), target, ir.Constant(_I32, 8), mask])
        return context.get_dummy_value()

    return types.void(array, types.intp, VEC), codegen


@intrinsic
def squared_folded(typing_context, array, index, start, vector):
    """Return squared lengths of the rows array[8 index[start + lane]:], folded as by `store_folded`, minus a vector."""
    if not (_is_vector_of(array, types.float64) and _is_vector_of(index, types.int32)):
        return None

    def row(context, builder, sig, args, lane):
        at = builder.add(args[2], ir.Constant(_I64, lane))
        place = builder.load(_pointer(context, builder, sig.args[1], args[1], at, _I32), align=4)
        start = builder.shl(builder.sext(place, _I64), ir.Constant(_I64, 3))
        numbers = builder.load(_pointer(context, builder, sig.args[0], args[0], start, _LLVM_VEC), align=8)
        return _fold(builder, builder.fsub(numbers, args[3]))

    def codegen(context, builder, sig, args):
        rows = [row(context, builder, sig, args, lane) for lane in range(LANES)]
        far = [_shuffled(builder, rows[k], rows[k + 4], list(range(8))) for k in range(4)]
        low, high = [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15]
        xy = [_shuffled(builder, far[k], far[k + 1], low) for k in (0, 2)]
        z = [_shuffled(builder, far[k], far[k + 1], high) for k in (0, 2)]
        first, second = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
        components = [_shuffled(builder, *xy, first), _shuffled(builder, *xy, second), _shuffled(builder, *z, first)]
        squares = [builder.fmul(component, component) for component in components]
        return builder.fadd(builder.fadd(squares[0], squares[1]), squares[2])

    return VEC(array, index, types.intp, VEC), codegen


@intrinsic
def three_lanes(typing_context, x, y, z):
    """Return the vector of three numbers and zeros."""

    def codegen(context, builder, sig, args):
        vector = ir.Constant(_LLVM_VEC, [0.0] * LANES)
        for lane, number in enumerate(args):
            vector = builder.insert_element(vector, number, ir.Constant(_I32, lane))
        return vector

    return VEC(types.float64, types.float64, types.float64), codegen
