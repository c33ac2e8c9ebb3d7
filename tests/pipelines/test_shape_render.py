"""A picture of a grid shows silhouette, colours, light and shadow, from the side that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.shape_render import render

SIDE = 32


def ball(radius=0.3, middle=(0.5, 0.5, 0.5)):
    axis = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    x, y, z = np.meshgrid(*(axis - m for m in middle), indexing="ij")
    return np.clip((np.sqrt(x * x + y * y + z * z) - radius) * SIDE, -3, 3).astype(np.float32)


def painted(colour):
    return np.broadcast_to(np.array(colour, np.uint8), (SIDE, SIDE, SIDE, 3))


@pytest.fixture(scope="module")
def picture():
    return render(ball(), painted((200, 40, 40)), tilt=0, size=64)


def test_a_ball_is_round_and_of_its_size(picture):
    solid = picture[..., 3] > 200
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    assert abs(len(rows) - len(columns)) <= 2
    assert len(columns) == pytest.approx(64 * 0.6 / 1.3, abs=3)
    assert solid.sum() == pytest.approx(np.pi / 4 * len(rows) * len(columns), rel=0.1)


def test_nothing_is_behind_it(picture):
    assert (picture[:5, :, 3] == 0).all()


def test_edges_are_soft(picture):
    assert ((picture[..., 3] > 0) & (picture[..., 3] < 255)).sum() > 40


def test_colour_is_the_things_own_and_light_comes_from_above(picture):
    solid = picture[picture[..., 3] == 255].astype(int)
    assert (solid[:, 0] > 2 * solid[:, 1]).mean() > 0.95
    rows = np.flatnonzero((picture[..., 3] == 255).any(1))
    upper, lower = (picture[row][picture[row, :, 3] == 255].mean() for row in (rows[6], rows[-6]))
    assert upper > lower + 15


@pytest.mark.parametrize(("turn", "left"), [(0, False), (180, True)])
def test_turning_shows_the_other_side(turn, left):
    """What is at the right seen from the front is at the left from behind."""
    picture = render(ball(0.15, (0.8, 0.5, 0.5)), painted((90, 90, 90)), turn=turn, tilt=10, size=48)
    columns = np.flatnonzero((picture[..., 3] == 255).any(0))
    assert (columns.mean() < 24) == left


def test_the_front_hides_the_back():
    both = np.minimum(ball(0.2, (0.5, 0.5, 0.75)), ball(0.2, (0.5, 0.5, 0.25)))
    colour = np.zeros((SIDE, SIDE, SIDE, 3), np.uint8)
    colour[:, :, SIDE // 2 :, 0] = colour[:, :, : SIDE // 2, 2] = 220  # red in front, blue behind
    middle = render(both, colour, turn=0, tilt=0, size=48)[16:26, 20:28]
    assert (middle[..., 0] > middle[..., 2]).all()


def test_the_shadow_lies_under_it_on_the_ground():
    picture = render(ball(0.25, (0.5, 0.3, 0.5)), painted((250, 250, 250)), tilt=30, size=64)
    shadow = (picture[..., 3] > 30) & (picture[..., 3] < 120)
    assert shadow.sum() > 60
    assert np.argwhere(shadow)[:, 0].mean() > np.argwhere(picture[..., 3] == 255)[:, 0].mean()


def test_an_empty_grid_is_an_empty_picture():
    assert not render(np.full((SIDE,) * 3, 3, np.float32), painted((1, 2, 3)), size=32).any()


def test_a_full_grid_does_not_fail():
    assert render(np.full((SIDE,) * 3, -3, np.float32), painted((1, 2, 3)), size=32).shape == (32, 32, 4)
