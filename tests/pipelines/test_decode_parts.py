"""What the decoder does between its products, against numpy in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines import decode_attention, decode_parts
from pipelines.decode_step import Coded
from pipelines.decode_tiles import BLOCK
from pipelines.llvm import LANES, compiled


def some(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def test_blocks_are_rounded_with_a_scale_of_their_own() -> None:
    x = some(3, 4 * BLOCK) * np.float32([[1], [1e-6], [1e4]])
    x[1, BLOCK : 2 * BLOCK] = 0
    coded = Coded(np.full(x.shape, 99, np.int8), np.full((3, 8), 99, np.float32))

    @compiled()
    def whole(x: Any, coded: Any) -> None:
        decode_parts.round_off(x, coded, BLOCK, 4 * BLOCK)

    whole(x, coded)
    assert (coded.codes[:, :BLOCK] == 99).all() and (coded.marks[:, :2] == 99).all()  # columns it was not given
    blocks, codes = x[:, BLOCK:].reshape(3, 3, BLOCK), coded.codes[:, BLOCK:].reshape(3, 3, BLOCK)
    scales, sums = coded.marks[:, 2::2], coded.marks[:, 3::2]
    assert np.allclose(scales, np.abs(blocks).max(-1) / 127)
    assert (np.abs(codes).max(-1) == np.where(scales > 0, 127, 0)).all()
    assert (np.abs(codes * scales[..., None] - blocks) <= scales[..., None] * 0.5001).all()
    assert np.allclose(sums, scales * codes.sum(-1))


def test_a_gate_is_silu() -> None:
    gates, hidden = some(5, 96) * 20, some(5, 96, 1)[..., 0]
    before = hidden.copy()

    @compiled()
    def strip(gates: Any, hidden: Any) -> None:
        decode_parts.gate(gates, hidden, 32)

    strip(gates, hidden)
    wanted = before * gates / (1 + np.exp(-gates.astype(np.float64)))
    assert np.allclose(hidden[:, 32:64], wanted[:, 32:64], rtol=1e-5)
    assert np.array_equal(hidden[:, :32], before[:, :32]) and np.array_equal(hidden[:, 64:], before[:, 64:])


def test_scores_are_weighed_against_their_highest_and_those_beyond_count_nothing() -> None:
    scores = some(2, 4 * LANES) * 10
    before = scores.astype(np.float64)

    @compiled()
    def weigh(scores: Any, count: Any, tiles: Any) -> Any:
        return decode_attention._weigh(scores, 1, count, tiles)

    for count in (33, 1, 48):
        scores[1] = before[1]
        top, total = weigh(scores, count, 3)
        wanted = np.exp(before[1, :count] - before[1, :count].max())
        assert top == before[1, :count].max() and np.isclose(total, wanted.sum(), rtol=1e-5)
        assert np.allclose(scores[1, :count], wanted, rtol=1e-5)
        assert (scores[1, count : 3 * LANES] == 0).all()
        assert np.array_equal(scores[1, 3 * LANES :], before[1, 3 * LANES :])
    assert np.array_equal(scores[0], before[0])
