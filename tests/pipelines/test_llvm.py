"""Half precision with the processor's instructions and by hand, and powers of e, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from llvmlite import ir
from numba import types

from pipelines.llvm import FLOAT, INT, NATIVE_HALVES, SHORT, Build, compiled, narrowed, typed_intrinsic, widened

WAYS = [False, pytest.param(True, marks=pytest.mark.skipif(not NATIVE_HALVES, reason="has no such instruction"))]


def each(given: Any, to: Any, change: Any) -> Any:
    """A function that changes all numbers of an array of this type."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return change(builder, values[0])

    @typed_intrinsic
    def one(context: Any, number: Any) -> Any:
        return to(given), generate

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


def in_all_places(result: Any) -> Any:
    """A change of one number, by one of all places of a vector."""

    def change(builder: Any, number: Any) -> Any:
        build = Build(None, builder)
        vector = result(build, build.splat(number, 4))
        return builder.extract_element(vector, ir.Constant(INT, 3)) if vector.type != FLOAT else vector

    return change


def test_powers_of_e_are_those_of_numpy() -> None:
    x = np.linspace(-87, 88, 100_001).astype(np.float32)
    out = np.empty_like(x)
    powers = each(types.float32, types.float32, in_all_places(lambda build, vector: build.exp(vector)))
    powers(x, out)
    assert np.allclose(out, np.exp(x.astype(np.float64)), rtol=3e-7)
    ends = np.float32([0, -87.1, -1e9, -np.inf, np.nan])
    out = np.empty_like(ends)
    powers(ends, out)
    assert out[:4].tolist() == [1, 0, 0, 0] and np.isnan(out[4])


def test_halves_are_rounded_to_even_numbers_and_vectors_added_up() -> None:
    x = np.float32([0.5, 1.5, 2.5, -0.5, -1.5, 126.6, -127, 3e6])
    out = np.empty_like(x)
    whole = in_all_places(lambda build, vector: build.to.sitofp(build.rounded(vector), vector.type))
    each(types.float32, types.float32, whole)(x, out)
    assert out.tolist() == np.rint(x).tolist()
    each(types.float32, types.float32, in_all_places(lambda build, vector: build.across(vector)))(x, out)
    assert out.tolist() == (4 * x).tolist()
