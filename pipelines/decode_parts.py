"""What a step computes between its products, each for some rows or columns: see Net and Work in decode_step.py.

numba's loops become vector instructions only where an index is surely not negative, so they run over slices, from 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from pipelines.decode_tiles import BLOCK, STRIP
from pipelines.llvm import BYTE, FLOAT, INDEX, INT, LANES, Build, compiled, every, long, typed_intrinsic


@compiled(fastmath={"reassoc", "contract"})
def normalise(x, weight, epsilon, out):
    """Root mean square norm (Zhang and Sennrich 2019)."""
    for row in range(len(x)):
        square = np.float32(0)
        for k in range(x.shape[1]):
            square += x[row, k] * x[row, k]
        by = np.float32(1) / np.sqrt(square / np.float32(x.shape[1]) + np.float32(epsilon))
        for k in range(x.shape[1]):
            out[row, k] = x[row, k] * by * weight[k]


@compiled()
def round_off(x, coded, first, end):
    """Round these columns of all rows to 8 bits, block by block (llama.cpp's quantize_row_q8_1)."""
    for row in range(len(x)):
        for block in range(first // BLOCK, end // BLOCK):
            _round(x, coded.codes, coded.marks, row, block)


@typed_intrinsic
def _round(context, x, codes, marks, row, block):
    """Round a block, and note its scale and what its numbers come to."""
    return types.void(x, codes, marks, INDEX, INDEX), _rounding


def _rounding(context: Any, builder: Any, signature: Any, given: Any) -> Any:
    build, (row, block) = Build(context, builder), given[3:]
    (x, width), (codes, _), (marks, marked) = (build.array(signature.args[n], given[n]) for n in range(3))
    place = builder.add(build.times(width, row), build.times(block, BLOCK))
    mark = build.at(marks, builder.add(build.times(marked, row), build.times(block, 2)))
    numbers = build.load(build.at(x, place), ir.VectorType(FLOAT, BLOCK))
    size = build.call(f"llvm.fabs.v{BLOCK}f32", numbers.type, numbers)
    most = build.call(f"llvm.vector.reduce.fmax.v{BLOCK}f32", FLOAT, size)
    nothing = builder.fcmp_ordered("==", most, ir.Constant(FLOAT, 0.0))
    by = builder.select(nothing, ir.Constant(FLOAT, 0.0), builder.fdiv(ir.Constant(FLOAT, 127.0), most))
    whole = build.rounded(builder.fmul(numbers, build.splat(by, BLOCK)))
    build.store(builder.trunc(whole, ir.VectorType(BYTE, BLOCK)), build.at(codes, place), 1)
    total = builder.sitofp(build.call(f"llvm.vector.reduce.add.v{BLOCK}i32", INT, whole), FLOAT)
    scale = builder.fdiv(most, ir.Constant(FLOAT, 127.0))
    build.store(scale, mark)
    build.store(builder.fmul(scale, total), build.at(mark, 1))
    return context.get_dummy_value()


@typed_intrinsic
def gate(context, gates, hidden, at):
    """hidden *= silu(gates), for the 32 columns from `at` on."""
    return types.void(gates, hidden, INDEX), _gating


def _gating(context: Any, builder: Any, signature: Any, given: Any) -> Any:
    build, kind = Build(context, builder), ir.VectorType(FLOAT, LANES)
    (gates, width), (hidden, _) = (build.array(signature.args[n], given[n]) for n in (0, 1))
    rows = cgutils.unpack_tuple(builder, context.make_array(signature.args[0])(context, builder, given[0]).shape)[0]
    with build.loop(rows) as row:
        for vector in range(0, STRIP, LANES):
            place = builder.add(build.times(width, row.index), builder.add(given[2], long(vector)))
            number, other = (build.load(build.at(data, place), kind) for data in (gates, hidden))
            below = builder.fadd(build.exp(builder.fneg(number)), every(kind, 1.0))
            build.store(builder.fmul(other, builder.fdiv(number, below)), build.at(hidden, place))
    return context.get_dummy_value()
