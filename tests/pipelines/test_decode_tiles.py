"""Products of coded weights: what numpy says, the same bits with any instructions, and in whatever company."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from pipelines import decode_tiles
from pipelines.decode_tiles import (
    AVX2,
    BLOCK,
    EIGHTS,
    FOURS,
    QUAD,
    SCALES,
    STORED,
    STRIP,
    TILE,
    VECTORS,
    VNNI,
    WAYS,
)
from pipelines.llvm import LANES, compiled

BLOCKS = 3


class Given(NamedTuple):
    """A strip of weights and some rows."""

    codes: Any
    scales: Any
    x: Any
    marks: Any
    out: Any


def given(kind: int, rows: int, largest: bool = False) -> Given:
    """Random numbers of every size that there can be, or the largest alone."""
    random = np.random.default_rng(rows)
    size = STRIP * BLOCKS
    codes = random.integers(0, 256, size * STORED[kind], dtype=np.uint8)
    codes[codes == 128] = 129  # -128 is no code of EIGHTS
    x = random.integers(-127, 128, (rows, BLOCKS * BLOCK)).astype(np.int8)
    if largest:
        codes[:], x[:] = 255 if kind == FOURS else 129, -127  # 15 and 15; -127
    return Given(
        codes,
        random.standard_normal(size * SCALES[kind]).astype(np.float16),
        x,
        random.standard_normal((rows, BLOCKS * 2)).astype(np.float32),
        random.standard_normal((rows, STRIP)).astype(np.float32),
    )


def expected(kind: int, of: Given) -> Any:
    """In double precision, as the formats are described."""
    bytes_ = (
        of.codes.reshape(STRIP // TILE, BLOCKS, -1, TILE, QUAD).transpose(0, 3, 1, 2, 4).reshape(STRIP, BLOCKS, -1)
    )
    if kind == FOURS:
        weights = np.concatenate([bytes_ & 15, bytes_ >> 4], -1).astype(np.float64)
    else:
        weights = bytes_.view(np.int8).astype(np.float64)
    scales = of.scales.astype(np.float64).reshape(STRIP // TILE, BLOCKS, SCALES[kind], TILE).transpose(2, 0, 3, 1)
    scales = scales.reshape(SCALES[kind], STRIP, BLOCKS)
    products = np.einsum("rbk,nbk->rnb", of.x.astype(np.float64).reshape(len(of.x), BLOCKS, BLOCK), weights)
    found = np.einsum("rnb,rb,nb->rn", products, of.marks[:, ::2], scales[0])
    if kind == FOURS:
        found += of.marks[:, 1::2] @ scales[1].T
    return of.out + found


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("kind", [FOURS, EIGHTS])
def test_a_product_is_what_the_formats_say(kind: int, largest: bool) -> None:
    strip = decode_tiles.fours if kind == FOURS else decode_tiles.eights
    whole = given(kind, 16, largest)
    wanted = expected(kind, whole)
    for rows in (1, 2, 3, 7, 8, 15, 16):
        codes, scales, x, marks, out = whole
        x, marks, out = (each[-rows:].copy() for each in (x, marks, out))
        strip(codes, 0, scales.view(np.uint16), 0, x, marks, out, 0)
        assert np.allclose(out, wanted[-rows:], rtol=0, atol=1e-6 * np.abs(wanted).max())
        if rows == 1:
            alone = out
        assert np.array_equal(out[-1:], alone)


@pytest.mark.parametrize("way", [pytest.param(AVX2, id="AVX2"), pytest.param(VNNI, id="VNNI")])
@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("kind", [FOURS, EIGHTS])
def test_without_these_instructions_it_comes_out_the_same(kind: int, largest: bool, way: int) -> None:
    if way not in WAYS:
        pytest.skip("this processor does not have them")
    found = []
    for one in (way, VECTORS):
        tile = decode_tiles._coded(kind, 2, one)

        @compiled()
        def product(codes: Any, scales: Any, x: Any, marks: Any, out: Any, tile: Any = tile) -> None:
            tile(codes, 0, scales, 0, x, marks, 0, out, 8)

        codes, scales, x, marks, out = given(kind, 2, largest)
        product(codes, scales.view(np.uint16), x, marks, out)
        found.append(out)
    assert np.array_equal(*found)
    assert not np.array_equal(found[0], given(kind, 2, largest).out)


@pytest.mark.parametrize("rows", [*range(1, 8), 8, 9, 14])
@pytest.mark.parametrize("vectors", [1, 2, 3])
def test_a_mixture_is_a_product_with_halves(rows: int, vectors: int) -> None:
    random = np.random.default_rng(rows)
    halves = random.standard_normal((20, vectors * LANES)).astype(np.float16)
    x, out = random.standard_normal((rows, 20)).astype(np.float32), np.zeros((rows, vectors * LANES), np.float32)
    bits = halves.view(np.uint16).ravel()
    decode_tiles.mixture(bits, 0, vectors * LANES, LANES, x, rows, out, vectors, 20, bits, 0)
    assert np.allclose(out, x @ halves.astype(np.float32), atol=1e-4)
