"""Products of a few rows with weights of 4 and 8 bits, and with halves, for numba to compile for this CPU.

A token reads each weight once, so nothing may cost more than the reading. The rows come rounded to 8 bits, with a
scale for every 32 numbers, as llama.cpp does it: whole numbers are multiplied and added, 32 at a time with AVX2 or
VNNI, and only a block's sum becomes a float. Weights lie in tiles of 8 outputs: of each, four inputs lie side by side,
then come those of the next output. So a vector's places are outputs, and nothing is added up across them but four
neighbours. Several rows share what was read. Each is summed up in the same order however many there are, so that it
comes out the same to the last bit.

A block is 32 inputs of one output, as in GGUF files (llama.cpp's ggml-common.h), with a scale of 16 bits:

    FOURS   Q4_1: code * scale + low, and low has 16 bits too. A byte holds inputs i and 16 + i of a block.
    EIGHTS  Q8_0: code * scale, codes from -127 to 127
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from pipelines.llvm import (
    BYTE,
    FEATURES,
    FLOAT,
    INDEX,
    INT,
    LANES,
    LINE,
    REGISTERS,
    SHORT,
    Build,
    compiled,
    every,
    long,
    typed_intrinsic,
)

TILE = 8  # outputs of a tile
STRIP = 32  # outputs of a product at a time
BLOCK = 32  # inputs that share a scale
QUAD = 4  # inputs that lie side by side
FOURS, EIGHTS = 0, 1
STORED, SCALES = (BLOCK // 2, BLOCK), (2, 1)  # bytes and scales of an output's block
AHEAD = 4096  # bytes of codes: asked for so early, they are there when a core that is alone with memory needs them
# Ways to multiply whole numbers: LLVM's own; with instructions of x86's; with newer ones.
VECTORS, AVX2, VNNI = range(3)
_HAS = [True, "+avx2" in FEATURES, "+avxvnni" in FEATURES or {"+avx512vnni", "+avx512vl"} <= set(FEATURES)]
WAYS = [way for way in (VECTORS, AVX2, VNNI) if _HAS[way]]

_CODES, _PAIRS, _SUMS = (ir.VectorType(kind, TILE * n) for kind, n in ((BYTE, QUAD), (SHORT, 2), (INT, 1)))
_FLOATS, _WIDE = ir.VectorType(FLOAT, TILE), ir.VectorType(SHORT, TILE * QUAD)


class _Whole:
    """Whole numbers, `TILE` outputs and four inputs of each at a time. All of it is exact, whichever way it goes."""

    def __init__(self, build: Build, kind: int, way: int) -> None:
        self._build = build
        self._kind, self._fours = kind, kind == FOURS
        self._way = way
        self._late = self._fours and way != VNNI  # whether neighbours are added up only where a block ends

    def block(self, codes: Any, numbers: list[Any]) -> list[Any]:
        """What a block's products with each row come to: codes and a row's numbers begin at these addresses."""
        build, found = self._build, [every(_PAIRS if self._late else _SUMS, 0)] * len(numbers)
        for quad in range(0, STORED[self._kind], QUAD):
            for part, weights in enumerate(self._weights(build.at(codes, quad * TILE))):
                for r, address in enumerate(numbers):
                    four = build.load(build.at(address, quad + part * BLOCK // 2), INT)
                    found[r] = self._more(found[r], weights, build.to.bitcast(build.splat(four, TILE), _CODES))
        # Eight times 2 * 15 * 127 is less than 2**15: only a whole block of FOURS needs 32 bits.
        return [self._sums(both) for both in found] if self._late else found

    def _weights(self, address: Any) -> list[Any]:
        """The codes at an address: of four inputs, or of four and of those 16 after them."""
        codes = self._build.load(address, _CODES)
        if not self._fours:
            return [codes]
        to, low = self._build.to, every(_CODES, 15)
        return [to.and_(codes, low), to.lshr(codes, every(_CODES, 4))]

    def _more(self, found: Any, weights: Any, row: Any) -> Any:
        """What was found, and the products of these."""
        build = self._build
        if self._way == VECTORS:
            weights, row = (build.to.zext if self._fours else build.to.sext)(weights, _WIDE), build.to.sext(row, _WIDE)
            both = self._neighbours(build.to.mul(weights, row))
        else:
            if not self._fours:  # one of the two has to be without a sign
                row = build.call("llvm.x86.avx2.psign.b", _CODES, row, weights)
                weights = build.call("llvm.abs.v32i8", _CODES, weights, ir.Constant(ir.IntType(1), 0))
            if self._way == VNNI:
                weights, row = (build.to.bitcast(four, _SUMS) for four in (weights, row))
                return build.call("llvm.x86.avx512.vpdpbusd.256", _SUMS, found, weights, row)
            both = build.call("llvm.x86.avx2.pmadd.ub.sw", _PAIRS, weights, row)
        return build.to.add(found, both if self._late else self._sums(both))

    def _sums(self, pairs: Any) -> Any:
        """What two neighbours come to, in 32 bits."""
        if self._way == AVX2:
            return self._build.call("llvm.x86.avx2.pmadd.wd", _SUMS, pairs, every(_PAIRS, 1))
        return self._neighbours(self._build.to.sext(pairs, ir.VectorType(INT, 2 * TILE)))

    def _neighbours(self, numbers: Any) -> Any:
        count = numbers.type.count // 2
        odd = [ir.Constant(ir.VectorType(INT, count), [2 * n + side for n in range(count)]) for side in (0, 1)]
        return self._build.to.add(*(self._build.to.shuffle_vector(numbers, numbers, places) for places in odd))


def _coded(kind: int, rows: int, way: int = WAYS[-1]) -> Any:
    """The product of some rows with a tile, as an intrinsic of numba."""

    @typed_intrinsic
    def tile(context, codes, c0, scales, s0, x, marks, r0, out, n0):
        """out[r0 :, n0 : n0 + 8] += x[r0 :] @ weights, from codes[c0] and scales[s0] on.

        x has shape (m, blocks * 32), int8; marks (m, blocks * 2), of each block its scale and what its numbers come
        to; out (m, n).
        """
        return types.void(codes, INDEX, scales, INDEX, x, marks, INDEX, out, INDEX), generate

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        build, kinds, (r0, n0) = Build(context, builder), signature.args, (given[6], given[8])
        whole = _Whole(build, kind, way)
        first_code, first_scale = (build.at(build.array(kinds[n], given[n])[0], given[n + 1]) for n in (0, 2))
        (first_x, width), (first_mark, marked), (first_out, n) = (build.array(kinds[n], given[n]) for n in (4, 5, 7))
        row = [builder.add(r0, long(r)) for r in range(rows)]
        to = [build.at(first_out, build.times(n, r), n0) for r in row]
        totals = [build.register(build.load(address, _FLOATS)) for address in to]
        with build.loop(builder.udiv(width, long(BLOCK))) as block:
            code = build.at(first_code, build.times(block.index, STORED[kind] * TILE))
            numbers = [build.at(first_x, build.times(width, r), build.times(block.index, BLOCK)) for r in row]
            sums = whole.block(code, numbers)
            mark = [build.at(first_mark, build.times(marked, r), build.times(block.index, 2)) for r in row]
            scale = build.at(first_scale, build.times(block.index, SCALES[kind] * TILE))
            build.soon(code, AHEAD, STORED[kind] * TILE)
            build.soon(scale, AHEAD // 4, LINE)
            by = build.halves(scale, TILE)
            for r in range(rows):
                both = builder.fmul(by, build.splat(build.load(mark[r], FLOAT), TILE))
                build.multiply_add(both, builder.sitofp(sums[r], _FLOATS), totals[r])
            if kind == FOURS:
                low = build.halves(build.at(scale, TILE), TILE)
                for r in range(rows):
                    build.multiply_add(low, build.splat(build.load(build.at(mark[r], 1), FLOAT), TILE), totals[r])
        for total, address in zip(totals, to, strict=True):
            build.put(total, address)
        return context.get_dummy_value()

    return tile


def _plain(rows: int, vectors: int) -> Any:
    """The product of some rows with half-precision floats, 16 of which are neighbours, as an intrinsic of numba."""

    @typed_intrinsic
    def tile(context, halves, f0, step, apart, x, r0, out, n0, count):
        """out[r0 :, n0 : n0 + 16 * vectors] = x[r0 :, :count] @ halves.

        The first 16 of number k are halves[f0 + k * step :], the next 16 are `apart` from them.
        """
        return types.void(halves, INDEX, INDEX, INDEX, x, INDEX, out, INDEX, INDEX), generate

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        halves, f0, step, apart, x, r0, out, n0, count = given
        build, kinds = Build(context, builder), signature.args
        (first_x, width), (first_out, n) = build.array(kinds[4], x), build.array(kinds[6], out)
        first = build.at(build.array(kinds[0], halves)[0], f0)
        row = [builder.add(r0, long(r)) for r in range(rows)]
        kind = ir.VectorType(FLOAT, LANES)
        totals = [[build.register(every(kind, 0.0)) for _ in range(vectors)] for _ in row]
        with build.loop(count) as one:
            here = build.at(first, build.times(step, one.index))
            found = [build.halves(build.at(here, build.times(apart, v)), LANES) for v in range(vectors)]
            for r in range(rows):
                number = build.load(build.at(first_x, build.times(width, row[r]), one.index), FLOAT)
                for v in range(vectors):
                    build.multiply_add(found[v], build.splat(number, LANES), totals[r][v])
        for r in range(rows):
            for v in range(vectors):
                build.put(totals[r][v], build.at(first_out, build.times(n, row[r]), n0, v * LANES))
        return context.get_dummy_value()

    return tile


def _strip(kind: int) -> Any:
    """The product of all rows with a strip, as a function for numba."""
    eight, four, two, one = (_coded(kind, rows) for rows in (8, 4, 2, 1))
    stored, halves = STORED[kind] * TILE, SCALES[kind] * TILE

    @compiled()
    def strip(codes, c0, scales, s0, x, marks, out, n0):
        """out[:, n0 : n0 + 32] += x @ weights, all rows of x. See _coded()."""
        blocks, r = x.shape[1] // BLOCK, 0
        while r < len(x):
            for t in range(STRIP // TILE):
                c, s, n = c0 + t * blocks * stored, s0 + t * blocks * halves, n0 + t * TILE
                if len(x) - r >= 8:
                    eight(codes, c, scales, s, x, marks, r, out, n)
                elif len(x) - r >= 4:
                    four(codes, c, scales, s, x, marks, r, out, n)
                elif len(x) - r >= 2:
                    two(codes, c, scales, s, x, marks, r, out, n)
                else:
                    one(codes, c, scales, s, x, marks, r, out, n)
            left = len(x) - r
            r += 8 if left >= 8 else 4 if left >= 4 else 2 if left >= 2 else 1

    return strip


fours, eights = _strip(FOURS), _strip(EIGHTS)
_eight_two, _four_two, _four_one = _plain(8, 2), _plain(4, 2), _plain(4, 1)


def _last(vectors: int) -> Any:
    """The product of the last one to three rows with so many vectors, as a function for numba."""
    three, two, one = (_plain(rows, vectors) for rows in (3, 2, 1))

    @compiled()
    def last(halves, f0, step, apart, x, r, left, out, n0, count):
        if left == 3:
            three(halves, f0, step, apart, x, r, out, n0, count)
        elif left == 2:
            two(halves, f0, step, apart, x, r, out, n0, count)
        else:
            one(halves, f0, step, apart, x, r, out, n0, count)

    return last


_last_two, _last_one = _last(2), _last(1)


@compiled()
def _some(halves, f0, step, apart, x, r, left, out, n0, both, count):
    """One vector, or two if `both`, of some of the rows that are left. Returns of how many: as many as there are
    registers for."""
    if left >= 8 and both and REGISTERS == 32:
        _eight_two(halves, f0, step, apart, x, r, out, n0, count)
        return 8
    if left >= 4:
        if both and REGISTERS == 32:
            _four_two(halves, f0, step, apart, x, r, out, n0, count)
            return 4
        for v in range(1 + both):
            _four_one(halves, f0 + v * apart, step, apart, x, r, out, n0 + v * LANES, count)
        return 4
    if both:
        _last_two(halves, f0, step, apart, x, r, left, out, n0, count)
    else:
        _last_one(halves, f0, step, apart, x, r, left, out, n0, count)
    return left


@compiled()
def mixture(halves, f0, step, apart, x, rows, out, vectors, count, ahead, a0):
    """out[:rows, : 16 * vectors] = x[:rows, :count] @ halves. See _plain().

    As much of `ahead`, from a0 on, is asked for meanwhile: it is needed next.
    """
    for v in range(0, vectors, 2):
        both, r, f = v + 1 < vectors, 0, f0 + v * apart
        size = count * LANES * (1 + both)
        _ask(ahead, a0 + v * count * LANES, size)
        while r < rows:
            r += _some(halves, f, step, apart, x, r, rows - r, out, v * LANES, both, count)


@typed_intrinsic
def _ask(context, array, start, count):
    """Ask memory for so many elements of 16 bits."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        build = Build(context, builder)
        first = build.at(build.array(signature.args[0], given[0])[0], given[1])
        with build.loop(builder.udiv(given[2], long(LINE // 2))) as line:
            build.soon(build.at(first, build.times(line.index, LINE // 2)), 0, LINE)
        return context.get_dummy_value()

    return types.void(array, INDEX, INDEX), generate
