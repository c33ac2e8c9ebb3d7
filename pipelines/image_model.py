"""The built-in image model: a latent transformer that draws from retrieved pictures (after Blattmann et al. 2022).

- 64 tokens: a 16 x 16 latent in patches of 2 x 2. They alone pass through every layer.
- Convolutions at the latent's own size lead in and out, with a connection past the layers between (after Hoogeboom et
  al. 2023): the layers arrange things, the convolutions see to edges and let no patch end at its border.
- The condition, up to 24 sentence-encoder tokens and three reference pictures of 16 tokens, passes one layer of its
  own; after that it only offers keys and values. That halves the cost, and one condition serves all denoising steps.
- References are also laid under the noisy latent, cell on cell: what is alike in another style is near where it was.
- It predicts the clean latent, so every step has a preview; velocity() turns that into what flow matching integrates.

Latents are normalised: the autoencoder's config holds their mean and standard deviation. It knows nothing of text
encoding, retrieval or sampling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn


@dataclass(frozen=True)
class Condition:
    """What to draw, ready for every layer and step."""

    keys_values: tuple[tuple[Tensor, Tensor], ...]  # per layer, each (batch, heads, tokens, width / heads)
    mask: Tensor  # (batch, 1, 1, patches + tokens): true where there is something to look at
    aligned: Tensor  # (batch, references * channels, size, size): the references under the picture


def patches(x: Tensor, size: int) -> Tensor:
    """(batch, c, h, w) -> (batch, h * w / size^2, c * size^2)"""
    return F.pixel_unshuffle(x, size).flatten(2).transpose(1, 2)


def heads(x: Tensor, count: int) -> Tensor:
    """(batch, tokens, width) -> (batch, heads, tokens, width / heads)"""
    return x.reshape(*x.shape[:-1], count, -1).transpose(1, 2)


class Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.down(F.relu(self.up(x)).square()))


class Block(nn.Module):
    """A transformer layer; `condition` gives it further keys and values, `shift` and `scale` the time."""

    def __init__(self, width: int, count: int, conditional: bool) -> None:
        super().__init__()
        self.count = count
        self.qkv = nn.Linear(width, 3 * width)
        self.condition = nn.Linear(width, 2 * width) if conditional else None
        self.out = nn.Linear(width, width)
        self.mlp = Mlp(width)
        self.table = nn.Parameter(torch.zeros(6, width))
        nn.init.zeros_(self.out.weight)

    def keys_values(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        assert self.condition is not None
        k, v = (heads(part, self.count) for part in self.condition(tokens).chunk(2, -1))
        return F.rms_norm(k, k.shape[-1:]), v

    def forward(self, x: Tensor, time: Tensor, mask: Tensor, more: tuple[Tensor, Tensor] | None = None) -> Tensor:
        shift, scale, gate, shift2, scale2, gate2 = (
            (self.table + time).unsqueeze(2).unbind(1)
        )  # each (batch or 1, 1, width)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift
        q, k, v = (heads(part, self.count) for part in self.qkv(h).chunk(3, -1))
        q, k = F.rms_norm(q, q.shape[-1:]), F.rms_norm(k, k.shape[-1:])
        if more is not None:
            k, v = torch.cat([k, more[0]], 2), torch.cat([v, more[1]], 2)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + (1 + gate) * self.out(y.transpose(1, 2).flatten(2))
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale2) + shift2
        return x + (1 + gate2) * cast(Tensor, self.mlp(h))


class Fine(nn.Module):
    """Two 3 x 3 convolutions beside the path, the second zero at first; `time` scales what is between them."""

    def __init__(self, width: int, given: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.time = nn.Linear(given, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.time.weight)
        nn.init.zeros_(self.time.bias)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.first(self.norm(x)) * (1 + self.time(time)[:, :, None, None])
        return x + cast(Tensor, self.second(F.silu(h)))


class Denoiser(ModelMixin, ConfigMixin):  # type: ignore[misc]
    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        channels: int = 8,
        size: int = 16,
        patch: int = 2,
        width: int = 320,
        layers: int = 9,
        head_width: int = 64,
        text_width: int = 384,
        text_tokens: int = 24,
        references: int = 3,
        reference_patch: int = 4,
        fine_width: int = 64,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        count = width // head_width
        self.patch, self.reference_patch = patch, reference_patch
        self.enter_fine = nn.Conv2d((1 + references) * channels, fine_width, 3, padding=1)
        self.fine_before = Fine(fine_width, width)
        self.enter = nn.Linear(fine_width * patch**2, width)
        self.enter_text = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.enter_reference = nn.Linear(channels * reference_patch**2, width)
        self.place = nn.Parameter(torch.randn((size // patch) ** 2, width) * 0.02)
        self.place_text = nn.Parameter(torch.randn(text_tokens, width) * 0.02)
        self.place_reference = nn.Parameter(torch.randn((size // reference_patch) ** 2, width) * 0.02)
        self.slot = nn.Parameter(torch.randn(references, 1, width) * 0.02)
        modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(modulation.weight)
        nn.init.zeros_(modulation.bias)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU())
        self.modulation = modulation
        self.conditioner = Block(width, count, conditional=False)
        self.blocks = nn.ModuleList(Block(width, count, conditional=True) for _ in range(layers))
        self.leave = nn.Linear(width, fine_width * patch**2)
        self.fine_after = nn.ModuleList(Fine(fine_width, width) for _ in range(2))
        self.leave_fine = nn.Conv2d(fine_width, channels, 3, padding=1)
        nn.init.zeros_(self.leave_fine.weight)

    def condition(self, text: Tensor, text_mask: Tensor, references: Tensor, reference_mask: Tensor) -> Condition:
        """Text (b, t, text_width) and references (b, r, c, s, s); masks (b, t) and (b, r), true where there is one."""
        batch, count = reference_mask.shape
        references = references * reference_mask[:, :, None, None, None]
        words = self.enter_text(text) + self.place_text[: text.shape[1]]
        seen = self.enter_reference(patches(references.flatten(0, 1), self.reference_patch))
        per_reference = seen.shape[1]
        seen = (seen + self.place_reference).view(batch, count, per_reference, -1) + self.slot
        tokens = torch.cat([words, seen.flatten(1, 2)], 1)
        there = torch.cat([text_mask, reference_mask.repeat_interleave(per_reference, 1)], 1)[:, None, None]
        tokens = self.conditioner(tokens, tokens.new_zeros(1, 6, tokens.shape[-1]), there)
        aligned = references.flatten(1, 2)
        mask = torch.cat([there.new_ones(batch, 1, 1, len(self.place)), there], -1)
        keys_values = tuple(cast(Block, block).keys_values(tokens) for block in self.blocks)
        return Condition(keys_values, mask, aligned)

    def forward(self, latents: Tensor, time: Tensor, condition: Condition) -> Tensor:
        """The clean latents this noisy mix (1 - time) * clean + time * noise most likely comes from; (b, c, s, s)."""
        t = time[:, None, None, None]
        size = ((1 - t) ** 2 + t**2).sqrt()  # how large the noisy latents are, the clean ones being of size one
        now = self.time(waves(time, 256).to(latents.dtype))
        fine = self.fine_before(self.enter_fine(torch.cat([latents / size, condition.aligned], 1)), now)
        x = self.enter(patches(fine, self.patch)) + self.place
        modulation = self.modulation(now).view(len(time), 6, -1)
        for block, more in zip(self.blocks, condition.keys_values, strict=True):
            x = block(x, modulation, condition.mask, more)
        x = self.leave(F.layer_norm(x, x.shape[-1:])).transpose(1, 2)  # (b, fine * patch^2, patches)
        height, width = (side // self.patch for side in latents.shape[-2:])
        fine = fine + F.pixel_shuffle(x.reshape(*x.shape[:2], height, width), self.patch)
        for block in self.fine_after:
            fine = block(fine, now)
        made: Tensor = self.leave_fine(fine)
        # The network adds what a linear guess cannot know, at size one for every time (after Karras et al. 2022).
        return (1 - t) / size**2 * latents + t / size * made


def waves(time: Tensor, width: int) -> Tensor:
    angles = (
        time[:, None]
        * 1000
        * torch.exp(torch.arange(width // 2, device=time.device) * (-math.log(1e4) / (width // 2)))
    )
    return torch.cat([angles.cos(), angles.sin()], 1)


def velocity(noisy: Tensor, clean: Tensor, time: Tensor) -> Tensor:
    """d noisy / d time along the straight line from clean (time 0) to noise (time 1)."""
    return (noisy - clean) / time.clamp(min=0.02)[:, None, None, None]
