"""Fields move pictures: exactly, at any size, without flicker."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pipelines.video_things import SIDE, Thing
from pipelines.video_warp import GRID, MOVE, UNMOVED, Fields, bent, rendered

WHITE = torch.ones(3)


def disc(side: int = SIDE) -> Tensor:
    """A red disc left of the middle, premultiplied."""
    place = (torch.arange(side) + 0.5) * SIDE / side
    y, x = torch.meshgrid(place, place, indexing="ij")
    alpha = ((20 - torch.hypot(x - 50, y - 64)) * side / SIDE + 0.5).clamp(0, 1)
    return torch.stack([alpha * 0.8, alpha * 0.2, alpha * 0.1, alpha])


def still(thing: Thing, frames: int) -> Fields:
    moves = torch.zeros(frames, 1, MOVE)
    moves[:, 0] = torch.tensor(UNMOVED)
    moves[:, 0, :2] = torch.tensor(thing.centre)
    return Fields(moves, torch.zeros(frames, 6, GRID, GRID))


def middle(frame: Tensor) -> tuple[float, float]:
    dark = 1 - frame[1]
    y, x = torch.meshgrid(torch.arange(frame.shape[1]) + 0.5, torch.arange(frame.shape[2]) + 0.5, indexing="ij")
    return float((x * dark).sum() / dark.sum()), float((y * dark).sum() / dark.sum())


def test_what_does_not_move_stays_as_it_was() -> None:
    thing = Thing.of(disc())
    shown = rendered((thing,), WHITE, still(thing, 3), SIDE)
    expected = disc()[:3] + 1 - disc()[3:]
    assert float((shown - expected).abs().max()) < 1e-3


def test_a_thing_is_where_the_fields_say() -> None:
    thing = Thing.of(disc())
    fields = still(thing, 3)
    fields.moves[:, 0, 0] = torch.tensor([-0.3, 0.1, 0.5])
    shown = rendered((thing,), WHITE, fields, SIDE)
    for frame, x in zip(shown, (-0.3, 0.1, 0.5), strict=True):
        assert math.dist(middle(frame), (64 + 64 * x, 64)) < 0.2


def test_a_thing_is_as_large_as_the_fields_say_and_as_opaque() -> None:
    thing = Thing.of(disc())
    fields = still(thing, 2)
    fields.moves[1, 0, 2], fields.moves[1, 0, 5], fields.moves[1, 0, 6] = 0.5, 0.5, 0.5
    whole, half = (1 - rendered((thing,), WHITE, fields, SIDE)[:, 1]).sum((1, 2)).tolist()
    assert abs(half / whole - 0.125) < 0.005


def test_clockwise_is_clockwise() -> None:
    layer = disc()
    layer[:, :, 64:] = 0  # what is left reaches to the left of its centre of mass
    thing = Thing.of(layer)
    fields = still(thing, 2)
    fields.moves[1, 0, 2:6] = torch.tensor([0.0, -1.0, 1.0, 0.0])  # a quarter
    before, after = rendered((thing,), WHITE, fields, SIDE)
    x, y = (round(value) for value in middle(before))
    assert before[1, y, x - 18] < 0.9  # the point furthest left goes up
    assert after[1, y - 18, x] < 0.9


def test_a_large_picture_moves_as_a_small_one_does() -> None:
    small, large = Thing.of(disc()), Thing.of(disc(512))
    shown = []
    for thing in (small, large):
        fields = still(thing, 2)
        fields.moves[:, 0, 0] += 0.25
        shown.append(rendered((thing,), WHITE, fields, thing.pixels.shape[-1]))
    reduced = torch.nn.functional.avg_pool2d(shown[1], 4)
    assert float((reduced - shown[0]).abs().mean()) < 0.003


def test_flow_takes_each_place_from_where_it_says() -> None:
    moved = bent(disc()[None], torch.tensor([-7.0, 3.0]).view(1, 2, 1, 1).expand(1, 2, GRID, GRID))
    assert torch.allclose(moved[0], disc().roll((-3, 7), (1, 2)), atol=1e-3)


def test_the_first_thing_is_in_front() -> None:
    red = Thing.of(disc())
    blue = Thing.of(disc()[[2, 1, 0, 3]])
    fields = still(red, 1)
    both = Fields(fields.moves.expand(1, 2, MOVE), fields.inner)
    assert torch.allclose(rendered((red, blue), WHITE, both, SIDE)[0, :, 64, 50], torch.tensor([0.8, 0.2, 0.1]))


def test_a_photo_that_moves_away_goes_on_as_in_a_mirror() -> None:
    photo = torch.cat(
        [torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)), torch.ones(1, SIDE, SIDE)]
    )
    thing = Thing.of(photo, whole=True)
    fields = still(thing, 1)
    fields.moves[:, 0, 0] += 0.25  # 16 pixels to the right
    shown = rendered((thing,), WHITE, fields, SIDE)[0]
    assert torch.allclose(shown[:, :, 16:], photo[:3, :, :-16], atol=1e-3)
    assert torch.allclose(shown[:, :, :16], photo[:3, :, :16].flip(2), atol=1e-3)
