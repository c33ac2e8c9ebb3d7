"""The picture set as tensors: loading it, and composing its pictures on backgrounds.

Inside, pictures are premultiplied float RGBA, (n, 4, 128, 128) in 0..1: what resampling and layering need.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Generator, Tensor


@dataclass(frozen=True)
class PictureSet:
    pixels: Tensor  # uint8 (n, 128, 128, 4), straight alpha
    records: list[dict[str, Any]]  # hexcode, style, label, tags, group, withheld

    @classmethod
    def load(cls, folder: Path) -> PictureSet:
        if not (folder / "pictures.json").exists():
            raise SystemExit(f"No pictures in {folder}: run python -m training.emoji_data --out {folder}")
        records = json.loads((folder / "pictures.json").read_text())["pictures"]
        return cls(load_file(folder / "pictures.safetensors")["pictures"], records)

    def rows(self, *, withheld: bool) -> Tensor:
        """The numbers of the withheld pictures, or of all others: what training may see."""
        return torch.tensor([i for i, record in enumerate(self.records) if record["withheld"] == withheld])

    def layers(self, rows: Tensor) -> Tensor:
        pixels = self.pixels[rows].permute(0, 3, 1, 2).float() / 255
        return torch.cat([pixels[:, :3] * pixels[:, 3:], pixels[:, 3:]], 1)


def on(layers: Tensor, colour: Tensor) -> Tensor:
    """Layers on plain backgrounds, (n, 3) in 0..1: RGB in -1..1, what the autoencoder reads."""
    return (layers[:, :3] + colour[:, :, None, None] * (1 - layers[:, 3:])) * 2 - 1


def over(top: Tensor, bottom: Tensor) -> Tensor:
    return top + bottom * (1 - top[:, 3:])


def placed(layers: Tensor, scale: Tensor, flip: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Each picture scaled by its factor, mirrored where `flip` is -1, its centre moved by (x, y) pixels; each (n,)."""
    size = layers.shape[-1]
    theta = torch.zeros(len(layers), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = flip / scale, 1 / scale
    theta[:, 0, 2], theta[:, 1, 2] = -x * flip / scale * 2 / size, -y / scale * 2 / size
    result = layers.clone()  # those that stay as they are cost nothing
    small = scale < 0.75  # sampled from the half-size picture, or thin lines would break up
    moved = ~small & ((scale != 1) | (flip != 1) | (x != 0) | (y != 0))
    for some, shrink in ((moved, 1), (small, 2)):
        if some.any():
            chosen = F.avg_pool2d(layers[some], shrink)
            grid = F.affine_grid(theta[some], [len(chosen), 4, size, size], align_corners=False)
            result[some] = F.grid_sample(chosen, grid, mode="bilinear", align_corners=False)
    return result


def uniform(n: int, low: float, high: float, g: Generator) -> Tensor:
    return torch.empty(n).uniform_(low, high, generator=g)


def augmented(pictures: PictureSet, rows: Tensor, n: int, g: Generator) -> Tensor:
    """A training batch for the autoencoder: single pictures as they are, zoomed ones, and two side by side."""

    def draw(low: float, high: float) -> Tensor:
        layers = pictures.layers(rows[torch.randint(len(rows), (n,), generator=g)])
        as_is = torch.rand(n, generator=g) < 0.5
        scale = torch.where(as_is & (high > 1), torch.ones(n), uniform(n, low, high, g))
        flip = torch.where(torch.rand(n, generator=g) < 0.5, -1.0, 1.0)
        shift = torch.randint(-12, 13, (2, n), generator=g).float()
        return placed(layers, scale, flip, shift[0], shift[1])

    layers = draw(0.6, 1.5)
    two = max(1, n // 6)
    side = torch.where(torch.rand(two, generator=g) < 0.5, -1.0, 1.0)
    across = torch.rand(two, generator=g) < 0.6
    for sign in (-1, 1):
        offset = sign * side * 32
        zero = torch.zeros(two)
        one = pictures.layers(rows[torch.randint(len(rows), (two,), generator=g)])
        one = placed(
            one,
            uniform(two, 0.45, 0.55, g),
            side,
            torch.where(across, offset, zero),
            torch.where(across, zero, offset),
        )
        layers[:two] = one if sign < 0 else over(one, layers[:two])
    white = torch.rand(n, 1, generator=g) < 0.5
    colour = torch.where(white, torch.ones(n, 3), torch.rand(n, 3, generator=g))
    result = on(layers, colour)
    swapped = torch.rand(n, generator=g) < 0.15  # other colours than things have in this set
    result[swapped] = result[swapped][:, torch.randperm(3, generator=g)]
    return result
