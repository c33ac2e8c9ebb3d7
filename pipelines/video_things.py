"""The things in a picture, taken off its background, so that they can move over it.

What is drawn here stands on a plain background: its colour is read off the rim, and all of that colour that the rim
touches is background. A picture whose rim has many colours is a photo, or a pattern: it moves as a whole, mirrored at
its edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SIDE = 128  # pixels of a side that places are counted in
RIM = 2  # pixels
PLAIN = 0.6  # the least share of the rim that must be of one colour
ALIKE = 0.055  # of 1, in every channel: what differs less from the background is background
SURE = 0.16  # and what differs more is the thing, wholly
SMALLEST = 0.004  # of the picture: less is no thing
SEEN = 0.05  # opacity


@dataclass(frozen=True)
class Body:
    """A thing's extent, in pixels of a side of 128 from its centre of mass."""

    centre: tuple[float, float]  # of mass, from the picture's centre
    left: float
    right: float
    up: float
    down: float
    reach: float  # to the furthest pixel

    @classmethod
    def of(cls, layer: Tensor) -> Body:
        """Of a premultiplied picture, (4, h, w), of SIDE pixels a side."""
        alpha = layer[3]
        y, x = torch.meshgrid(*(torch.arange(side) - side / 2 + 0.5 for side in alpha.shape), indexing="ij")
        cx, cy = (float((axis * alpha).sum() / alpha.sum()) for axis in (x, y))
        seen = alpha > min(SEEN, float(alpha.max()) / 2)  # of what is faint all over, the stronger part
        x, y = x[seen] - cx, y[seen] - cy
        reach = float(torch.hypot(x, y).max())
        return cls((cx, cy), -float(x.min()), float(x.max()), -float(y.min()), float(y.max()), reach)

    @property
    def width(self) -> float:
        return self.left + self.right

    @property
    def height(self) -> float:
        return self.up + self.down

    def numbers(self) -> tuple[float, ...]:
        """As a network reads it: about 1 for half a side."""
        half = SIDE / 2
        return tuple(value / half for value in (*self.centre, self.left, self.right, self.up, self.down, self.reach))


@dataclass(frozen=True)
class Thing:
    """What moves as one: its pixels, premultiplied RGBA in 0..1, (4, side, side), and its extent."""

    pixels: Tensor
    body: Body
    whole: bool = False  # the whole picture, which goes on beyond its edges as in a mirror

    @classmethod
    def of(cls, pixels: Tensor, whole: bool = False) -> Thing:
        return cls(pixels, Body.of(_resized(pixels, SIDE)), whole)

    @property
    def centre(self) -> tuple[float, float]:
        """In half sides from the picture's centre."""
        x, y = self.body.centre
        return x / (SIDE / 2), y / (SIDE / 2)

    def small(self, side: int) -> Tensor:
        """(4, side, side), as a network looks at it."""
        return _resized(self.pixels, side)


def taken_off(picture: Tensor, *, always_plain: bool = False) -> tuple[Thing, Tensor]:
    """All there is in a square picture, RGB in 0..1 (3, side, side), and the colour behind it (3,).

    `always_plain`: the background is of one colour, even where the thing covers most of the rim."""
    background = plain(picture, 0.0 if always_plain else PLAIN)
    if background is None:
        whole = torch.cat([picture, torch.ones_like(picture[:1])])
        return Thing.of(whole, whole=True), picture.mean((1, 2))
    alpha = matte(picture, background)
    if float(alpha.mean()) < SMALLEST:  # nothing to be seen: then the page itself is all there is
        return Thing.of(torch.cat([picture, torch.ones_like(picture[:1])]), whole=True), background
    return Thing.of(layer(picture, background, alpha)), background


def apart(picture: Tensor) -> tuple[tuple[Thing, ...], Tensor] | None:
    """The two things in a picture and the colour behind them; None where there are not two that do not touch."""
    from scipy import ndimage

    background = plain(picture)
    if background is None:
        return None
    alpha = matte(picture, background)
    labels, count = ndimage.label(alpha.numpy() > SEEN)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:] / labels.size
    large = [number + 1 for number in np.argsort(-sizes)[:2] if sizes[number] > SMALLEST]
    if len(large) < 2:
        return None
    one, two = sorted(large, key=lambda number: float(np.argwhere(labels == number)[:, 1].mean()))
    nearest = ndimage.distance_transform_edt(~np.isin(labels, (one, two)), return_distances=False, return_indices=True)
    owner = labels[tuple(nearest)]  # small parts go with the thing that they are next to
    things = tuple(
        Thing.of(layer(picture, background, alpha * torch.from_numpy(owner == number))) for number in (one, two)
    )
    return things, background


def plain(picture: Tensor, least: float = PLAIN) -> Tensor | None:
    """The colour of a picture's rim, (3,), if it has one."""
    rim = torch.ones(picture.shape[1:], dtype=torch.bool)
    rim[RIM:-RIM, RIM:-RIM] = False
    colours = picture[:, rim]
    common = colours.median(1).values
    alike = ((colours - common[:, None]).abs().amax(0) < ALIKE).float().mean()
    return common if float(alike) >= least else None


def matte(picture: Tensor, background: Tensor) -> Tensor:
    """How much of each pixel belongs to a thing, (side, side): nothing of what the rim reaches over background."""
    from scipy import ndimage

    difference = (picture - background[:, None, None]).abs().amax(0)
    alike: NDArray[np.bool_] = (difference < ALIKE).numpy()
    labels, _ = ndimage.label(alike)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    outside = torch.from_numpy(np.isin(labels, np.unique(rim[rim > 0])))
    soft = ((difference - ALIKE) / (SURE - ALIKE)).clamp(0, 1)
    near = torch.from_numpy(ndimage.binary_dilation(outside.numpy(), iterations=2))
    alpha = torch.where(near, soft, torch.ones_like(soft))
    return torch.where(outside, torch.zeros_like(alpha), alpha)


def layer(picture: Tensor, background: Tensor, alpha: Tensor) -> Tensor:
    """What of a picture is in front of its background, premultiplied: (4, side, side)."""
    front = picture - background[:, None, None] * (1 - alpha)
    return torch.cat([front.clamp(min=0).minimum(alpha), alpha[None]])


def _resized(pixels: Tensor, side: int) -> Tensor:
    if pixels.shape[-1] == side:
        return pixels
    return F.interpolate(pixels[None], (side, side), mode="bilinear", antialias=True, align_corners=False)[0]
