"""The vector type of `simd` as an extension of numba: <8 x double> in LLVM."""

import operator

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import config, types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

from fastsf.kernels._jit import njit


def _host_has_avx512():
    if config.CPU_NAME or config.CPU_FEATURES:  # the user compiles for another CPU
        return "avx512f" in (config.CPU_FEATURES or "") or "avx512" in (config.CPU_NAME or "")
    try:
        return bool(get_host_cpu_features().get("avx512f", False))
    except RuntimeError:
        return False


HAS_AVX512 = _host_has_avx512()
"""Whether lanes can be moved to the front of a vector, and 1/sqrt be guessed, in one instruction."""

LANES = 8
_I1, _I32, _I64, _F64 = ir.IntType(1), ir.IntType(32), ir.IntType(64), ir.DoubleType()
_LLVM_VEC = ir.VectorType(_F64, LANES)
_LLVM_INTS = ir.VectorType(_I64, LANES)
_LLVM_INT32S = ir.VectorType(_I32, LANES)
_LLVM_MASK = ir.VectorType(_I1, LANES)


class _Vec(types.Type):
    def __init__(self):
        super().__init__(name="fastsf_f64x8")


class _Mask(types.Type):
    def __init__(self):
        super().__init__(name="fastsf_mask8")


VEC, MASK = _Vec(), _Mask()


@register_model(_Vec)
class _VecModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _LLVM_VEC)


@register_model(_Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _LLVM_MASK)


# --- operators: vector with vector, or with a number on either side ---


def _is_number(kind):
    return isinstance(kind, types.Float | types.Integer)


class _Arithmetic(AbstractTemplate):
    result = VEC

    def generic(self, args, kws):
        kinds = [VEC if arg == VEC else types.float64 if _is_number(arg) else None for arg in args]
        if len(kinds) == 2 and None not in kinds and VEC in kinds:
            return signature(self.result, *kinds)
        return None


class _Comparison(_Arithmetic):
    result = MASK


class _MaskLogic(AbstractTemplate):
    def generic(self, args, kws):
        return signature(MASK, MASK, MASK) if tuple(args) == (MASK, MASK) else None


class _Negation(AbstractTemplate):
    key = operator.neg

    def generic(self, args, kws):
        return signature(VEC, VEC) if tuple(args) == (VEC,) else None


def _broadcast(builder, value):
    undefined = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(_LLVM_INT32S, [0] * LANES))


def _vectors(builder, kinds, args):
    return [arg if kind == VEC else _broadcast(builder, arg) for kind, arg in zip(kinds, args, strict=True)]


def _lower_pairs(op, emit):
    def lowered(context, builder, sig, args):
        return emit(builder, *_vectors(builder, sig.args, args))

    for kinds in ((VEC, VEC), (VEC, types.float64), (types.float64, VEC)):
        lower_builtin(op, *kinds)(lowered)


def _register_operators():
    for name in ("add", "sub", "mul", "truediv"):
        method = {"truediv": "fdiv"}.get(name, "f" + name)
        for op in (getattr(operator, name), getattr(operator, "i" + name)):
            infer_global(op)(type("_Arithmetic_" + name, (_Arithmetic,), {"key": op}))
            _lower_pairs(op, lambda builder, a, b, method=method: getattr(builder, method)(a, b))
    for op, symbol in ((operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.ge, ">=")):
        infer_global(op)(type("_Comparison_" + op.__name__, (_Comparison,), {"key": op}))
        _lower_pairs(op, lambda builder, a, b, symbol=symbol: builder.fcmp_ordered(symbol, a, b))
    for op, method in ((operator.and_, "and_"), (operator.or_, "or_")):
        infer_global(op)(type("_MaskLogic_" + method, (_MaskLogic,), {"key": op}))
        lower_builtin(op, MASK, MASK)(lambda context, builder, sig, args, m=method: getattr(builder, m)(*args))
    infer_global(operator.neg)(_Negation)
    lower_builtin(operator.neg, VEC)(lambda context, builder, sig, args: builder.fneg(args[0]))


_register_operators()


# --- memory ---


def _pointer(context, builder, array_type, array, index, vector_type):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector_type.as_pointer())


def _is_vector_of(array, dtype):
    return isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C" and array.dtype == dtype


@intrinsic
def load(typing_context, array, start):
    """Vector of array[start : start + 8] (float64, contiguous)."""
    if not _is_vector_of(array, types.float64):
        return None

    def codegen(context, builder, sig, args):
        return builder.load(_pointer(context, builder, sig.args[0], *args, _LLVM_VEC), align=8)

    return VEC(array, types.intp), codegen


@intrinsic
def store(typing_context, array, start, vector):
    """Write a vector to array[start : start + 8]."""
    if not _is_vector_of(array, types.float64):
        return None

    def codegen(context, builder, sig, args):
        builder.store(args[2], _pointer(context, builder, sig.args[0], *args[:2], _LLVM_VEC), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, VEC), codegen


def _is_row_of_numbers(array):
    return _is_vector_of(array, types.float64) or _is_vector_of(array, types.int64)


@intrinsic
def load_one(typing_context, array, index):
    """array[index] (float64 or int64, contiguous) for an index that is not negative: no test for it, as NumPy's has."""
    if not _is_row_of_numbers(array):
        return None

    def codegen(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.load(builder.gep(data, [args[1]]))

    return array.dtype(array, types.intp), codegen


@intrinsic
def store_one(typing_context, array, index, number):
    """array[index] = number, for an index that is not negative."""
    if not _is_row_of_numbers(array):
        return None

    def codegen(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        builder.store(args[2], builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), codegen


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
    """target[offset : offset + 8] = source[start : start + 8] (int32, contiguous)."""
    if not (_is_vector_of(source, types.int32) and _is_vector_of(target, types.int32)):
        return None

    def codegen(context, builder, sig, args):
        lanes = builder.load(_pointer(context, builder, sig.args[0], *args[:2], _LLVM_INT32S), align=4)
        builder.store(lanes, _pointer(context, builder, sig.args[2], *args[2:], _LLVM_INT32S), align=4)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp), codegen


@intrinsic
def transpose(typing_context, source, start, target, offset):
    """target[offset + 8 c + r] = source[start + 8 r + c] for eight rows r and eight columns c."""
    if not (_is_vector_of(source, types.float64) and _is_vector_of(target, types.float64)):
        return None

    def shuffled(builder, a, b, order):
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, len(order)), order))

    def codegen(context, builder, sig, args):
        first = _pointer(context, builder, sig.args[0], *args[:2], ir.VectorType(_F64, 4))
        halves = [builder.load(builder.gep(first, [ir.Constant(_I32, k)]), align=8) for k in range(2 * LANES)]
        whole = list(range(LANES))
        low = [shuffled(builder, halves[2 * r], halves[2 * r + LANES], whole) for r in range(4)]
        high = [shuffled(builder, halves[2 * r + 1], halves[2 * r + 1 + LANES], whole) for r in range(4)]
        columns = []
        for rows in (low, high):
            even = [shuffled(builder, rows[r], rows[r + 1], [0, 8, 2, 10, 4, 12, 6, 14]) for r in (0, 2)]
            odd = [shuffled(builder, rows[r], rows[r + 1], [1, 9, 3, 11, 5, 13, 7, 15]) for r in (0, 2)]
            for order in ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]):
                columns += [shuffled(builder, *pair, order) for pair in (even, odd)]
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


# --- arithmetic ---


def _intrinsic_call(builder, name, result, args):
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _mixed(kinds):
    """Argument types with numbers as float64, or None if there is anything else."""
    chosen = [VEC if kind == VEC else types.float64 if _is_number(kind) else None for kind in kinds]
    return None if None in chosen else chosen


@intrinsic
def splat(typing_context, number):
    """Vector with one number in every lane."""
    if not _is_number(number):
        return None

    def codegen(context, builder, sig, args):
        return _broadcast(builder, args[0])

    return VEC(types.float64), codegen


@intrinsic
def fma(typing_context, a, b, c):
    """Fused a * b + c; vectors or numbers (fused where the CPU can)."""
    kinds = _mixed((a, b, c))
    if kinds is None:
        return None

    def codegen(context, builder, sig, args):
        vectors = _vectors(builder, sig.args, args)
        return _intrinsic_call(builder, "llvm.fmuladd.v8f64", _LLVM_VEC, vectors)

    return VEC(*kinds), codegen


@intrinsic
def sqrt(typing_context, a):
    """Square root."""

    def codegen(context, builder, sig, args):
        return _intrinsic_call(builder, "llvm.sqrt.v8f64", _LLVM_VEC, list(args))

    return VEC(VEC), codegen


def _guess(name, exact):
    """Code for a guess of 14 bits where the CPU has an instruction for it, else for the exact value."""

    def codegen(context, builder, sig, args):
        if not HAS_AVX512:
            return exact(builder, args[0])
        everywhere = ir.Constant(ir.IntType(LANES), -1)
        return _intrinsic_call(builder, name, _LLVM_VEC, [*args, ir.Constant(_LLVM_VEC, ir.Undefined), everywhere])

    return VEC(VEC), codegen


def _one_over(builder, vector):
    return builder.fdiv(ir.Constant(_LLVM_VEC, [1.0] * LANES), vector)


@intrinsic
def _inverse_sqrt_guess(typing_context, a):
    def exact(builder, vector):
        return _one_over(builder, _intrinsic_call(builder, "llvm.sqrt.v8f64", _LLVM_VEC, [vector]))

    return _guess("llvm.x86.avx512.rsqrt14.pd.512", exact)


@intrinsic
def _reciprocal_guess(typing_context, a):
    return _guess("llvm.x86.avx512.rcp14.pd.512", _one_over)


@intrinsic
def power(typing_context, base, exponent):
    """Lane-wise base ** exponent for a real exponent (one libm call per lane)."""
    kinds = _mixed((base, exponent))
    if kinds is None:
        return None

    def codegen(context, builder, sig, args):
        vectors = _vectors(builder, sig.args, args)
        return _intrinsic_call(builder, "llvm.pow.v8f64", _LLVM_VEC, vectors)

    return VEC(*kinds), codegen


def _extremum(symbol):
    def codegen(context, builder, sig, args):
        a, b = _vectors(builder, sig.args, args)
        return builder.select(builder.fcmp_ordered(symbol, a, b), a, b)

    return codegen


@intrinsic
def maximum(typing_context, a, b):
    """Lane-wise maximum."""
    kinds = _mixed((a, b))
    return None if kinds is None else (VEC(*kinds), _extremum(">"))


@intrinsic
def minimum(typing_context, a, b):
    """Lane-wise minimum."""
    kinds = _mixed((a, b))
    return None if kinds is None else (VEC(*kinds), _extremum("<"))


@intrinsic
def exp2_scale(typing_context, vector, shifted):
    """Vector * 2^n where shifted = n + 1.5 * 2^52, so that n stands in the low mantissa bits."""

    def codegen(context, builder, sig, args):
        bits, n = (builder.bitcast(arg, _LLVM_INTS) for arg in args)
        exponent = builder.shl(n, ir.Constant(_LLVM_INTS, [52] * LANES))
        return builder.bitcast(builder.add(bits, exponent), _LLVM_VEC)

    return VEC(VEC, VEC), codegen


@intrinsic
def sum_lanes(typing_context, a):
    """Sum over the lanes, always in the same order."""

    def codegen(context, builder, sig, args):
        vector, width = args[0], LANES
        while width > 1:
            width //= 2
            kind = ir.VectorType(_I32, width)
            low, high = (
                builder.shuffle_vector(vector, vector, ir.Constant(kind, list(range(first, first + width))))
                for first in (0, width)
            )
            vector = builder.fadd(low, high)
        return builder.extract_element(vector, ir.Constant(_I32, 0))

    return types.float64(VEC), codegen


@intrinsic
def sum_lanes_of_four(typing_context, a, b, c, d):
    """Sums over the lanes of four vectors, at little more than the cost of one."""

    def halves(builder, x, y, order):
        kind = ir.VectorType(_I32, len(order[0]))
        low, high = (builder.shuffle_vector(x, y, ir.Constant(kind, lanes)) for lanes in order)
        return builder.fadd(low, high)

    def codegen(context, builder, sig, args):
        across = [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]
        ab, cd = halves(builder, args[0], args[1], across), halves(builder, args[2], args[3], across)
        both = halves(builder, ab, cd, ([0, 1, 4, 5, 8, 9, 12, 13], [2, 3, 6, 7, 10, 11, 14, 15]))
        sums = halves(builder, both, both, ([0, 2, 4, 6], [1, 3, 5, 7]))
        numbers = [builder.extract_element(sums, ir.Constant(_I32, lane)) for lane in range(4)]
        return context.make_tuple(builder, sig.return_type, numbers)

    return types.UniTuple(types.float64, 4)(VEC, VEC, VEC, VEC), codegen


# --- masks ---


@intrinsic
def select(typing_context, mask, a, b):
    """Lane-wise a where mask else b."""
    kinds = _mixed((a, b))
    if kinds is None or mask != MASK:
        return None

    def codegen(context, builder, sig, args):
        return builder.select(args[0], *_vectors(builder, sig.args[1:], args[1:]))

    return VEC(MASK, *kinds), codegen


def _lanes_against(comparison):
    def codegen(context, builder, sig, args):
        lanes = ir.Constant(_LLVM_INTS, list(range(LANES)))
        return builder.icmp_signed(comparison, lanes, _broadcast(builder, args[0]))

    return MASK(types.int64), codegen


@intrinsic
def first_lanes(typing_context, count):
    """Mask of the lanes below count."""
    return _lanes_against("<")


@intrinsic
def from_lane(typing_context, first):
    """Mask of the lanes from first on."""
    return _lanes_against(">=")


@intrinsic
def equal_lanes(typing_context, array, start, number):
    """Mask of the lanes where the int64 array[start + lane] is a number."""
    if not _is_vector_of(array, types.int64):
        return None

    def codegen(context, builder, sig, args):
        raw = builder.load(_pointer(context, builder, sig.args[0], *args[:2], _LLVM_INTS), align=8)
        return builder.icmp_signed("==", raw, _broadcast(builder, args[2]))

    return MASK(array, types.intp, types.int64), codegen


@intrinsic
def any_lane(typing_context, mask):
    """Whether any lane is set."""

    def codegen(context, builder, sig, args):
        bits = builder.bitcast(args[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(MASK), codegen


@intrinsic
def count_lanes(typing_context, mask):
    """Number of set lanes."""

    def codegen(context, builder, sig, args):
        bits = builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), _I32)
        return builder.zext(builder.ctpop(bits), _I64)

    return types.int64(MASK), codegen


@intrinsic
def mask_bits(typing_context, mask):
    """Mask as an integer, lane 0 in the lowest bit."""

    def codegen(context, builder, sig, args):
        return builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), _I64)

    return types.int64(MASK), codegen


@intrinsic
def bits_mask(typing_context, bits):
    """The mask of an integer made by `mask_bits`."""

    def codegen(context, builder, sig, args):
        return builder.bitcast(builder.trunc(args[0], ir.IntType(LANES)), _LLVM_MASK)

    return MASK(types.int64), codegen


@intrinsic
def pack(typing_context, vector, mask):
    """The set lanes moved to the front; on CPUs without an instruction for it, the others set to zero instead."""

    def codegen(context, builder, sig, args):
        if not HAS_AVX512:
            return builder.select(args[1], args[0], ir.Constant(_LLVM_VEC, [0.0] * LANES))
        undefined = ir.Constant(_LLVM_VEC, ir.Undefined)
        return _intrinsic_call(builder, "llvm.experimental.vector.compress.v8f64", _LLVM_VEC, [*args, undefined])

    return VEC(VEC, MASK), codegen


@intrinsic
def packed_lanes(typing_context, mask):
    """Lanes that `pack` fills: the set ones; without an instruction for it all eight, or none if none is set."""

    def codegen(context, builder, sig, args):
        bits = builder.bitcast(args[0], ir.IntType(LANES))
        if not HAS_AVX512:
            any_set = builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))
            return builder.select(any_set, ir.Constant(_I64, LANES), ir.Constant(_I64, 0))
        return builder.zext(builder.ctpop(builder.zext(bits, _I32)), _I64)

    return types.int64(MASK), codegen


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
def unpack(typing_context, array, start, bits):
    """Undo `pack`: lanes of array[start:] back in the places that the mask's bits tell, zero in the others."""
    if not _is_vector_of(array, types.float64):
        return None

    def codegen(context, builder, sig, args):
        mask = builder.bitcast(builder.trunc(args[2], ir.IntType(LANES)), _LLVM_MASK)
        zero = ir.Constant(_LLVM_VEC, [0.0] * LANES)
        packed = builder.load(_pointer(context, builder, sig.args[0], *args[:2], _LLVM_VEC), align=8)
        if not HAS_AVX512:
            return builder.select(mask, packed, zero)
        return _intrinsic_call(builder, "llvm.x86.avx512.mask.expand.v8f64", _LLVM_VEC, [packed, zero, mask])

    return VEC(array, types.intp, types.int64), codegen


@intrinsic
def lane_numbers(typing_context):
    """Vector of 0, 1, ... 7."""

    def codegen(context, builder, sig, args):
        return ir.Constant(_LLVM_VEC, [float(lane) for lane in range(LANES)])

    return VEC(), codegen


# --- points in float32, rows of points in float64 ---

_F32, _I16 = ir.FloatType(), ir.IntType(16)
_LLVM_FLOATS = ir.VectorType(_F32, LANES)
_LLVM_WIDE = ir.VectorType(_F32, 2 * LANES)
_LLVM_WIDE_INTS = ir.VectorType(_I32, 2 * LANES)
_LLVM_WIDE_MASK = ir.VectorType(_I1, 2 * LANES)
_LLVM_FOUR = ir.VectorType(_F64, 4)


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
    """Bits of the sixteen points start ... whose squared distance from (x, y, z) is below the limit, in float32.

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
    """Number of set bits."""

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


def _shuffled(builder, a, b, order):
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, len(order)), order))


@intrinsic
def squared_folded(typing_context, array, index, start, vector):
    """Squared lengths of what `store_folded` makes of the rows array[8 index[start + lane]:] minus a vector."""
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
    """Vector of three numbers and zeros."""

    def codegen(context, builder, sig, args):
        vector = ir.Constant(_LLVM_VEC, [0.0] * LANES)
        for lane, number in enumerate(args):
            vector = builder.insert_element(vector, number, ir.Constant(_I32, lane))
        return vector

    return VEC(types.float64, types.float64, types.float64), codegen


# --- made of the above ---


@njit(forceinline=True)
def inverse_sqrt(a):
    """1 / sqrt(a) to 2 ulp for a > 0: on AVX-512 a guess of 14 bits and the series in its error, no division."""
    y = _inverse_sqrt_guess(a)
    if HAS_AVX512:
        error = fma(a * y, -y, 1.0)
        y = fma(y * error, fma(fma(error, 0.3125, 0.375), error, 0.5), y)
    return y


@njit(forceinline=True)
def reciprocal(a):
    """1 / a to 2 ulp for normal numbers: on AVX-512 a guess of 14 bits and the series in its error, no division."""
    y = _reciprocal_guess(a)
    if HAS_AVX512:
        error = fma(a, -y, 1.0)
        y = fma(y, fma(fma(error, error, error), error, error), y)
    return y
