"""What the probe is trained on: the real pictures, small, and the same after the autoencoder's round trip.

Both are kept as premultiplied RGBA of 64 px, so that either can be put on any background. What decoding leaves around
a thing stays in its colours. No withheld picture is ever drawn into a batch; they are here to be measured on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor

from pipelines.image_autoencoder import Autoencoder
from training.loop import use_spare_cores
from training.pictures import PictureSet, on, placed, uniform
from training.probe_model import SIDE

SIDED = {"left", "right", "leftwards", "rightwards", "o’clock", "thirty", "increasing", "decreasing"}
MOON = {"waxing", "waning", "quarter"}
SYMBOLS = 8  # the group of arrows, letters and signs


@dataclass(frozen=True)
class SmallPictures:
    layers: Tensor  # uint8 (2, n, 4, 64, 64), premultiplied: as they are, and decoded
    mirrored: Tensor  # bool (n,): whether the mirror image shows the same thing

    @classmethod
    def made(cls, pictures: PictureSet, autoencoder: Autoencoder) -> SmallPictures:
        """Takes minutes: every picture passes the autoencoder once, on a background of its own."""
        count = len(pictures.records)
        layers = torch.empty(2, count, 4, SIDE, SIDE, dtype=torch.uint8)
        for part in torch.arange(count).split(32):
            use_spare_cores()
            real = pictures.layers(part)
            layers[0, part] = small(real)
            layers[1, part] = small(round_trip(autoencoder, real, Generator().manual_seed(int(part[0]))))
            if part[0] % 640 == 0:
                print(f"{part[0]} of {count} pictures decoded", flush=True)
        return cls(layers, torch.tensor([may_be_mirrored(record) for record in pictures.records]))

    @classmethod
    def load(cls, file: Path) -> SmallPictures:
        return cls(**load_file(file))

    def save(self, file: Path) -> None:
        save_file({"layers": self.layers, "mirrored": self.mirrored}, file)

    def on_white(self, rows: Tensor, *, decoded: bool) -> Tensor:
        """RGB in -1..1, (n, 3, 64, 64)."""
        return on(self.layers[int(decoded), rows].float() / 255, torch.ones(len(rows), 3))

    def batch(self, rows: Tensor, n: int, g: Generator) -> tuple[Tensor, Tensor]:
        """Some of these pictures as a drawn one could look, RGB in -1..1, and which they are."""
        chosen = rows[torch.randint(len(rows), (n,), generator=g)]
        layers = self.layers[torch.randint(2, (n,), generator=g), chosen].float() / 255
        flipped = (torch.rand(n, generator=g) < 0.5) & self.mirrored[chosen]
        flip = torch.where(flipped, -1.0, 1.0)
        layers = placed(layers, uniform(n, 0.8, 1.1, g), flip, uniform(n, -4, 4, g), uniform(n, -4, 4, g))
        white = torch.rand(n, 1, generator=g) < 0.5
        colour = torch.where(white, torch.ones(n, 3), torch.rand(n, 3, generator=g))
        return disturbed(on(layers, colour), g), chosen


def small(layers: Tensor) -> Tensor:
    shrunk = F.avg_pool2d(layers, layers.shape[-1] // SIDE)
    return (shrunk.clamp(0, 1) * 255).round().byte()


@torch.no_grad()
def round_trip(autoencoder: Autoencoder, layers: Tensor, g: Generator) -> Tensor:
    """The layers as decoded on a light background, which is taken away again.

    What is darker than that background was covered by something, so a shadow around the thing becomes part of it.
    """
    n = len(layers)
    white = torch.rand(n, 1, 1, 1, generator=g) < 0.5
    light = torch.where(white, torch.ones(n, 3, 1, 1), torch.empty(n, 3, 1, 1).uniform_(0.5, 1, generator=g))
    seen = on(layers, light[:, :, 0, 0])
    decoded = autoencoder.decode(autoencoder.encode(seen).latent_dist.mode()).sample.clamp(-1, 1) / 2 + 0.5
    cover = torch.maximum(layers[:, 3:], 1 - (decoded / light).amin(1, keepdim=True))
    return torch.cat([decoded - light * (1 - cover), cover], 1).clamp(0, 1)


def may_be_mirrored(record: dict[str, Any]) -> bool:
    words = set(record["label"].lower().replace("-", " ").split())
    return record["group"] != SYMBOLS and not words & (SIDED | MOON)


def disturbed(pictures: Tensor, g: Generator) -> Tensor:
    """Slightly other colours, now and then a blur, a little noise."""
    n = len(pictures)
    gain = torch.empty(n, 1, 1, 1).uniform_(0.85, 1.15, generator=g)
    shift = torch.empty(n, 3, 1, 1).uniform_(-0.08, 0.08, generator=g)
    softness = torch.empty(n, 1, 1, 1).uniform_(-1, 1, generator=g).clamp(min=0)
    noise = torch.randn(pictures.shape, generator=g) * torch.empty(n, 1, 1, 1).uniform_(0, 0.06, generator=g)
    blurred = F.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
    soft = pictures + softness * (blurred - pictures)
    return (soft * gain + shift + noise).clamp(-1, 1)
