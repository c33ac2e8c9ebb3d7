"""Convolutions of 3 x 3 pixels on a CPU with a fourth of the multiplications, for numba to compile.

Winograd's F(4 x 4, 3 x 3) (Lavin and Gray 2016): tiles of 6 x 6 pixels that overlap by two are brought into a form in
which a convolution is 36 products of matrices, (tiles, inputs) @ (inputs, outputs), and what comes out becomes 4 x 4
pixels. In float32 the result differs from the plain sum in the sixth digit.

Pictures lie channels innermost and begin at [1, 1], in zeros up to whole tiles and one pixel more to each side: so no
tile needs to know where it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from pipelines import llvm
from pipelines.llvm import FLOAT, INDEX, LANES, REGISTERS, Build, add, compiled, digest, every, long, typed_intrinsic

EDGE, TILE = 4, 6  # pixels of a tile's side that come out, and that go in
PLACES = TILE * TILE
GROUP = 32  # outputs of a product at a time
AT_ONCE = 12 if REGISTERS == 32 else 3  # tiles of a product at a time: as many as there are registers for

_VECTOR = ir.VectorType(FLOAT, LANES)
_G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
_INTO = (  # B transposed
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_BACK = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))  # A transposed

Floats = NDArray[np.float32]


def weights(kernel: NDArray[Any]) -> Floats:
    """A convolution's weights, (outputs, inputs, 3, 3), in that form: (outputs / 32, 36, inputs, 32)."""
    changed = np.einsum("ia,ncab,jb->ijcn", _G, kernel, _G, optimize=True)
    changed = changed.reshape(PLACES, kernel.shape[1], -1, GROUP)
    return np.ascontiguousarray(changed.transpose(2, 0, 1, 3), np.float32)


def _sum(build: Build, values: list[Any], factors: tuple[int, ...]) -> Any:
    """The values times small whole numbers, added up."""
    total, to = None, build.to
    for value, factor in sorted(zip(values, factors, strict=True), key=lambda each: abs(each[1])):
        if factor == 0:
            continue
        if abs(factor) != 1:
            scale = every(value.type, float(factor))
            total = to.fmul(value, scale) if total is None else build.fma(value, scale, total)
        elif total is None:
            total = value if factor > 0 else to.fneg(value)
        else:
            total = (to.fadd if factor > 0 else to.fsub)(total, value)
    return total


def _both(build: Build, square: list[list[Any]], matrix: tuple[tuple[int, ...], ...]) -> list[list[Any]]:
    """matrix @ square @ matrix transposed."""
    columns = [[_sum(build, list(column), row) for row in matrix] for column in zip(*square, strict=True)]
    return [[_sum(build, list(line), row) for row in matrix] for line in zip(*columns, strict=True)]


@typed_intrinsic
def _enter(context, image, y, x, channel, form, tile):
    """form[:, tile, channel : channel + 16] = the tile of an image that begins at [y, x], in the other form."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        build, (_, y, x, channel, _, tile) = Build(context, builder), given
        image, (_, columns, depth) = build.shaped(signature.args[0], given[0])
        form, (_, tiles, wide) = build.shaped(signature.args[4], given[4])
        square = []
        for row in range(TILE):
            start = build.times(columns, builder.add(y, long(row)))
            pixels = [builder.add(start, builder.add(x, long(column))) for column in range(TILE)]
            square.append([build.load(build.at(image, build.times(depth, at), channel), _VECTOR) for at in pixels])
        for place, value in enumerate(each for line in _both(build, square, _INTO) for each in line):
            at = builder.add(build.times(tiles, place), tile)
            build.store(value, build.at(form, build.times(wide, at), channel))
        return context.get_dummy_value()

    return types.void(image, INDEX, INDEX, INDEX, form, INDEX), generate


@typed_intrinsic
def _leave(context, found, tile, bias, b0, slope, out, y, x, n0, rows, columns):
    """out[y : y + rows, x : x + columns, n0 : n0 + 32] = a tile of what was found, as pixels, at most 4 x 4.

    The bias is added; what is negative becomes `slope` times as much.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        build, (b0, slope, out, y, x, n0, rows, columns) = Build(context, builder), given[3:]
        tile = given[1]
        found, (_, tiles, _) = build.shaped(signature.args[0], given[0])
        out, (_, across, depth) = build.shaped(signature.args[5], out)
        slope = build.splat(slope, LANES)
        for half in range(0, GROUP, LANES):
            bias = build.load(build.at(build.array(signature.args[2], given[2])[0], b0, half), _VECTOR)
            places = [builder.add(build.times(tiles, place), tile) for place in range(PLACES)]
            values = [build.load(build.at(found, build.times(at, GROUP), half), _VECTOR) for at in places]
            square = [values[row * TILE : (row + 1) * TILE] for row in range(TILE)]
            for row, line in enumerate(_both(build, square, _BACK)):
                for column, value in enumerate(line):
                    value = builder.fadd(value, bias)
                    value = builder.select(
                        builder.fcmp_ordered("<", value, every(_VECTOR, 0.0)), builder.fmul(value, slope), value
                    )
                    inside = builder.and_(
                        builder.icmp_signed("<", long(row), rows), builder.icmp_signed("<", long(column), columns)
                    )
                    pixel = builder.add(build.times(across, builder.add(y, long(row))), builder.add(x, long(column)))
                    with builder.if_then(inside):
                        build.store(value, build.at(out, build.times(depth, pixel), n0, half))
        return context.get_dummy_value()

    return types.void(found, INDEX, bias, INDEX, types.float32, out, *[INDEX] * 5), generate


def _product(tiles: int) -> Any:
    """The product of so many tiles with a group's weights, as an intrinsic of numba."""

    @typed_intrinsic
    def product(context, form, place, tile, inputs, weights, group, found):
        """found[place, tile : tile + tiles] = form[place, tile : tile + tiles, :inputs] @ weights[group, place]."""
        return types.void(form, INDEX, INDEX, INDEX, weights, INDEX, found), generate

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        build, (place, tile, inputs), group = Build(context, builder), given[1:4], given[5]
        form, (_, every_tile, wide) = build.shaped(signature.args[0], given[0])
        weights, (_, _, deep, _) = build.shaped(signature.args[4], given[4])
        found, (_, width, _) = build.shaped(signature.args[6], given[6])
        first = builder.add(build.times(every_tile, place), tile)
        rows = [build.at(form, build.times(wide, builder.add(first, long(n)))) for n in range(tiles)]
        start = builder.add(build.times(group, PLACES), place)
        weights = build.at(weights, build.times(build.times(deep, start), GROUP))
        totals = [[build.register(every(_VECTOR, 0.0)) for _ in range(GROUP // LANES)] for _ in rows]
        with build.loop(inputs) as one:
            line = build.at(weights, build.times(one.index, GROUP))
            both = [build.load(build.at(line, half), _VECTOR) for half in range(0, GROUP, LANES)]
            for row, total in zip(rows, totals, strict=True):
                number = build.splat(build.load(build.at(row, one.index), FLOAT), LANES)
                for vector, sum_ in zip(both, total, strict=True):
                    build.multiply_add(vector, number, sum_)
        first = builder.add(build.times(width, place), tile)
        for n, total in enumerate(totals):
            to = build.at(found, build.times(builder.add(first, long(n)), GROUP))
            for half, sum_ in enumerate(total):
                build.put(sum_, build.at(to, half * LANES))
        return context.get_dummy_value()

    return product


SOME = AT_ONCE // 3
_many, _some, _one = _product(AT_ONCE), _product(SOME), _product(1)


def _entry(others: str) -> Any:
    """As in decode_step.py: numba keeps it compiled on the disk, under a name that `others` is in."""

    @compiled(nogil=True, cache=True)
    def convolve(image, forms, kept, new, inputs, weights, bias, slope, out, at, border, size, rows, found, control):
        """Parts of a convolution, as long as there are any: each so many rows of tiles.

        image has the inputs in its first channels; those from `new` on are brought into the other form, those before
        were so earlier. forms is (n, 36, tiles, channels), of all parts if `kept`, else of this one. The result goes
        to out[border:, border:, at:], of this (height, width). found is room, (36, tiles, 32), and control[0] the
        number of the next part, for all threads.
        """
        height, width = size
        across, down = (width + EDGE - 1) // EDGE, (height + EDGE - 1) // EDGE
        while others:
            part = add(control, 0, 1)
            if part * rows >= down:
                return
            first, last = part * rows, min(part * rows + rows, down)
            count, form = (last - first) * across, forms[part if kept else 0]
            for tile in range(count):
                y, x = (first + tile // across) * EDGE, tile % across * EDGE
                for channel in range(new, inputs, LANES):
                    _enter(image, y, x, channel, form, tile)
            for group in range(len(weights)):
                for place in range(PLACES):
                    tile = 0
                    while tile < count:
                        if count - tile >= AT_ONCE:
                            _many(form, place, tile, inputs, weights, group, found)
                            tile += AT_ONCE
                        elif count - tile >= SOME:
                            _some(form, place, tile, inputs, weights, group, found)
                            tile += SOME
                        else:
                            _one(form, place, tile, inputs, weights, group, found)
                            tile += 1
                g = group * GROUP
                for tile in range(count):
                    y, x = (first + tile // across) * EDGE, tile % across * EDGE
                    _leave(found, tile, bias, g, slope, out, y + border, x + border, at + g, height - y, width - x)

    return convolve


convolve = _entry(digest(llvm))
