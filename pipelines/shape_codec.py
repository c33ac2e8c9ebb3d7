"""Between a grid of distances and colours and the small latent that the 3D model denoises.

A grid is cut into 8 x 8 x 8 cells. Encoding is linear: each cell's distances and colours, projected onto the principal
components of many such cells. Decoding sees a cell's neighbours too: convolutions add to the linear guess what a cell
alone cannot tell. Latents are normalised: each component's mean and deviation are part of the codec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

CELLS = 8  # along each side
LIKE = 0.45  # how far apart two shades of a colour are, at most, in a cube of side 2


@dataclass(frozen=True)
class Grids:
    """Shapes in a batch, axes x (to the right), y (up), z (to the front)."""

    distance: Tensor  # (n, 1, side, side, side), -1..1: negative inside; 1 is as far as the grid measures
    colour: Tensor  # (n, 3, side / 2, side / 2, side / 2), RGB in -1..1; only near the surface does it mean anything


def cells(x: Tensor) -> Tensor:
    """(n, c, s, s, s) -> (n, c * (s / 8)^3, 8, 8, 8)"""
    n, channels, side = x.shape[:3]
    step = side // CELLS
    x = x.reshape(n, channels, CELLS, step, CELLS, step, CELLS, step)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, -1, CELLS, CELLS, CELLS)


def joined(x: Tensor, channels: int) -> Tensor:
    """The opposite of cells()."""
    n, step = len(x), round((x.shape[1] / channels) ** (1 / 3))
    x = x.reshape(n, channels, step, step, step, CELLS, CELLS, CELLS)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, channels, *[step * CELLS] * 3)


class Mix(nn.Module):
    """Residual: two 3 x 3 x 3 convolutions, the second zero at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.first = nn.Conv3d(width, width, 3, padding=1)
        self.second = nn.Conv3d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.second(F.silu(self.first(self.norm(x)))))


class ShapeCodec(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """`side` voxels to `channels` numbers for each of 8^3 cells."""

    basis: Tensor  # (numbers of a cell, channels), orthonormal columns
    middle: Tensor  # (numbers of a cell,)
    mean: Tensor  # (channels,)
    deviation: Tensor  # (channels,)

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, side: int = 48, channels: int = 32, width: int = 48, blocks: int = 1) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.voxels = (side // CELLS) ** 3
        numbers = self.voxels + 3 * (side // 2 // CELLS) ** 3
        self.register_buffer("basis", torch.eye(numbers, channels))
        self.register_buffer("middle", torch.zeros(numbers))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))
        self.enter = nn.Conv3d(channels, width, 3, padding=1)
        self.mix = nn.Sequential(*(Mix(width) for _ in range(blocks)))
        self.leave = nn.Conv3d(width, numbers, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(cast(Tensor, self.leave.bias))

    def encode(self, grids: Grids) -> Tensor:
        """Normalised latents, (n, channels, 8, 8, 8)."""
        flat = torch.cat([cells(grids.distance), cells(grids.colour)], 1).movedim(1, -1)
        return (((flat - self.middle) @ self.basis - self.mean) / self.deviation).movedim(-1, 1)

    def decode(self, latents: Tensor) -> Grids:
        """The shapes that these latents (n, channels, 8, 8, 8) stand for; distances and colours held to -1..1."""
        plain = latents.movedim(1, -1) * self.deviation + self.mean
        guess = (plain @ self.basis.T + self.middle).movedim(-1, 1)
        flat = guess + self.leave(self.mix(self.enter(latents)))
        distance, colour = torch.tensor_split(flat, [self.voxels], 1)
        return Grids(joined(distance, 1).clamp(-1, 1), joined(colour, 3).clamp(-1, 1))

    def repainted(self, latents: Tensor, old: Sequence[int], new: Sequence[int]) -> Tensor:
        """The same shapes (n, channels, 8, 8, 8) with what has the old colour in the new one; both RGB of 255.

        Lighter and darker shades of the old colour become such shades of the new. Where things are stays as it is:
        encoding is linear, so the change of colours alone is encoded and added.
        """
        grids = self.decode(latents)
        was, then = (torch.tensor(tuple(rgb)).to(latents)[:, None, None, None] / 127.5 - 1 for rgb in (old, new))
        away = (grids.colour - was).square().sum(1, keepdim=True).sqrt()
        share = ((2 * LIKE - away) / LIKE).clamp(0, 1)  # all of it where it is that colour, less and less beyond
        colour = (grids.colour + share * (then - was)).clamp(-1, 1)
        change = torch.cat([torch.zeros_like(cells(grids.distance)), cells(colour - grids.colour)], 1)
        return latents + (change.movedim(1, -1) @ self.basis / self.deviation).movedim(-1, 1)
