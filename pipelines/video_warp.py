"""Motion fields, and pictures moved by them (after Li et al. 2024: a picture and how it moves, instead of pixels).

Fields say of each frame where each thing is (an affine map of the whole of it) and how it changes in itself: on a
coarse grid, from where in the thing each place is taken, and which colour is added. Both are functions of the place,
not of pixels: they move a picture of any size, and a large one as it moves a small one, without flicker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pipelines.video_things import SIDE

if TYPE_CHECKING:
    from torch import Tensor

    from pipelines.video_things import Thing

GRID = 32  # cells of a side
MOVE = 7  # numbers that place one thing in one frame: its centre, a matrix, its opacity
UNMOVED = (0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Fields:
    """How a picture moves."""

    moves: Tensor
    """(frames, things, MOVE): where the thing's centre of mass is, in half sides from the picture's centre, y
    downwards; the matrix that takes the thing to its shape in the frame, by rows; its opacity."""
    inner: Tensor  # (frames, 6, GRID, GRID), of the first thing: flow in pixels of a side of 128, RGBA to add

    def __len__(self) -> int:
        return len(self.moves)


def bent(picture: Tensor, flow: Tensor) -> Tensor:
    """A picture (1, c, h, w), each place taken from where `flow` (n, 2, ...) says, in pixels of a side of 128."""
    height, width = picture.shape[-2:]
    here = _places(height, width).to(picture)
    if flow.shape[-2:] != (height, width):
        flow = F.interpolate(flow, (height, width), mode="bilinear", align_corners=False)
    grid = here + flow.permute(0, 2, 3, 1) * (2 / SIDE)
    return F.grid_sample(picture.expand(len(flow), -1, -1, -1), grid, mode="bilinear", align_corners=False)


def rendered(
    things: tuple[Thing, ...], background: Tensor, fields: Fields, side: int, mode: str = "bicubic"
) -> Tensor:
    """The frames, RGB in 0..1, (frames, 3, side, side); `background` (3,) lies behind all. `mode` is how pixels are
    taken between pixels; “bilinear” is a third of the work."""
    result = background.view(1, 3, 1, 1).expand(len(fields), 3, side, side)
    for number in reversed(range(len(things))):  # the first is in front
        inner = fields.inner if number == 0 else None
        layer = _layer(things[number], fields.moves[:, number], inner, side, mode)
        result = layer[:, :3] + result * (1 - layer[:, 3:])
    return result


def _layer(thing: Thing, moves: Tensor, inner: Tensor | None, side: int, mode: str) -> Tensor:
    """One thing in every frame, premultiplied: (frames, 4, side, side)."""
    matrix = moves[:, 2:6].view(-1, 2, 2)
    back = torch.linalg.inv(matrix + 1e-6 * torch.eye(2))
    offset = torch.tensor(thing.centre).view(1, 2, 1) - back @ moves[:, :2, None]
    grid = F.affine_grid(torch.cat([back, offset], 2), [len(moves), 4, side, side], align_corners=False)
    change = None
    if inner is not None:
        change = F.grid_sample(inner, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        grid = grid + change[:, :2].permute(0, 2, 3, 1) * (2 / SIDE)
    result = _sampled(thing, grid, matrix.det().abs().sqrt(), side, mode)
    if change is not None:
        result = result + change[:, 2:]
    result = result.clamp(0, 1)
    result[:, :3] = result[:, :3].minimum(result[:, 3:])
    return result * moves[:, 6].clamp(0, 1).view(-1, 1, 1, 1)


def _sampled(thing: Thing, grid: Tensor, scale: Tensor, side: int, mode: str) -> Tensor:
    """The thing's pixels at the grid's places. Where it is drawn smaller it is first reduced to that size, by a
    filter as wide as the reduction: no line breaks up, and it does not shimmer as it moves."""
    result = torch.empty(len(grid), 4, side, side)
    whole = thing.pixels.shape[-1]
    sizes = (scale * side).ceil().clamp(8, whole).int()
    for size in sorted(set(sizes.tolist())):
        some = sizes == size
        small = thing.pixels[None]
        if size < whole:
            small = F.interpolate(small, (size, size), mode="bilinear", antialias=True, align_corners=False)
        result[some] = F.grid_sample(
            small.expand(int(some.sum()), -1, -1, -1),
            grid[some],
            mode=mode,
            padding_mode="reflection" if thing.whole else "zeros",
            align_corners=False,
        )
    return result


def _places(height: int, width: int) -> Tensor:
    """(height, width, 2): of the pixels' centres, from -1 to 1."""
    theta = torch.eye(2, 3)[None]
    return F.affine_grid(theta, [1, 1, height, width], align_corners=False)[0]
