"""Motions as exact functions of time, and pictures put in motion by them.

A Track says where a thing is in every frame; it is the truth that a judge of motion is held against. Time runs from 0
to 1. Motions that come back (LOOPS) leave the last moment out, so that the last frame leads to the first again. The
same random numbers give the same motion in any number of frames.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.video_motions import LOOPS, PASSING
from pipelines.video_things import Body
from training.emoji_data import SIZE

HALF = SIZE / 2
SPEEDS = ("slowly", "", "quickly")
TURNING = frozenset(["spins clockwise", "spins counter-clockwise", "swings"])  # nothing to see in a round thing
GRAVITY = 4.0  # u * (1 - u) times this is 1 at the top of a bounce


@dataclass(frozen=True)
class Track:
    """A thing in every frame, each (frames,): its centre of mass in pixels from the picture's centre, y downwards."""

    x: Tensor
    y: Tensor
    angle: Tensor  # degrees clockwise
    scale: Tensor
    opacity: Tensor

    @classmethod
    def of(cls, time: Tensor, **told: Tensor | float) -> Track:
        """What is not told stays where it is."""
        values = {"x": 0.0, "y": 0.0, "angle": 0.0, "scale": 1.0, "opacity": 1.0} | told
        return cls(**{name: torch.zeros_like(time) + value for name, value in values.items()})


def inside(body: Body, scale: float, rng: Random, room: float = HALF - 2) -> tuple[float, float]:
    """Somewhere near the middle where all of it is in the picture."""
    x = between(rng, max(-12, body.left * scale - room), min(12, room - body.right * scale))
    y = between(rng, max(-12, body.up * scale - room), min(12, room - body.down * scale))
    return x, y


def between(rng: Random, low: float, high: float) -> float:
    return rng.uniform(low, high) if low < high else (low + high) / 2


def about(rng: Random, values: tuple[float, float, float], speed: str) -> float:
    """The value of this speed, give or take 8 %: speeds stay apart."""
    return values[SPEEDS.index(speed)] * rng.uniform(0.92, 1.08)


def slides(time: Tensor, body: Body, speed: str, rng: Random, across: float, down: float) -> Track:
    way = about(rng, (26.0, 48.0, 78.0), speed)
    along = body.width if across else body.height
    scale = min(rng.uniform(0.5, 0.75), (SIZE + 20 - way) / along)  # at its ends the rim may cut a little of it
    x, y = inside(body, scale, rng)
    middle = rng.uniform(-4, 4)
    moved = middle + way * (time - 0.5)
    return Track.of(time, x=across * moved if across else x, y=down * moved if down else y, scale=scale)


def bounces(time: Tensor, body: Body, speed: str, rng: Random) -> Track:
    height, scale = rng.uniform(26, 42), min(rng.uniform(0.45, 0.65), 80 / body.height)
    x, _ = inside(body, scale, rng)
    floor = HALF - 3 - rng.uniform(0, 6) - body.down * scale
    part = (time * (1, 2, 4)[SPEEDS.index(speed)]) % 1
    return Track.of(time, x=x, y=floor - height * GRAVITY * part * (1 - part), scale=scale)


def spins(time: Tensor, body: Body, speed: str, rng: Random, sign: float) -> Track:
    scale = min(rng.uniform(0.6, 0.85), (HALF - 2) / body.reach)
    room = min(8.0, HALF - 2 - body.reach * scale)
    x, y = rng.uniform(-room, room), rng.uniform(-room, room)
    turns = (0.5, 1, 2)[SPEEDS.index(speed)]
    return Track.of(time, x=x, y=y, angle=sign * 360 * turns * time, scale=scale)


def grows(time: Tensor, body: Body, speed: str, rng: Random) -> Track:
    """By the same factor in every frame."""
    ratio, full = about(rng, (1.4, 1.9, 2.6), speed), rng.uniform(0.8, 1.0)
    x, y = inside(body, full, rng)
    return Track.of(time, x=x, y=y, scale=full * ratio ** (time - 1))


def shrinks(time: Tensor, body: Body, speed: str, rng: Random) -> Track:
    return grows(1 - time, body, speed, rng)


def shakes(time: Tensor, body: Body, speed: str, rng: Random) -> Track:
    wide, scale = rng.uniform(4, 7), rng.uniform(0.6, 0.85)
    x, y = inside(body, scale, rng, HALF - 2 - wide)
    return Track.of(time, x=x + wide * wave(time, (2, 4, 6)[SPEEDS.index(speed)]), y=y, scale=scale)


def swings(time: Tensor, body: Body, speed: str, rng: Random) -> Track:
    """Hung by its top."""
    scale = min(rng.uniform(0.5, 0.7), (HALF + 20) / body.height)
    x, y = inside(body, scale, rng, HALF - 16)
    angle = rng.choice((-1, 1)) * rng.uniform(18, 30) * wave(time, (1, 2, 3)[SPEEDS.index(speed)])
    length, turned = body.up * scale, torch.deg2rad(angle)
    return Track.of(time, x=x - length * turned.sin(), y=y - length * (1 - turned.cos()), angle=angle, scale=scale)


def flies_off(time: Tensor, body: Body, speed: str, rng: Random) -> Track:
    """Faster and faster to the left, to the right or up, until nothing of it is left in the picture."""
    scale = rng.uniform(0.45, 0.7)
    x, y = inside(body, scale, rng)
    towards, slope = rng.choice("lru"), rng.uniform(0, 0.35)
    gone = rng.uniform(0.95, 1.0) * (0.98, 0.7, 0.45)[SPEEDS.index(speed)]
    far = (time / gone).square()
    if towards == "u":
        way = HALF + y + body.down * scale + 2
        return Track.of(time, x=x + rng.choice((-1, 1)) * slope * way * far, y=y - way * far, scale=scale)
    sign = -1 if towards == "l" else 1
    way = HALF - sign * x + (body.right if sign < 0 else body.left) * scale + 2
    return Track.of(time, x=x + sign * way * far, y=y - slope * way * far, scale=scale)


def fades_in(time: Tensor, body: Body, speed: str, rng: Random) -> Track:
    scale = rng.uniform(0.6, 0.95)
    x, y = inside(body, scale, rng)
    full = rng.uniform(0.92, 1.0) * (1.0, 0.6, 0.3)[SPEEDS.index(speed)]
    return Track.of(time, x=x, y=y, scale=scale, opacity=(time / full).clamp(max=1))


def stays(time: Tensor, body: Body, speed: str, rng: Random) -> Track:
    scale = rng.uniform(0.6, 1.0)
    x, y = inside(body, scale, rng)
    return Track.of(time, x=x, y=y, scale=scale)


def passing(time: Tensor, bodies: tuple[Body, Body], speed: str, rng: Random) -> list[Track]:
    """From left to right and from right to left; the first in front, a little lower or higher than the second."""
    way, lane = about(rng, (52.0, 68.0, 88.0), speed), rng.choice((-1, 1)) * rng.uniform(4, 20)
    side = rng.choice((-1, 1))
    tracks = []
    for sign, body in zip((side, -side), bodies, strict=True):
        scale = min(0.5, 46 / body.width, 70 / body.height)
        middle = (body.left - body.right) / 2 * scale  # so that the boxes meet in the middle, not the centres of mass
        tracks.append(Track.of(time, x=middle + sign * way * (time - 0.5), y=sign * side * lane, scale=scale))
    return tracks


def wave(time: Tensor, cycles: int) -> Tensor:
    return torch.sin(2 * math.pi * cycles * time)


Motion = Callable[[Tensor, Body, str, Random], Track]
ONE: dict[str, Motion] = {
    "slides left": partial(slides, across=-1, down=0),
    "slides right": partial(slides, across=1, down=0),
    "slides up": partial(slides, across=0, down=-1),
    "slides down": partial(slides, across=0, down=1),
    "bounces": bounces,
    "spins clockwise": partial(spins, sign=1),
    "spins counter-clockwise": partial(spins, sign=-1),
    "grows": grows,
    "shrinks": shrinks,
    "shakes": shakes,
    "swings": swings,
    "flies off": flies_off,
    "fades in": fades_in,
    "stays still": stays,
}
MOTIONS = (*ONE, PASSING)


def withheld_motion(hexcode: str, motion: str) -> bool:
    """Whether this thing is never seen in this motion in training: a fixed 10 %, known from the names alone."""
    return hashlib.sha256(f"{hexcode.lower()}:{motion}".encode()).digest()[0] < 26


def times(motion: str, frames: int) -> Tensor:
    return torch.arange(frames, dtype=torch.float64) / (frames if motion in LOOPS else frames - 1)


def tracks(motion: str, speed: str, bodies: tuple[Body, ...], frames: int, rng: Random) -> list[Track]:
    """One track for each thing."""
    time = times(motion, frames)
    if motion == PASSING:
        one, two = bodies
        return passing(time, (one, two), speed, rng)
    (body,) = bodies
    return [ONE[motion](time, body, speed, rng)]


def moved(layer: Tensor, body: Body, track: Track) -> Tensor:
    """A premultiplied picture (4, 128, 128) along its track, (frames, 4, 128, 128).

    It is first reduced to about its size in the frame, by a filter as wide as the reduction, then moved and turned by
    cubic interpolation: no line breaks up, and its sharpness hardly depends on where between the pixels it lies.
    """
    angle = torch.deg2rad(track.angle)
    cos, sin = angle.cos() / track.scale, angle.sin() / track.scale
    theta = torch.zeros(len(angle), 2, 3, dtype=torch.float64)
    theta[:, 0, 0], theta[:, 0, 1], theta[:, 1, 0], theta[:, 1, 1] = cos, sin, -sin, cos
    place = torch.stack([track.x, track.y], 1)[:, :, None]
    theta[:, :, 2] = (torch.tensor(body.centre) - (theta[:, :, :2] @ place)[:, :, 0]) / HALF
    result = torch.empty(len(angle), 4, SIZE, SIZE)
    sizes = (track.scale * SIZE).ceil().int()
    for size in sorted(set(sizes.tolist())):
        some = sizes == size
        small = layer[None] if size >= SIZE else reduced(layer, size)
        grid = F.affine_grid(theta[some].float(), [int(some.sum()), 4, SIZE, SIZE], align_corners=False)
        result[some] = F.grid_sample(small.expand(len(grid), -1, -1, -1), grid, mode="bicubic", align_corners=False)
    result.clamp_(0, 1)
    result[:, :3] = result[:, :3].minimum(result[:, 3:])
    return result * track.opacity.float()[:, None, None, None]


def reduced(layer: Tensor, size: int) -> Tensor:
    return F.interpolate(layer[None], (size, size), mode="bilinear", antialias=True, align_corners=False)
