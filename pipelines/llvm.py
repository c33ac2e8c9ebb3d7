"""What we say in LLVM's own terms, inside functions that numba compiles: vectors, and what threads share.

numba's own vectoriser does not find the form of our products, so their inner loops are written with vectors of a
certain width: LLVM makes of them what the CPU has.
"""

from __future__ import annotations

import hashlib
import os
import platform
from functools import partial
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, config
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

BYTE, SHORT, INT, LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
HALF, FLOAT = ir.HalfType(), ir.FloatType()
INDEX = types.int64
LANES = 16  # floats that are computed at once
MAGIC = 1.5 * 2.0**23  # added to a small float, rounds it to a whole number
LINE = 64  # bytes that come from memory together
typed_intrinsic: Any = intrinsic
X86 = platform.machine().lower() in ("x86_64", "amd64")
_set: Any = config
FEATURES = (_set.CPU_FEATURES or get_host_cpu_features()).split(",")  # who sets NUMBA_CPU_FEATURES has their way
REGISTERS = 32 if "+avx512f" in FEATURES else 16  # for vectors
NATIVE_HALVES = "+f16c" in FEATURES or platform.machine().lower() in ("aarch64", "arm64")

compiled: Any = partial(njit, error_model="numpy", _nrt=False)
"""numba's njit of functions that never raise, as other threads would wait for ever, and that own no arrays: counting
who uses an array, in two threads at once, costs more than a small product."""


def digest(*modules: Any) -> str:
    """Of their files: numba does not see when what it keeps compiled on the disk calls something that has changed."""
    return hashlib.sha256(b"".join(Path(module.__file__).read_bytes() for module in modules)).hexdigest()


def long(value: int) -> ir.Constant:
    return ir.Constant(LONG, value)


def every(vector: ir.VectorType, value: Any) -> ir.Constant:
    """A vector of the same number everywhere."""
    return ir.Constant(vector, [value] * vector.count)


class Build:
    """Vectors and addresses, at the place where the builder is."""

    def __init__(self, context: Any, builder: Any) -> None:
        self._context = context
        self.to = builder

    def call(self, name: str, result: Any, *values: Any) -> Any:
        """One of LLVM's intrinsic functions."""
        kind = ir.FunctionType(result, [value.type for value in values])
        return self.to.call(cgutils.get_or_insert_function(self.to.module, kind, name), values)

    def array(self, kind: Any, array: Any) -> tuple[Any, Any]:
        """Where a contiguous array begins, and the length of its rows."""
        data, shape = self.shaped(kind, array)
        return data, shape[-1]

    def shaped(self, kind: Any, array: Any) -> tuple[Any, list[Any]]:
        """Where a contiguous array begins, and its shape."""
        found = self._context.make_array(kind)(self._context, self.to, array)
        return found.data, cgutils.unpack_tuple(self.to, found.shape)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """a * b + c, of vectors of floats, in one where the processor has that."""
        return self.call(f"llvm.fmuladd.v{a.type.count}f32", a.type, a, b, c)

    def at(self, address: Any, *steps: Any) -> Any:
        for step in steps:
            address = self.to.gep(address, [step if isinstance(step, ir.Value) else long(step)], inbounds=True)
        return address

    def times(self, value: Any, by: Any) -> Any:
        return self.to.mul(value, by if isinstance(by, ir.Value) else long(by))

    def loop(self, count: Any) -> Any:
        return cgutils.for_range(self.to, count, intp=LONG)

    def load(self, address: Any, kind: Any) -> Any:
        """A number or a vector, from wherever it lies."""
        value = self.to.load(self.to.bitcast(address, kind.as_pointer()))
        value.align = {BYTE: 1, SHORT: 2}.get(getattr(kind, "element", kind), 4)
        return value

    def soon(self, address: Any, ahead: int, count: int) -> None:
        """Ask memory for these bytes, so far ahead of an address. It may be beyond the array: nothing is read then."""
        kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), INT, INT, INT])
        prefetch = cgutils.get_or_insert_function(self.to.module, kind, "llvm.prefetch.p0")
        start = self.to.bitcast(address, BYTE.as_pointer())
        for line in range(ahead, ahead + count, LINE):
            reading = (ir.Constant(INT, n) for n in (0, 3, 1))  # not for writing; into every cache; data
            self.to.call(prefetch, [self.to.gep(start, [long(line)]), *reading])

    def halves(self, address: Any, count: int) -> Any:
        """So many half-precision numbers as floats."""
        return widened(self.to, self.load(address, ir.VectorType(SHORT, count)))

    def splat(self, number: Any, count: int) -> Any:
        """A number in all places of a vector."""
        vector = ir.VectorType(number.type, count)
        nothing = ir.Constant(vector, ir.Undefined)
        one = self.to.insert_element(nothing, number, ir.Constant(INT, 0))
        return self.to.shuffle_vector(one, nothing, every(ir.VectorType(INT, count), 0))

    def register(self, value: Any) -> Any:
        """A place for a vector that changes."""
        place = cgutils.alloca_once(self.to, value.type)
        self.to.store(value, place)
        return place

    def multiply_add(self, a: Any, b: Any, register: Any) -> None:
        self.to.store(self.fma(a, b, self.to.load(register)), register)

    def put(self, register: Any, address: Any) -> None:
        self.store(self.to.load(register), address)

    def store(self, value: Any, address: Any, align: int = 4) -> None:
        self.to.store(value, self.to.bitcast(address, value.type.as_pointer())).align = align

    def rounded(self, numbers: Any) -> Any:
        """The whole numbers next to a vector of floats, less than 2**22 to either side; halves go to the even one."""
        integers = _like(numbers.type, INT)
        shifted = self.to.bitcast(self.to.fadd(numbers, every(numbers.type, MAGIC)), integers)
        return self.to.sub(shifted, self.to.bitcast(every(numbers.type, MAGIC), integers))

    def across(self, vector: Any) -> Any:
        """What a vector's floats come to: neighbours are added up, then those sums, and so on."""
        while (half := vector.type.count // 2) > 1:
            nothing, kind = ir.Constant(vector.type, ir.Undefined), ir.VectorType(INT, half)
            halves = (ir.Constant(kind, [2 * n + side for n in range(half)]) for side in (0, 1))
            vector = self.to.fadd(*(self.to.shuffle_vector(vector, nothing, places) for places in halves))
        return self.to.fadd(*(self.to.extract_element(vector, ir.Constant(INT, side)) for side in (0, 1)))

    def exp(self, x: Any) -> Any:
        """e to the powers in a vector of floats: Cephes' expf, as in softmax.py. Below -87 it is 0."""
        to, kind, integers = self.to, x.type, _like(x.type, INT)

        def both(a: Any, b: Any, c: Any) -> Any:
            a, b, c = (every(kind, each) if isinstance(each, float) else each for each in (a, b, c))
            return self.fma(a, b, c)

        small, large = to.fcmp_ordered("<", x, every(kind, -87.0)), to.fcmp_ordered(">", x, every(kind, 88.0))
        x = to.select(small, every(kind, -87.0), to.select(large, every(kind, 88.0), x))
        shifted = both(x, 1.44269504, MAGIC)  # its last bits are the nearest whole number
        whole = to.fsub(shifted, every(kind, MAGIC))
        x = both(whole, 2.12194440e-4, both(whole, -0.693359375, x))
        y = both(1.9875691500e-4, x, 1.3981999507e-3)
        for factor in (8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
            y = both(y, x, factor)
        y = both(to.fmul(y, x), x, to.fadd(x, every(kind, 1.0)))
        power = to.shl(to.add(to.bitcast(shifted, integers), every(integers, 127)), every(integers, 23))
        return to.select(small, every(kind, 0.0), to.fmul(y, to.bitcast(power, kind)))


def widened(builder: Any, bits: Any, native: bool = NATIVE_HALVES) -> Any:
    """The float, or vector of floats, that has these 16 bits in half precision. By hand it is exact but for infinity.

    Without the instruction LLVM would call a function that is not there.
    """
    half, short, int_, float_ = (_like(bits.type, kind) for kind in (HALF, SHORT, INT, FLOAT))
    if native:
        return builder.fpext(builder.bitcast(bits, half), float_)
    magnitude = builder.shl(builder.zext(builder.and_(bits, _same(short, 0x7FFF)), int_), _same(int_, 13))
    sign = builder.shl(builder.zext(builder.and_(bits, _same(short, 0x8000)), int_), _same(int_, 16))
    exponents = _same(float_, 2.0**112)  # counted from 15, not from 127
    number = builder.fmul(builder.bitcast(magnitude, float_), exponents)
    return builder.bitcast(builder.or_(builder.bitcast(number, int_), sign), float_)


def narrowed(builder: Any, number: Any, native: bool = NATIVE_HALVES) -> Any:
    """The 16 bits of a float in half precision, rounded to the nearest; by hand, numbers too large are infinite."""
    if native:
        return builder.bitcast(builder.fptrunc(number, HALF), SHORT)
    bits = builder.bitcast(number, INT)
    magnitude = builder.bitcast(builder.and_(bits, _same(INT, 0x7FFFFFFF)), FLOAT)
    small = builder.bitcast(builder.fmul(magnitude, _same(FLOAT, 2.0**-112)), INT)
    even = builder.and_(builder.lshr(small, _same(INT, 13)), _same(INT, 1))
    half = builder.lshr(builder.add(builder.add(small, _same(INT, 0xFFF)), even), _same(INT, 13))
    half = builder.select(builder.icmp_unsigned("<", half, _same(INT, 0x7C00)), half, _same(INT, 0x7C00))
    sign = builder.and_(builder.lshr(bits, _same(INT, 16)), _same(INT, 0x8000))
    return builder.trunc(builder.or_(half, sign), SHORT)


def _like(kind: Any, element: Any) -> Any:
    """The type with this element that has as many as `kind`."""
    return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element


def _same(kind: Any, value: Any) -> ir.Constant:
    return every(kind, value) if isinstance(kind, ir.VectorType) else ir.Constant(kind, value)


@typed_intrinsic
def half(context, number):
    """The number that these 16 bits are in half precision."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return widened(builder, given[0])

    return types.float32(types.uint16), generate


@typed_intrinsic
def halved(context, number):
    """The 16 bits of this number in half precision."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return narrowed(builder, given[0])

    return types.uint16(types.float32), generate


def _atomic(change: str) -> Any:
    """Change an element that other threads change too, as an intrinsic of numba; it returns what it was."""

    @typed_intrinsic
    def changed(context, array, index, value):
        return types.int64(array, INDEX, types.int64), generate

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        build = Build(context, builder)
        address = build.at(build.array(signature.args[0], given[0])[0], given[1])
        return builder.atomic_rmw(change, address, given[2], "seq_cst")

    return changed


add, swap = _atomic("add"), _atomic("xchg")


@typed_intrinsic
def look(context, array, index):
    """An element that other threads change."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        build = Build(context, builder)
        return builder.load_atomic(build.at(build.array(signature.args[0], given[0])[0], given[1]), "acquire", 8)

    return types.int64(array, INDEX), generate


@typed_intrinsic
def rest(context):
    """Let the system run something else on this core, for some 20 microseconds; where it knows no usleep, for none."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        if os.name == "posix":
            usleep = cgutils.get_or_insert_function(builder.module, ir.FunctionType(INT, [INT]), "usleep")
            builder.call(usleep, [ir.Constant(INT, 20)])
        return context.get_dummy_value()

    return types.void(), generate


@typed_intrinsic
def pause(context):
    """Tell the processor that this is a loop that waits: two threads may share a core's units."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        if X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), generate
