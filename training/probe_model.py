"""The probe: a small network that names the thing and the style of a picture.

It is a test instrument, not a model for visitors: benchmarks.image_quality shows it what the image model drew. It
looks at 64 px, works at 1/4 of that size and below, and normalises within each picture, so that a picture is judged
the same alone and among others.
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

SIDE = 64


@dataclass(frozen=True)
class Seen:
    """What the probe makes of n pictures."""

    features: Tensor  # (n, features): pictures of like content lie close
    things: Tensor  # (n, things), logits
    styles: Tensor  # (n, styles), logits


@dataclass(frozen=True)
class Accuracy:
    """Shares of pictures that were named right; `top5`: the right thing is among the five likeliest."""

    top1: float
    top5: float
    style: float
    pictures: int

    def text(self) -> str:
        return f"top-1 {self.top1:.1%}, top-5 {self.top5:.1%}, style {self.style:.1%} of {self.pictures}"


class Block(nn.Module):
    """Residual: a 3 x 3 convolution at half the width, between two that make it narrow and wide; zero at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.narrow = nn.Conv2d(width, width // 2, 1)
        self.mix = nn.Conv2d(width // 2, width // 2, 3, padding=1)
        self.wide = nn.Conv2d(width // 2, width, 1)
        nn.init.zeros_(self.wide.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = F.silu(self.narrow(self.norm(x)))
        return x + cast(Tensor, self.wide(F.silu(self.mix(h))))


class Probe(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Things are known by hexcode. 16 x 16 cells, then 8 x 8, then 4 x 4, each time twice as wide.

    What a thing is shows at the end, where its style has been left behind; the style is read from how strong each
    channel is and how much it varies, at all three sizes.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        things: Sequence[str],
        styles: Sequence[str],
        width: int = 64,
        blocks: Sequence[int] = (2, 2, 2),
        features: int = 512,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.enter = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, width, 3, stride=2, padding=1))
        self.levels = nn.ModuleList()
        for level, count in enumerate(blocks):
            wide = width * 2**level
            smaller = [nn.PixelUnshuffle(2), nn.Conv2d(2 * wide, wide, 1)] if level else []
            self.levels.append(nn.Sequential(*smaller, *(Block(wide) for _ in range(count))))
        self.leave = nn.Sequential(nn.GroupNorm(8, wide), nn.Conv2d(wide, features, 1), nn.SiLU())
        self.thing = nn.Linear(features, len(things))
        statistics = 2 * width * (2 ** len(blocks) - 1)
        self.style = nn.Sequential(
            nn.LayerNorm(statistics), nn.Linear(statistics, 128), nn.SiLU(), nn.Linear(128, len(styles))
        )

    def forward(self, pictures: Tensor) -> Seen:
        """RGB in -1..1, (n, 3, h, w); larger ones than 64 px are shrunk first."""
        if pictures.shape[-1] != SIDE:
            pictures = F.adaptive_avg_pool2d(pictures, SIDE)
        x = self.enter(pictures.to(memory_format=torch.channels_last))
        statistics = []
        for level in self.levels:
            x = level(x)
            statistics += [x.mean((2, 3)), (x.var((2, 3)) + 1e-5).sqrt()]
        features = F.layer_norm(self.leave(x).mean((2, 3)), (self.config.features,))
        return Seen(features, self.thing(features), self.style(torch.cat(statistics, 1)))

    @torch.no_grad()
    def look(self, pictures: Tensor) -> Seen:
        """The same for any number of pictures, in parts."""
        seen = [self(part) for part in pictures.split(64)]
        return Seen(*(torch.cat([getattr(one, name) for one in seen]) for name in ("features", "things", "styles")))


def accuracy(seen: Seen, things: Tensor, styles: Tensor) -> Accuracy:
    """How often the probe is right, given the numbers of the true things and styles, each (n,)."""
    best = seen.things.topk(min(5, seen.things.shape[1])).indices == things[:, None]
    right = (best[:, 0], best.any(1), seen.styles.argmax(1) == styles)
    top1, top5, style = (share.float().mean().item() for share in right)
    return Accuracy(top1, top5, style, len(things))


def numbers(probe: Probe, hexcodes: Sequence[str], styles: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Things and styles as the probe counts them."""
    of_thing = {hexcode: number for number, hexcode in enumerate(probe.config.things)}
    of_style = {style: number for number, style in enumerate(probe.config.styles)}
    return torch.tensor([of_thing[one] for one in hexcodes]), torch.tensor([of_style[one] for one in styles])
