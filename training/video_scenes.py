"""Motions to learn, drawn for a caption: what is seen at first, and how it moves as numbers.

A picture is either what the image model draws, a thing alone and large, which the motion then places; or it is itself
the first frame, and the motion goes on from there: what a visitor's picture asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.video_model import THINGS
from pipelines.video_motions import ALIVE, PASSING
from pipelines.video_things import Body
from pipelines.video_warp import MOVE, UNMOVED
from training.motion import HALF, Track, tracks
from training.video_set import VideoSet

PLACED, FIRST = 0.55, 0.75  # of all: the motion places the picture; up to here it is the first frame; else that, large
FURTHER = frozenset(["swings", "flies off"])  # how far it goes depends on how large the thing is


@dataclass(frozen=True)
class Example:
    moves: Tensor  # (frames, THINGS, MOVE)
    code: Tensor  # (frames, codes)
    view: Tensor  # (4, view, view)
    bodies: Tensor  # (THINGS, 7)
    first_known: bool


def example(data: VideoSet, codes: Tensor, caption: dict[str, Any], frames: int, rng: Random) -> Example:
    """One of this caption; `codes` (things, 2, 16, codes) are how those that move by themselves do, and mirrored."""
    if caption["motion"] == ALIVE:
        return _alive(data, codes, caption["rows"][0], frames, rng)
    bodies = [data.bodies[row] for row in caption["rows"]]
    seed = caption["seed"] if caption["seed"] is not None else rng.getrandbits(32)
    moving = tracks(caption["motion"], caption["speed"], tuple(bodies), frames, Random(seed))
    view = data.views[caption["rows"][0]].float() / 255
    luck = rng.random()
    if luck > PLACED:
        large = luck > FIRST and caption["motion"] != PASSING
        view = _placed(view, bodies[0], moving[0], large)
        bodies, moving = _from_first(caption["motion"], bodies, moving, large)
    moves = torch.zeros(frames, THINGS, MOVE)
    extents = torch.zeros(THINGS, 7)
    for number, (body, track) in enumerate(zip(bodies, moving, strict=True)):
        moves[:, number] = numbers(track)
        extents[number] = torch.tensor(body.numbers())
    return Example(moves, torch.zeros(frames, codes.shape[-1]), view, extents, luck > PLACED)


def numbers(track: Track) -> Tensor:
    """A track as fields have it, (frames, MOVE)."""
    angle = torch.deg2rad(track.angle)
    cos, sin = track.scale * angle.cos(), track.scale * angle.sin()
    return torch.stack([track.x / HALF, track.y / HALF, cos, -sin, sin, cos, track.opacity], 1).float()


def _alive(data: VideoSet, codes: Tensor, row: int, frames: int, rng: Random) -> Example:
    flipped = rng.random() < 0.5
    view, body = data.real_views[row].float() / 255, data.real_bodies[row]
    if flipped:
        view, body = view.flip(-1), mirrored(body)
    moves = torch.zeros(frames, THINGS, MOVE)
    moves[:, 0] = torch.tensor(UNMOVED)
    moves[:, 0, :2] = torch.tensor(body.centre) / HALF
    extents = torch.zeros(THINGS, 7)
    extents[0] = torch.tensor(body.numbers())
    return Example(moves, resampled(codes[row, int(flipped)].float(), frames), view, extents, rng.random() > PLACED)


def mirrored(body: Body) -> Body:
    return replace(body, centre=(-body.centre[0], body.centre[1]), left=body.right, right=body.left)


def resampled(code: Tensor, frames: int) -> Tensor:
    """A loop's code in another number of frames."""
    if len(code) == frames:
        return code
    moment = torch.arange(frames) * len(code) / frames
    before, share = moment.floor().long(), moment.frac()[:, None]
    return code[before] * (1 - share) + code[(before + 1) % len(code)] * share


def _placed(view: Tensor, body: Body, track: Track, large: bool) -> Tensor:
    """The small view of a picture as its first frame has it."""
    if large:
        return view
    scale, place = float(track.scale[0]), torch.tensor([float(track.x[0]), float(track.y[0])])
    theta = torch.zeros(1, 2, 3)
    theta[0, 0, 0] = theta[0, 1, 1] = 1 / scale
    theta[0, :, 2] = (torch.tensor(body.centre) - place / scale) / HALF
    grid = F.affine_grid(theta, [1, 4, *view.shape[1:]], align_corners=False)
    return F.grid_sample(view[None], grid, mode="bilinear", align_corners=False)[0]


def _from_first(motion: str, bodies: list[Body], moving: list[Track], large: bool) -> tuple[list[Body], list[Track]]:
    """Extents as in the first frame, and tracks that leave it as it is. Where the picture is `large`, the thing is
    as large as it was drawn, and stays there at first."""
    after, moved = [], []
    for body, track in zip(bodies, moving, strict=True):
        scale = float(track.scale[0])
        if large:
            further = 1 / scale if motion in FURTHER else 1.0
            x = (track.x - track.x[0]) * further + body.centre[0]
            y = (track.y - track.y[0]) * further + body.centre[1]
            after.append(body)
        else:
            x, y = track.x, track.y
            sizes = (value * scale for value in (body.left, body.right, body.up, body.down, body.reach))
            after.append(Body((float(x[0]), float(y[0])), *sizes))
        moved.append(Track(x, y, track.angle, track.scale / scale, track.opacity))
    return after, moved
