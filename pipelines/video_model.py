"""The built-in video model: a transformer that denoises the motion of a picture, all its frames together.

One token for each frame: the numbers that place the things in it (video_warp.Fields.moves), and a code of how the
first thing changes in itself. The code counts principal fields: what most explains how animated pictures move, eyes
that blink and hands that wave. The words, a small view of the thing, and its extent only offer keys and values.
It predicts the clean motion, so that every step can be seen moving; image_model.velocity() turns that into what flow
matching integrates (Lipman et al. 2023). Numbers are normalised inside. Frames know their share of the clip's length,
not their number, so that clips may have more or fewer.
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

from pipelines.image_model import Block, patches, waves
from pipelines.video_warp import GRID, MOVE, Fields

THINGS = 2
BODY = 7  # numbers of a thing's extent
CYCLES = 16  # the quickest that a frame's moment is told by
FLOW = 0.08  # what a pixel of flow counts for, against a colour from 0 to 1


@dataclass(frozen=True)
class Told:
    """What is to move and how, ready for every layer and step."""

    keys_values: tuple[tuple[Tensor, Tensor], ...]  # per layer, each (batch, heads, tokens, width / heads)
    mask: Tensor  # (batch, 1, 1, tokens): true where there is something to look at


class MotionDenoiser(ModelMixin, ConfigMixin):  # type: ignore[misc]
    mean: Tensor
    spread: Tensor
    principal: Tensor

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        codes: int = 96,
        width: int = 128,
        layers: int = 4,
        head_width: int = 32,
        text_width: int = 384,
        text_tokens: int = 24,
        view: int = 32,
        patch: int = 8,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        count, self.patch = width // head_width, patch
        numbers = THINGS * MOVE + codes
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("spread", torch.ones(numbers))
        self.register_buffer("principal", torch.zeros(codes, 6 * GRID * GRID))
        self.enter = nn.Linear(numbers, width)
        self.enter_moment = nn.Linear(2 * CYCLES + 2, width)
        self.enter_known = nn.Embedding(2, width)
        self.enter_text = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.enter_view = nn.Linear(4 * patch**2, width)
        self.enter_body = nn.Linear(BODY + 1, width)
        self.place_text = nn.Parameter(torch.randn(text_tokens, width) * 0.02)
        self.place_view = nn.Parameter(torch.randn((view // patch) ** 2, width) * 0.02)
        self.place_body = nn.Parameter(torch.randn(THINGS, width) * 0.02)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU())
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.conditioner = Block(width, count, conditional=False)
        self.blocks = nn.ModuleList(Block(width, count, conditional=True) for _ in range(layers))
        self.leave = nn.Linear(width, numbers)
        nn.init.zeros_(self.leave.weight)

    def condition(self, text: Tensor, text_mask: Tensor, views: Tensor, bodies: Tensor) -> Told:
        """Hidden states (b, t, text_width) and their mask (b, t); the first thing's view (b, 4, view, view),
        premultiplied; the extents (b, THINGS, BODY), all zero where there is no such thing."""
        words = self.enter_text(text) + self.place_text[: text.shape[1]]
        seen = self.enter_view(patches(views, self.patch)) + self.place_view
        there = (bodies != 0).any(-1, keepdim=True)
        extents = self.enter_body(torch.cat([bodies, there.to(bodies)], -1)) + self.place_body
        tokens = torch.cat([words, seen, extents], 1)
        always = text_mask.new_ones(len(text), tokens.shape[1] - words.shape[1])
        mask = torch.cat([text_mask, always], 1)[:, None, None]
        tokens = self.conditioner(tokens, tokens.new_zeros(1, 6, tokens.shape[-1]), mask)
        return Told(tuple(cast(Block, block).keys_values(tokens) for block in self.blocks), mask)

    def forward(self, noisy: Tensor, time: Tensor, told: Told, known: Tensor) -> Tensor:
        """The clean motion (b, frames, numbers) that this mix (1 - time) * clean + time * noise comes from, most
        likely. `known` (b, frames): frames that are clean already."""
        t = torch.where(known, 0.0, time[:, None])[..., None].to(noisy)
        size = ((1 - t) ** 2 + t**2).sqrt()  # how large the noisy numbers are, the clean ones being of size one
        x = self.enter(noisy / size) + self.enter_moment(moments(noisy.shape[1]).to(noisy))
        x = x + self.enter_known(known.long())
        modulation = self.modulation(self.time(waves(time, 256).to(noisy.dtype))).view(len(noisy), 6, -1)
        mask = F.pad(told.mask, (noisy.shape[1], 0), value=True)
        for block, more in zip(self.blocks, told.keys_values, strict=True):
            x = block(x, modulation, mask, more)
        # The network adds what a linear guess cannot know, at size one for every time (after Karras et al. 2022).
        guess = self.leave(F.layer_norm(x, x.shape[-1:]))
        return cast(Tensor, (1 - t) / size**2 * noisy + t / size * guess)

    def numbers(self, fields: Fields) -> Tensor:
        """Fields as the network knows them, (frames, numbers)."""
        return self.normalised(fields.moves, self.code(fields.inner))

    def code(self, inner: Tensor) -> Tensor:
        return weighted(inner) @ self.principal.float().T

    def normalised(self, moves: Tensor, code: Tensor) -> Tensor:
        """Of moves (..., frames, THINGS, MOVE) and code (..., frames, codes)."""
        return (torch.cat([moves.flatten(-2), code], -1) - self.mean.float()) / self.spread.float()

    def fields(self, numbers: Tensor) -> Fields:
        """The opposite of numbers()."""
        raw = numbers.float() * self.spread.float() + self.mean.float()
        moves, code = raw[..., : THINGS * MOVE], raw[..., THINGS * MOVE :]
        inner = (code @ self.principal.float()).view(-1, 6, GRID, GRID)
        return Fields(moves.reshape(-1, THINGS, MOVE), torch.cat([inner[:, :2] / FLOW, inner[:, 2:]], 1))


def weighted(inner: Tensor) -> Tensor:
    """Fields (frames, 6, GRID, GRID) as rows in which flow and colour count by what is seen of them."""
    return torch.cat([inner[:, :2] * FLOW, inner[:, 2:]], 1).flatten(1)


def moments(frames: int) -> Tensor:
    """What tells frames apart, (frames, 2 * CYCLES + 2): their moment, in waves and in itself, and their distance."""
    moment = torch.arange(frames) / frames
    angle = 2 * math.pi * moment[:, None] * torch.arange(1, CYCLES + 1)
    apart = torch.full((frames, 1), 8 / frames)
    return torch.cat([angle.sin(), angle.cos(), moment[:, None], apart], 1)
