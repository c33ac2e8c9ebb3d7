"""A quick picture shows what the careful one does: silhouette, side, colour, light from above."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.shape_preview import RAYS, SPAN, TURNS, view, views
from pipelines.shape_render import render

SIDE = 32
AXIS = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
X, Y, Z = np.meshgrid(AXIS, AXIS, AXIS, indexing="ij")


def ball(radius=0.3, middle=(0.5, 0.42, 0.5)):
    away = np.sqrt(sum((axis - m) ** 2 for axis, m in zip((X, Y, Z), middle, strict=True)))
    return np.clip((away - radius) * SIDE, -3, 3).astype(np.float32)


def painted(colour):
    return np.full((SIDE, SIDE, SIDE, 3), colour, np.uint8)


def test_a_ball_is_round_of_its_size_and_lit_from_above():
    picture = view(ball(), painted((200, 40, 40)), 0)
    solid = picture[..., 3] > 128
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    assert abs(len(rows) - len(columns)) <= 2
    assert len(columns) == pytest.approx(RAYS * 0.6 / SPAN, abs=3)
    assert (picture[solid][:, 0].astype(int) > 2 * picture[solid][:, 1]).all()
    assert picture[rows[4], RAYS // 2, 0] > picture[rows[-4], RAYS // 2, 0] + 15


@pytest.mark.parametrize("turn", TURNS)
def test_it_is_where_the_careful_picture_has_it(turn):
    """A thing at one side, seen from everywhere."""
    distance = ball(0.15, (0.75, 0.6, 0.35))
    quick = view(distance, painted((90, 90, 90)), turn)[..., 3] > 128
    careful = render(distance, painted((90, 90, 90)), turn=turn, tilt=22, size=RAYS)[..., 3] > 200
    for axis in (0, 1):
        places = [np.argwhere(seen)[:, axis].mean() for seen in (quick, careful)]
        assert abs(places[0] - places[1]) < 0.07 * RAYS


def test_all_four_are_given_large_enough_to_look_at():
    shown = views(ball(), painted((200, 40, 40)))
    assert len(shown) == 4
    assert all(each.mode == "RGBA" and each.width >= 96 for each in shown)


@pytest.mark.parametrize("level", [3, -3])
def test_nothing_and_everything_do_not_fail(level):
    assert len(views(np.full((SIDE,) * 3, level, np.float32), painted((1, 2, 3)))) == 4
