"""The probe: a small network that names the thing and the style of a picture.

It is a test instrument, not a model for visitors: benchmarks.image_quality shows it what the image model drew. What a
thing is, it sees at 64 px; in which style it is drawn shows at 128 px only, in statistics that have a branch of their
own, trained by itself. All normalising is within each picture, so that a picture is judged the same alone and among
others.
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

from training.style_statistics import COUNT, statistics

SIDE = 64
STYLE_SIDE = 128


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


class Style(nn.Module):
    """Logits of the styles of pictures at 128 px, from their statistics alone."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, styles: int, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(COUNT))
        self.register_buffer("deviation", torch.ones(COUNT))
        self.layers = nn.Sequential(
            nn.Linear(COUNT, 2 * width), nn.SiLU(), nn.Dropout(0.6), nn.Linear(2 * width, width), nn.SiLU(),
            nn.Dropout(0.6), nn.Linear(width, styles),
        )  # fmt: skip

    def fit(self, found: Tensor) -> None:
        """Take means and deviations from these statistics, (n, COUNT)."""
        self.mean.copy_(found.mean(0))
        self.deviation.copy_(found.std(0) + 1e-3)

    def name(self, found: Tensor) -> Tensor:
        """From statistics, (n, COUNT)."""
        return cast(Tensor, self.layers((found - self.mean) / self.deviation))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.name(statistics(pictures))


class Probe(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Things are known by hexcode. 16 x 16 cells, then 8 x 8, then 4 x 4, each time twice as wide."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        things: Sequence[str],
        styles: Sequence[str],
        width: int = 64,
        blocks: Sequence[int] = (2, 2, 2),
        features: int = 512,
        style_width: int = 256,
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
        self.style = Style(len(styles), style_width)

    def name(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits of things, of pictures at 64 px."""
        x = self.enter(pictures.to(memory_format=torch.channels_last))
        for level in self.levels:
            x = level(x)
        features = F.layer_norm(self.leave(x).mean((2, 3)), (self.config.features,))
        return features, self.thing(features)

    def forward(self, pictures: Tensor) -> Seen:
        """RGB in -1..1, (n, 3, 128, 128) or larger."""
        features, things = self.name(F.adaptive_avg_pool2d(pictures, SIDE))
        return Seen(features, things, self.style(F.adaptive_avg_pool2d(pictures, STYLE_SIDE)))

    @torch.no_grad()
    def look(self, pictures: Tensor) -> Seen:
        """The same for any number of pictures, in parts."""
        seen = [self(part) for part in pictures.split(64)]
        return Seen(*(torch.cat([getattr(one, name) for one in seen]) for name in ("features", "things", "styles")))


def of_things(logits: Tensor, things: Tensor) -> tuple[float, float]:
    """The shares of pictures whose thing is the likeliest, and among the five likeliest."""
    best = logits.topk(min(5, logits.shape[1])).indices == things[:, None]
    return best[:, 0].float().mean().item(), best.any(1).float().mean().item()


def accuracy(seen: Seen, things: Tensor, styles: Tensor) -> Accuracy:
    """How often the probe is right, given the numbers of the true things and styles, each (n,)."""
    style = (seen.styles.argmax(1) == styles).float().mean().item()
    return Accuracy(*of_things(seen.things, things), style, len(things))


def numbers(probe: Probe, hexcodes: Sequence[str], styles: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Things and styles as the probe counts them."""
    of_thing = {hexcode: number for number, hexcode in enumerate(probe.config.things)}
    of_style = {style: number for number, style in enumerate(probe.config.styles)}
    return torch.tensor([of_thing[one] for one in hexcodes]), torch.tensor([of_style[one] for one in styles])
