"""Things are taken off plain backgrounds and put back as they were; photos move whole."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pipelines.video_things import SIDE, apart, plain, taken_off

GREEN = torch.tensor([0.2, 0.7, 0.3])


def page(*discs: tuple[float, float, float]) -> Tensor:
    """Soft red discs (x, y, radius) with a hole of the background's colour, on green."""
    y, x = torch.meshgrid(torch.arange(SIDE) + 0.5, torch.arange(SIDE) + 0.5, indexing="ij")
    picture = GREEN[:, None, None].expand(3, SIDE, SIDE)
    for cx, cy, radius in discs:
        far = torch.hypot(x - cx, y - cy)
        alpha = (radius - far + 0.5).clamp(0, 1) * (far - radius / 3 + 0.5).clamp(0, 1)
        picture = picture * (1 - alpha) + torch.tensor([0.9, 0.1, 0.1])[:, None, None] * alpha
    return picture


def on(pixels: Tensor, background: Tensor) -> Tensor:
    return pixels[:3] + background[:, None, None] * (1 - pixels[3:])


def test_a_thing_put_back_where_it_was_gives_the_picture_again() -> None:
    picture = page((50, 70, 30))
    thing, background = taken_off(picture)
    assert torch.allclose(background, GREEN, atol=1e-3)
    assert float((on(thing.pixels, background) - picture).abs().max()) < 0.06
    assert not thing.whole


def test_a_thing_is_where_it_is_and_as_large_as_it_is() -> None:
    body = taken_off(page((50, 70, 30)))[0].body
    assert abs(body.centre[0] + 14) < 0.5 and abs(body.centre[1] - 6) < 0.5
    assert all(abs(side - 30) < 1.5 for side in (body.left, body.right, body.up, body.down))


def test_what_of_a_thing_has_the_background_s_colour_moves_with_it() -> None:
    thing, _ = taken_off(page((64, 64, 40)))
    assert float(thing.pixels[3, 64, 64]) == 1


def test_two_things_are_told_apart_left_one_first() -> None:
    two = apart(page((95, 60, 20), (30, 64, 22)))
    assert two is not None
    left, right = two[0]
    assert left.body.centre[0] < 0 < right.body.centre[0]
    together = on(right.pixels, GREEN)
    together = left.pixels[:3] + together * (1 - left.pixels[3:])
    assert float((together - page((95, 60, 20), (30, 64, 22))).abs().max()) < 0.06


@pytest.mark.parametrize("side", [64, 512])
def test_what_can_hardly_be_seen_is_a_thing_too(side: int) -> None:
    faint = torch.ones(3, side, side)
    faint[:, 8:-8:4, 8:-8] = 240 / 255  # thin lines, in grey on white
    thing, background = taken_off(faint)
    assert not thing.whole and torch.equal(background, torch.ones(3))
    assert all(20 < each < 64 for each in (thing.body.left, thing.body.right, thing.body.up, thing.body.down))


def test_one_thing_is_not_two() -> None:
    assert apart(page((64, 64, 30))) is None


def test_a_photo_has_no_plain_background_and_moves_whole() -> None:
    photo = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert plain(photo) is None and apart(photo) is None
    thing, _ = taken_off(photo)
    assert thing.whole and float(thing.pixels[3].min()) == 1


def test_an_empty_page_can_be_moved_too() -> None:
    thing, background = taken_off(page())
    assert thing.whole and torch.allclose(background, GREEN, atol=1e-3)
