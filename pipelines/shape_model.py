"""The built-in 3D model: a transformer that denoises the latent of a shape, told what to make by a sentence encoder
and by shapes of the same kind.

64 tokens: an 8 x 8 x 8 latent in patches of 2 x 2 x 2. As in the image model, convolutions at the latent's own size
lead in and out, past the layers between, and the caption only offers keys and values. The references stand as the
thing will, so each patch is told what they have in its place. Latents are normalised.
It predicts the clean latent, which every step can show; image_model.velocity() turns that into what flow matching
integrates (Lipman et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from pipelines.image_model import Block, waves

LIKE = 0.65  # how much of a reference is in the next shape of its kind, before training knows it for each channel
UNLIKE = 0.6  # the variance that is left


@dataclass(frozen=True)
class Told:
    """What to make, ready for every layer and step."""

    keys_values: tuple[tuple[Tensor, Tensor], ...]  # per layer, each (batch, heads, tokens, width / heads)
    mask: Tensor  # (batch, 1, 1, patches + tokens): true where there is something to look at
    first: Tensor  # (batch, channels, size, size, size): the first reference, zero where there is none
    layout: Tensor  # (batch, patches, width): what the references have in each place
    expected: Tensor  # (batch, 1, 1, 1, 1): whether there is a reference


class Fine(nn.Module):
    """Two 3 x 3 x 3 convolutions beside the path, the second zero at first; `time` scales what is between them."""

    def __init__(self, width: int, given: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.first = nn.Conv3d(width, width, 3, padding=1)
        self.second = nn.Conv3d(width, width, 3, padding=1)
        self.time = nn.Linear(given, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.time.weight)
        nn.init.zeros_(self.time.bias)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.first(self.norm(x)) * (1 + self.time(time)[:, :, None, None, None])
        return x + cast(Tensor, self.second(F.silu(h)))


def patches(x: Tensor, size: int) -> Tensor:
    """(n, c, s, s, s) -> (n, (s / size)^3, c * size^3)"""
    n, channels, side = x.shape[:3]
    some = side // size
    x = x.reshape(n, channels, some, size, some, size, some, size)
    return x.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(n, some**3, -1)


def unpatched(x: Tensor, size: int, side: int) -> Tensor:
    """The opposite of patches()."""
    n, some = len(x), side // size
    x = x.reshape(n, some, some, some, -1, size, size, size)
    return x.permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(n, -1, side, side, side)


class ShapeDenoiser(ModelMixin, ConfigMixin):  # type: ignore[misc]
    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        channels: int = 32,
        size: int = 8,
        patch: int = 2,
        width: int = 192,
        layers: int = 4,
        head_width: int = 64,
        text_width: int = 384,
        text_tokens: int = 24,
        fine_width: int = 24,
        references: int = 2,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        count = width // head_width
        self.patch, self.side, self.slots = patch, size, references
        self.enter_fine = nn.Conv3d(2 * channels, fine_width, 3, padding=1)
        self.enter_references = nn.Linear(references * channels * patch**3, width)
        self.fine_before = Fine(fine_width, width)
        self.enter = nn.Linear(fine_width * patch**3, width)
        self.enter_text = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.place = nn.Parameter(torch.randn((size // patch) ** 3, width) * 0.02)
        self.place_text = nn.Parameter(torch.randn(text_tokens, width) * 0.02)
        self.gain = nn.Parameter(torch.full((channels, 1, 1, 1), LIKE))
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU())
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.conditioner = Block(width, count, conditional=False)
        self.blocks = nn.ModuleList(Block(width, count, conditional=True) for _ in range(layers))
        self.leave = nn.Linear(width, fine_width * patch**3)
        self.fine_after = Fine(fine_width, width)
        self.leave_fine = nn.Conv3d(fine_width, channels, 3, padding=1)
        nn.init.zeros_(self.leave_fine.weight)

    def condition(self, text: Tensor, text_mask: Tensor, references: Tensor) -> Told:
        """Hidden states (b, t, text_width), their mask (b, t), true where there is a token, and latents of other
        shapes (b, references, c, s, s, s), the most similar first, all zero where there are none."""
        there = text_mask[:, None, None]
        tokens = self.enter_text(text) + self.place_text[: text.shape[1]]
        tokens = self.conditioner(tokens, tokens.new_zeros(1, 6, tokens.shape[-1]), there)
        mask = torch.cat([there.new_ones(len(text), 1, 1, len(self.place)), there], -1)
        first = references[:, 0]
        expected = (first != 0).flatten(1).any(1).to(first)[:, None, None, None, None]
        layout = self.enter_references(patches(references.flatten(1, 2), self.patch))
        keys_values = tuple(cast(Block, block).keys_values(tokens) for block in self.blocks)
        return Told(keys_values, mask, first, layout, expected)

    def forward(self, latents: Tensor, time: Tensor, told: Told) -> Tensor:
        """The clean latents (b, c, s, s, s) that this mix (1 - time) * clean + time * noise most likely comes from."""
        t = time[:, None, None, None, None]
        size = ((1 - t) ** 2 + t**2).sqrt()  # how large the noisy latents are, the clean ones being of size one
        now = self.time(waves(time, 256).to(latents.dtype))
        fine = self.fine_before(self.enter_fine(torch.cat([latents / size, told.first], 1)), now)
        x = self.enter(patches(fine, self.patch)) + self.place + told.layout
        modulation = self.modulation(now).view(len(now), 6, -1)
        for block, more in zip(self.blocks, told.keys_values, strict=True):
            x = block(x, modulation, told.mask, more)
        fine = fine + unpatched(self.leave(F.layer_norm(x, x.shape[-1:])), self.patch, self.side)
        fine = self.fine_after(fine, now)
        # The network adds what a linear guess cannot know, at size one for every time (after Karras et al. 2022). The
        # guess before anything is seen is the first reference, as far as shapes of a kind are alike.
        guess = self.gain * told.first
        spread = 1 - (1 - UNLIKE) * told.expected
        seen = (1 - t) ** 2 * spread + t**2
        known = guess + (1 - t) * spread / seen * (latents - (1 - t) * guess)
        return cast(Tensor, known + t * (spread / seen).sqrt() * self.leave_fine(fine))
