"""What a made thing gets at last: its paints flat, its floating parts joined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from pipelines.shape_finish import GAP, bridged, finished, oklab, painted, peaks

SIDE = 32
RED, BLUE = (210, 40, 40), (50, 90, 210)


def boxes(*some: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]) -> NDArray[np.float32]:
    """Distances to boxes, each from and to a voxel along x, y and z."""
    places = np.stack(np.indices((SIDE,) * 3, np.float32), -1)
    result = np.full((SIDE,) * 3, 3, np.float32)
    for box in some:
        low, high = np.array(box, np.float32).T
        beyond = np.maximum(low - places, places - high + 1)
        result = np.minimum(result, np.where((beyond <= 0).all(-1), -0.5, np.linalg.norm(beyond.clip(0), axis=-1)))
    return np.maximum(result, -3).astype(np.float32)


def pieces(distance: NDArray[Any]) -> int:
    return int(ndimage.label(distance < 0)[1])


def seat(gap: int) -> NDArray[np.float32]:
    """A seat with a leg under it that ends in the air."""
    return boxes(((6, 26), (20, 25), (6, 26)), ((7, 10), (4, 20 - gap), (7, 10)))


@pytest.mark.parametrize("gap", [2, 4, 6])
def test_a_leg_near_the_seat_is_joined_to_it_and_nothing_else_changes(gap: int) -> None:
    broken = seat(gap)
    assert pieces(broken) == 2
    mended = bridged(broken)
    assert pieces(mended) == 1
    new = np.argwhere((mended < 0) & (broken >= 0))
    low, high = new.min(0), new.max(0)
    assert (low[[0, 2]] >= 5).all() and (high[[0, 2]] <= 11).all(), "the rod is where the leg is"
    assert (mended <= broken).all() and np.array_equal(mended[20:], broken[20:])


def test_what_floats_far_away_and_specks_are_left_as_they_are() -> None:
    far = seat(int(GAP) + 3)
    assert np.array_equal(bridged(far), far)
    speck = boxes(((6, 26), (20, 25), (6, 26)), ((7, 8), (14, 16), (7, 8)))
    assert pieces(speck) == 2 and np.array_equal(bridged(speck), speck)


def test_pieces_are_joined_one_after_the_other_as_links_of_a_chain() -> None:
    chain = boxes(*(((x, x + 4), (10, 16), (10, 16)) for x in (2, 10, 18, 26)))
    assert pieces(chain) == 4 and pieces(bridged(chain)) == 1


def blotched(half: int, noise: float) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A block, red below and blue above `half`, its colours smeared as a codec smears them."""
    block, chance = boxes(((4, 28), (4, 28), (4, 28))), np.random.default_rng(0)
    true = np.where((np.arange(SIDE) < half)[None, :, None, None], RED, BLUE) * np.ones((SIDE, SIDE, SIDE, 1))
    blotches = ndimage.gaussian_filter(chance.standard_normal(true.shape), (3, 3, 3, 0))
    smeared = ndimage.gaussian_filter(true, (0, 1.5, 0, 0)) + noise * blotches / blotches.std()
    return block, smeared.clip(0, 255).astype(np.uint8)


def test_blotches_become_the_two_paints_they_were() -> None:
    block, smeared = blotched(16, 12)
    _, colour = finished(block, smeared)
    surface = abs(block) < 1.5
    paints, counts = np.unique(colour[surface], axis=0, return_counts=True)
    assert len(paints) == 2 and counts.min() > 0.3 * counts.sum()
    for paint in (RED, BLUE):
        assert np.linalg.norm(oklab(paints) - oklab(np.array([paint])), axis=1).min() < 0.05
    right = np.where((np.indices(block.shape)[1] < 16)[..., None], RED, BLUE)
    away = np.linalg.norm(oklab(colour[surface]) - oklab(right[surface]), axis=1)
    assert (away < 0.1).mean() > 0.95, "and each where it was"


def test_a_small_part_keeps_its_paint() -> None:
    block, smeared = blotched(40, 6)  # all of it red
    smeared[10:16, 26:, 10:16] = (250, 250, 245)
    _, colour = finished(block, smeared)
    assert len(np.unique(colour[abs(block) < 1.5], axis=0)) == 2
    assert colour[12, 27, 12].min() > 235 and colour[20, 27, 20].max() < 225


def test_what_was_not_known_takes_the_nearest_paint() -> None:
    block, smeared = blotched(16, 4)
    known = abs(block) < 1.5
    smeared[~known] = (0, 255, 0)
    colour = painted(block, smeared, known)
    assert not (colour == (0, 255, 0)).all(-1).any()


def test_shades_of_one_paint_are_one_peak_and_paints_are_not() -> None:
    chance = np.random.default_rng(1)
    shades = np.concatenate([chance.normal(paint, 8, (300, 3)) for paint in (RED, BLUE)]).clip(0, 255)
    number = peaks(oklab(shades))
    assert len(set(number[:300])) == len(set(number[300:])) == 1 and number[0] != number[300]


def test_nothing_and_one_full_block_pass() -> None:
    colour = np.zeros((SIDE, SIDE, SIDE, 3), np.uint8)
    for value in (1.0, -1.0):
        distance = np.full((SIDE,) * 3, value, np.float32)
        assert finished(distance, colour)[0] is distance


def test_lightness_of_oklab_runs_from_black_to_white() -> None:
    black, grey, white = oklab(np.array([(0, 0, 0), (119, 119, 119), (255, 255, 255)]))
    assert np.allclose(black, 0, atol=1e-4) and np.allclose(white, (1, 0, 0), atol=1e-3)
    assert 0.5 < grey[0] < 0.65 and np.allclose(grey[1:], 0, atol=1e-3)
