"""Half precision with the processor's instructions and by hand, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from llvmlite import ir
from numba import types

from pipelines.decode_llvm import FLOAT, NATIVE_HALVES, SHORT, compiled, narrowed, typed_intrinsic, widened

WAYS = [False, pytest.param(True, marks=pytest.mark.skipif(not NATIVE_HALVES, reason="has no such instruction"))]


def each(given: Any, to: Any, change: Any) -> Any:
    """A function that changes all numbers of an array of this type."""

    @typed_intrinsic
    def one(context: Any, number: Any) -> Any:
        return to(given), lambda context, builder, signature, values: change(builder, values[0])

    @compiled()
    def all_(numbers: Any, out: Any) -> None:
        for n in range(len(numbers)):
            out[n] = one(numbers[n])

    return all_


@pytest.mark.parametrize("native", WAYS)
def test_every_half_becomes_the_float_that_it_is(native: bool) -> None:
    halves = np.arange(2**16).astype(np.uint16)
    halves = halves[halves & 0x7C00 != 0x7C00]  # none that is infinite or no number
    out = np.empty(len(halves), np.float32)
    each(types.uint16, types.float32, lambda builder, bits: widened(builder, bits, native))(halves, out)
    assert np.array_equal(out.view(np.uint32), halves.view(np.float16).astype(np.float32).view(np.uint32))


@pytest.mark.parametrize("native", WAYS)
def test_vectors_are_widened_as_numbers_are(native: bool) -> None:
    def change(builder: Any, bits: Any) -> Any:
        vector = builder.insert_element(ir.Constant(ir.VectorType(SHORT, 4), [0] * 4), bits, ir.Constant(SHORT, 2))
        wide = widened(builder, vector, native)
        assert wide.type == ir.VectorType(FLOAT, 4)
        return builder.extract_element(wide, ir.Constant(SHORT, 2))

    halves = np.float16([0, -0.0, 1, -2.5, 6e-8, 65504]).view(np.uint16)
    out = np.empty(len(halves), np.float32)
    each(types.uint16, types.float32, change)(halves, out)
    assert out.tolist() == halves.view(np.float16).astype(np.float32).tolist()


@pytest.mark.parametrize("native", WAYS)
def test_a_float_becomes_the_nearest_half(native: bool) -> None:
    random = np.random.default_rng(0)
    sizes = 2.0 ** random.integers(-24, 16, 20_000)
    halves = np.float16([0, -0.0, 1, -1, 6e-8, 65504, -65504])
    ties = (halves[:-2].astype(np.float32) + np.nextafter(halves, np.float16(9))[:-2].astype(np.float32)) / 2
    floats = np.concatenate([random.standard_normal(20_000) * sizes, halves, ties, [65520, 1e9, -1e9]])
    floats = floats.astype(np.float32)
    out = np.empty(len(floats), np.uint16)
    each(types.float32, types.uint16, lambda builder, number: narrowed(builder, number, native))(floats, out)
    with np.errstate(over="ignore"):
        assert np.array_equal(out, floats.astype(np.float16).view(np.uint16))
