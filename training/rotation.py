"""How far one picture is turned against another, by comparing them along rings around a centre."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = 180  # around: two degrees each
RINGS = 32
FURTHEST = 100.0  # degrees that a thing is taken to turn from one frame to the next at most


def rings(pictures: Tensor, centres: Tensor, radius: float) -> Tensor:
    """Pictures (n, c, h, w) along rings around centres (n, 2) in pixels from the middle: (n, c, RINGS, STEPS).

    What is the same all around a ring is taken away, and outer rings count for more, as they are longer.
    """
    half = pictures.shape[-1] / 2
    angle = torch.arange(STEPS) * (2 * math.pi / STEPS)
    distance = (torch.arange(RINGS) + 0.5) / RINGS * radius
    around = torch.stack([angle.cos(), angle.sin()], -1)
    grid = (distance[:, None, None] * around + centres[:, None, None].float()) / half
    seen = F.grid_sample(pictures, grid, align_corners=False)
    return (seen - seen.mean(-1, keepdim=True)) * distance[:, None].sqrt()


def agreement(one: Tensor, two: Tensor) -> Tensor:
    """How well rings (n, c, r, a) agree when `one` is turned clockwise by each step: (n, STEPS), 1 if equal."""
    spectrum = torch.fft.rfft(one).conj() * torch.fft.rfft(two)
    found: Tensor = torch.fft.irfft(spectrum.sum((1, 2)), STEPS)
    size = (one.square().sum((1, 2, 3)) * two.square().sum((1, 2, 3))).sqrt()
    return found / size.clamp(min=1e-6)[:, None]


def turn(one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
    """By how many degrees clockwise `two` is turned against `one`, each (n,), and how well they then agree."""
    found = agreement(one, two)
    degrees = (torch.arange(STEPS) * 360 / STEPS + 180) % 360 - 180
    best = found.masked_fill(degrees.abs() > FURTHEST, -2).argmax(1)
    before, at, after = (found.gather(1, ((best + d) % STEPS)[:, None])[:, 0] for d in (-1, 0, 1))
    curve = (before - 2 * at + after).clamp(max=-1e-6)
    between = ((before - after) / (2 * curve)).clamp(-0.5, 0.5)
    return degrees[best] + between * 360 / STEPS, at


def turning_shows(layer: Tensor, centre: tuple[float, float], radius: float) -> bool:
    """Whether a premultiplied picture (4, h, w) looks different at every angle: a ball or a snowflake does not."""
    turned = rings(layer[None], torch.tensor([centre]), radius)
    uneven = float(turned.square().mean() / layer.square().mean())
    itself = agreement(turned, turned)[0]
    least = round(20 / 360 * STEPS)
    return uneven > 0.5 and float(itself[least : STEPS - least + 1].max()) < 0.8
