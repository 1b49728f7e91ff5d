"""The vector type of `simd` as an extension of numba: <8 x double> or <16 x float> in LLVM."""

import operator

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features, get_process_triple
from numba import config, types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model
from numba.np.numpy_support import from_dtype

from fastsf.kernels._jit import njit

from .. import REAL


def _host_has_avx512():
    if config.CPU_NAME or config.CPU_FEATURES:  # the user compiles for another CPU
        return "avx512f" in (config.CPU_FEATURES or "") or "avx512" in (config.CPU_NAME or "")
    try:
        return bool(get_host_cpu_features().get("avx512f", False))
    except RuntimeError:
        return False


HAS_AVX512 = _host_has_avx512()
"""True if one instruction moves lanes to the front of a vector, and one guesses 1/sqrt."""

NUMBER = from_dtype(np.dtype(REAL))
"""Numba's type of a number in a lane; other numbers are converted to it."""

_BITS = NUMBER.bitwidth
MANTISSA_BITS = 52 if _BITS == 64 else 23
LANES = 512 // _BITS
_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_ELEMENTS = {types.float64: ir.DoubleType(), types.float32: ir.FloatType()}
_LLVM_VEC = ir.VectorType(_ELEMENTS[NUMBER], LANES)
_LLVM_INTS = ir.VectorType(ir.IntType(_BITS), LANES)
_LLVM_INT32S = ir.VectorType(_I32, LANES)
_LLVM_MASK = ir.VectorType(_I1, LANES)
_SUFFIX, _PACKED = f"v{LANES}f{_BITS}", "pd" if _BITS == 64 else "ps"


class _Vec(types.Type):
    def __init__(self):
        super().__init__(name=f"fastsf_f{_BITS}x{LANES}")


class _Mask(types.Type):
    def __init__(self):
        super().__init__(name=f"fastsf_mask{LANES}")


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
        kinds = [VEC if arg == VEC else NUMBER if _is_number(arg) else None for arg in args]
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

    for kinds in ((VEC, VEC), (VEC, NUMBER), (NUMBER, VEC)):
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


def _is_real(array):
    return any(_is_vector_of(array, kind) for kind in _ELEMENTS)


@intrinsic
def load(typing_context, array, start):
    """Return the vector of as many numbers of an array as it has lanes (float64 or float32, contiguous)."""
    if not _is_real(array):
        return None

    def codegen(context, builder, sig, args):
        stored = ir.VectorType(_ELEMENTS[sig.args[0].dtype], LANES)
        vector = builder.load(_pointer(context, builder, sig.args[0], *args, stored), align=_alignment(stored))
        return _converted(builder, vector, _LLVM_VEC)

    return VEC(array, types.intp), codegen


@intrinsic
def store(typing_context, array, start, vector):
    """Write a vector to array[start:], in the precision of the array."""
    if not _is_real(array):
        return None

    def codegen(context, builder, sig, args):
        stored = ir.VectorType(_ELEMENTS[sig.args[0].dtype], LANES)
        target = _pointer(context, builder, sig.args[0], *args[:2], stored)
        builder.store(_converted(builder, args[2], stored), target, align=_alignment(stored))
        return context.get_dummy_value()

    return types.void(array, types.intp, VEC), codegen


def _alignment(stored):
    return 8 if stored.element == ir.DoubleType() else 4


def _converted(builder, vector, kind):
    """Return a vector in the precision of another type."""
    if vector.type == kind:
        return vector
    return (builder.fptrunc if kind.element == ir.FloatType() else builder.fpext)(vector, kind)


def _is_row_of_numbers(array):
    return _is_real(array) or _is_vector_of(array, types.int64)


@intrinsic
def load_one(typing_context, array, index):
    """Return array[index] (contiguous) for an index that is not negative, which is not tested."""
    if not _is_row_of_numbers(array):
        return None

    def codegen(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.load(builder.gep(data, [args[1]]))

    return array.dtype(array, types.intp), codegen


@intrinsic
def store_one(typing_context, array, index, number):
    """Set array[index] = number, for an index that is not negative."""
    if not _is_row_of_numbers(array):
        return None

    def codegen(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        builder.store(args[2], builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), codegen


# --- arithmetic ---


def _intrinsic_call(builder, name, result, args):
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _mixed(kinds):
    """Return argument types, numbers in the precision of vectors, or None if there is anything else."""
    chosen = [VEC if kind == VEC else NUMBER if _is_number(kind) else None for kind in kinds]
    return None if None in chosen else chosen


@intrinsic
def splat(typing_context, number):
    """Return the vector with one number in every lane."""
    if not _is_number(number):
        return None

    def codegen(context, builder, sig, args):
        return _broadcast(builder, args[0])

    return VEC(NUMBER), codegen


@intrinsic
def fma(typing_context, a, b, c):
    """Return the fused a * b + c; vectors or numbers (fused where the CPU can)."""
    kinds = _mixed((a, b, c))
    if kinds is None:
        return None

    def codegen(context, builder, sig, args):
        vectors = _vectors(builder, sig.args, args)
        return _intrinsic_call(builder, f"llvm.fmuladd.{_SUFFIX}", _LLVM_VEC, vectors)

    return VEC(*kinds), codegen


@intrinsic
def sqrt(typing_context, a):
    """Return the square root."""

    def codegen(context, builder, sig, args):
        return _intrinsic_call(builder, f"llvm.sqrt.{_SUFFIX}", _LLVM_VEC, list(args))

    return VEC(VEC), codegen


def _guess(name, exact):
    """Return code for a guess of 14 bits where the CPU has an instruction for it, else for the exact value."""

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
        return _one_over(builder, _intrinsic_call(builder, f"llvm.sqrt.{_SUFFIX}", _LLVM_VEC, [vector]))

    return _guess(f"llvm.x86.avx512.rsqrt14.{_PACKED}.512", exact)


@intrinsic
def _reciprocal_guess(typing_context, a):
    return _guess(f"llvm.x86.avx512.rcp14.{_PACKED}.512", _one_over)


@intrinsic
def power(typing_context, base, exponent):
    """Return the lane-wise base ** exponent for a real exponent (one libm call per lane)."""
    kinds = _mixed((base, exponent))
    if kinds is None:
        return None

    def codegen(context, builder, sig, args):
        vectors = _vectors(builder, sig.args, args)
        return _intrinsic_call(builder, f"llvm.pow.{_SUFFIX}", _LLVM_VEC, vectors)

    return VEC(*kinds), codegen


def _extremum(symbol):
    def codegen(context, builder, sig, args):
        a, b = _vectors(builder, sig.args, args)
        return builder.select(builder.fcmp_ordered(symbol, a, b), a, b)

    return codegen


@intrinsic
def maximum(typing_context, a, b):
    """Return the lane-wise maximum."""
    kinds = _mixed((a, b))
    return None if kinds is None else (VEC(*kinds), _extremum(">"))


@intrinsic
def minimum(typing_context, a, b):
    """Return the lane-wise minimum."""
    kinds = _mixed((a, b))
    return None if kinds is None else (VEC(*kinds), _extremum("<"))


@intrinsic
def exp2_scale(typing_context, vector, shifted):
    """Return vector * 2^n where shifted = n + 1.5 * 2^(bits of the mantissa), so that n is in the lowest of them."""

    def codegen(context, builder, sig, args):
        bits, n = (builder.bitcast(arg, _LLVM_INTS) for arg in args)
        exponent = builder.shl(n, ir.Constant(_LLVM_INTS, [MANTISSA_BITS] * LANES))
        return builder.bitcast(builder.add(bits, exponent), _LLVM_VEC)

    return VEC(VEC, VEC), codegen


@intrinsic
def sum_lanes(typing_context, a):
    """Sum over the lanes in float64, always in the same order."""

    def codegen(context, builder, sig, args):
        vector, width = _converted(builder, args[0], ir.VectorType(ir.DoubleType(), LANES)), LANES
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
    """Return sums over the lanes of four vectors, at little more than the cost of one."""

    def halves(builder, x, y, run):
        """Return sums of the two halves of each run of lanes of x, followed by those of y, if there is one."""
        lanes, y = range(x.type.count if y is None else 2 * x.type.count), x if y is None else y
        orders = [[lane for lane in lanes if lane % run // (run // 2) == half] for half in (0, 1)]
        kind = ir.VectorType(_I32, len(orders[0]))
        low, high = (builder.shuffle_vector(x, y, ir.Constant(kind, order)) for order in orders)
        return builder.fadd(low, high)

    def codegen(context, builder, sig, args):
        ab, cd = halves(builder, args[0], args[1], LANES), halves(builder, args[2], args[3], LANES)
        sums, run = halves(builder, ab, cd, LANES // 2), LANES // 4
        while run > 1:
            sums, run = halves(builder, sums, None, run), run // 2
        numbers = [builder.extract_element(sums, ir.Constant(_I32, lane)) for lane in range(4)]
        return context.make_tuple(builder, sig.return_type, numbers)

    return types.UniTuple(NUMBER, 4)(VEC, VEC, VEC, VEC), codegen


# --- masks ---


@intrinsic
def select(typing_context, mask, a, b):
    """Return the lane-wise a where mask else b."""
    kinds = _mixed((a, b))
    if kinds is None or mask != MASK:
        return None

    def codegen(context, builder, sig, args):
        return builder.select(args[0], *_vectors(builder, sig.args[1:], args[1:]))

    return VEC(MASK, *kinds), codegen


def _lanes_against(comparison):
    def codegen(context, builder, sig, args):
        lanes = ir.Constant(_LLVM_INTS, list(range(LANES)))
        number = args[0] if _BITS == 64 else builder.trunc(args[0], _LLVM_INTS.element)
        return builder.icmp_signed(comparison, lanes, _broadcast(builder, number))

    return MASK(types.int64), codegen


@intrinsic
def first_lanes(typing_context, count):
    """Return the mask of the lanes below count."""
    return _lanes_against("<")


@intrinsic
def from_lane(typing_context, first):
    """Return the mask of the lanes from first on."""
    return _lanes_against(">=")


@intrinsic
def any_lane(typing_context, mask):
    """Return true if any lane is set."""

    def codegen(context, builder, sig, args):
        bits = builder.bitcast(args[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(MASK), codegen


@intrinsic
def count_lanes(typing_context, mask):
    """Return the number of set lanes."""

    def codegen(context, builder, sig, args):
        bits = builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), _I32)
        return builder.zext(builder.ctpop(bits), _I64)

    return types.int64(MASK), codegen


@intrinsic
def mask_bits(typing_context, mask):
    """Return a mask as an integer, lane 0 in the lowest bit."""

    def codegen(context, builder, sig, args):
        return builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), _I64)

    return types.int64(MASK), codegen


@intrinsic
def bits_mask(typing_context, bits):
    """Return the mask of an integer made by `mask_bits`."""

    def codegen(context, builder, sig, args):
        return builder.bitcast(builder.trunc(args[0], ir.IntType(LANES)), _LLVM_MASK)

    return MASK(types.int64), codegen


@intrinsic
def pack(typing_context, vector, mask):
    """Move set lanes to the front; on CPUs without an instruction for it, set the others to zero instead."""

    def codegen(context, builder, sig, args):
        if not HAS_AVX512:
            return builder.select(args[1], args[0], ir.Constant(_LLVM_VEC, [0.0] * LANES))
        undefined = ir.Constant(_LLVM_VEC, ir.Undefined)
        return _intrinsic_call(builder, f"llvm.experimental.vector.compress.{_SUFFIX}", _LLVM_VEC, [*args, undefined])

    return VEC(VEC, MASK), codegen


@intrinsic
def packed_lanes(typing_context, mask):
    """Return the number of lanes that `pack` fills: the set ones; without an instruction, all or none."""

    def codegen(context, builder, sig, args):
        bits = builder.bitcast(args[0], ir.IntType(LANES))
        if not HAS_AVX512:
            any_set = builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))
            return builder.select(any_set, ir.Constant(_I64, LANES), ir.Constant(_I64, 0))
        return builder.zext(builder.ctpop(builder.zext(bits, _I32)), _I64)

    return types.int64(MASK), codegen


@intrinsic
def unpack(typing_context, array, start, bits):
    """Undo `pack`: lanes of array[start:] back in the places that the mask's bits tell, zero in the others."""
    if not _is_vector_of(array, NUMBER):
        return None

    def codegen(context, builder, sig, args):
        mask = builder.bitcast(builder.trunc(args[2], ir.IntType(LANES)), _LLVM_MASK)
        zero = ir.Constant(_LLVM_VEC, [0.0] * LANES)
        packed = builder.load(
            _pointer(context, builder, sig.args[0], *args[:2], _LLVM_VEC), align=_alignment(_LLVM_VEC)
        )
        if not HAS_AVX512:
            return builder.select(mask, packed, zero)
        return _intrinsic_call(builder, f"llvm.x86.avx512.mask.expand.{_SUFFIX}", _LLVM_VEC, [packed, zero, mask])

    return VEC(array, types.intp, types.int64), codegen


# --- subnormal numbers ---

_FLUSH = 0x8040  # bits of the control register MXCSR: subnormal operands count as zero, and so do results
_IS_X86 = get_process_triple().startswith("x86_64")


def _control_register(builder, name):
    """Let an instruction read or write the control register of SSE; returns where its value stands."""
    place = cgutils.alloca_once(builder, _I32)
    pointer = builder.bitcast(place, ir.IntType(8).as_pointer())

    def access():
        kind = ir.FunctionType(ir.VoidType(), [pointer.type])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}"), [pointer])

    return place, access


@intrinsic
def flush_subnormals(typing_context):
    """Count float32 numbers below the smallest normal one as zero from now on; returns what `keep_subnormals` needs.

    In float64 they are so rare that nothing is done; in float32, x86 spends half of the time on them.
    """

    def codegen(context, builder, sig, args):
        if types.float64 == NUMBER or not _IS_X86:
            return ir.Constant(_I64, 0)
        place, read = _control_register(builder, "stmxcsr")
        read()
        before = builder.load(place)
        place, write = _control_register(builder, "ldmxcsr")
        builder.store(builder.or_(before, ir.Constant(_I32, _FLUSH)), place)
        write()
        return builder.zext(before, _I64)

    return types.int64(), codegen


@intrinsic
def keep_subnormals(typing_context, before):
    """Undo `flush_subnormals`."""

    def codegen(context, builder, sig, args):
        if types.float32 == NUMBER and _IS_X86:
            place, write = _control_register(builder, "ldmxcsr")
            builder.store(builder.trunc(args[0], _I32), place)
            write()
        return context.get_dummy_value()

    return types.void(types.int64), codegen


# --- made of the above ---


@njit(forceinline=True)
def inverse_sqrt(a):
    """Return 1 / sqrt(a) to 2 ulp for a > 0: on AVX-512 from a guess of 14 bits, without division."""
    y = _inverse_sqrt_guess(a)
    if HAS_AVX512:
        error = fma(a * y, -y, 1.0)
        y = fma(y * error, fma(fma(error, 0.3125, 0.375), error, 0.5), y)
    return y


@njit(forceinline=True)
def reciprocal(a):
    """Return 1 / a to 2 ulp for normal numbers: on AVX-512 from a guess of 14 bits, without division."""
    y = _reciprocal_guess(a)
    if HAS_AVX512:
        error = fma(a, -y, 1.0)
        y = fma(y, fma(fma(error, error, error), error, error), y)
    return y
