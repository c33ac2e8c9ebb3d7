"""The built-in image model: a latent transformer that draws from retrieved pictures (after Blattmann et al. 2022).

- 64 tokens: a 16 x 16 latent in patches of 2 x 2. They alone pass through every layer.
- Convolutions at the latent's own size lead in and out, with a connection past the layers between (after Hoogeboom et
  al. 2023): the layers arrange things, the convolutions see to edges and let no patch end at its border.
- The condition, up to 24 sentence-encoder tokens and four reference pictures of 16 tokens, passes one layer of its
  own; after that it only offers keys and values. That halves the cost, and one condition serves all denoising steps.
- References are used in full detail too: laid under the noisy latent, cell on cell, and looked up at the end by every
  cell, which says where it looks. What is found there can be taken over as it is (after See et al. 2017): much of a
  thing in one style is the same in another. Each reference says its style, and the model is told which is asked for.
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

FAR = -1e4
MIDDLE = ((0, 0), (0, 0))  # where the two heads that look at references as they are begin to look
PLACES = ((0, 0), (0, -4), (0, 4), (-4, 0), (4, 0), (4, -4), (4, 4))  # the middles, in cells, of things drawn small


@dataclass(frozen=True)
class Shown:
    """The reference pictures of a batch, best first: at most `references` of them to each."""

    latents: Tensor  # (batch, references, c, s, s)
    small: Tensor  # (batch, references, c, s / 2, s / 2): the same at half the size
    there: Tensor  # bool (batch, references)
    styles: Tensor  # long (batch, references): 0 to styles - 1; `styles` if nobody knows
    things: Tensor  # long (batch, references): 0 for the thing that the prompt names first, 1 for any further one

    def to(self, like: Tensor) -> Shown:
        """Where `like` is, the latents in its dtype."""
        there, styles, things = (part.to(like.device) for part in (self.there, self.styles, self.things))
        return Shown(self.latents.to(like), self.small.to(like), there, styles, things)


@dataclass(frozen=True)
class Found:
    """What every cell can look up."""

    keys: Tensor  # (batch, heads, n, head width)
    values: Tensor  # (batch, heads, n, head width)
    mask: Tensor  # (batch, 1, 1, n): true where there is something to look at


@dataclass(frozen=True)
class Condition:
    """What to draw, ready for every layer and step."""

    keys_values: tuple[tuple[Tensor, Tensor], ...]  # per layer, each (batch, heads, tokens, width / heads)
    mask: Tensor  # (batch, 1, 1, patches + tokens): true where there is something to look at
    aligned: Tensor  # (batch, fine width, size, size): the references under the picture
    whole: Found  # the references as they are
    small: Found  # the references at half the size
    there: Tensor  # (batch,): whether there are any
    style: Tensor  # (batch, width)


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


class Lookup(nn.Module):
    """Every cell of the picture looks into the references, at a place and with a sharpness that it chooses.

    What a cell looks for is part content, part place: -sharpness / 2 * |key's place - chosen place|^2, which is a
    product of a vector of three for the query and one for the key (in float32: it is a small difference of large
    numbers). A head returns features and, as they are, latents to take over. `middles` says for each head where in the
    picture, in cells from its middle, it takes the reference's middle to be before it is trained.
    """

    middles: Tensor

    def __init__(
        self, channels: int, width: int, given: int, middles: tuple[tuple[int, int], ...], head_width: int = 32
    ) -> None:
        super().__init__()
        self.count, self.channels = len(middles), channels
        self.content, self.features = head_width - 3, head_width - channels
        self.register_buffer("middles", torch.tensor(middles).float()[:, None], persistent=False)
        self.key = nn.Linear(width, self.count * self.content)
        self.value = nn.Linear(width, self.count * self.features)
        asked = self.count * head_width
        self.ask = nn.Sequential(nn.Linear(width + 2, 2 * width), nn.SiLU(), nn.Linear(2 * width, asked))
        self.ask_style = nn.Linear(given, self.count * self.content)
        self.out = nn.Linear(self.count * self.features, width)
        for last in (self.ask_style, self.ask[2], self.out):
            nn.init.zeros_(cast(Tensor, last.weight))
            nn.init.zeros_(cast(Tensor, last.bias))

    def offer(self, seen: Tensor, latents: Tensor, there: Tensor) -> Found:
        """Keys and values of references: features and latents (b * r, c, h, h), and which there are (b, r)."""
        (batch, count), side = there.shape, latents.shape[-1]
        features, raw = _cells(seen, batch), _cells(latents, batch)
        around = _places(side, there).repeat(count, 1)
        there = there.repeat_interleave(side**2, 1)
        place = torch.cat([around, -around.square().sum(1, keepdim=True) / 2], 1)
        content = F.rms_norm(heads(self.key(features), self.count), (self.content,)).float()
        keys = torch.cat([content, place.expand(batch, self.count, -1, -1)], -1)
        raw = raw[:, None].expand(-1, self.count, -1, -1)
        values = torch.cat([heads(self.value(features), self.count), raw], -1).float()
        keys, values = F.pad(keys, (0, 0, 0, 1)), F.pad(values, (0, 0, 0, 1))
        keys[:, :, -1, -1] = FAR  # a key of nothing, which is only found where there is nothing else
        return Found(keys, values, F.pad(there, (0, 1), value=True)[:, None, None])

    def forward(self, x: Tensor, now: Tensor, found: Found) -> tuple[Tensor, Tensor]:
        """For cells (b, width, s, s): what to add to them, and the latents found, (b, heads, c, s, s)."""
        batch, width, side, _ = x.shape
        here = _places(side, x)
        cells = F.layer_norm(x.flatten(2).transpose(1, 2), (width,))
        asked = heads(self.ask(torch.cat([cells, (here / side).expand(batch, -1, -1).to(x)], 2)), self.count)
        content, shift, sharp = torch.split(asked, [self.content, 2, 1], -1)
        content = content + self.ask_style(now).view(batch, self.count, 1, self.content)
        sharpness = 4 * sharp.float().clamp(-4, 4).exp()
        query = torch.cat([content.float(), sharpness * (here - self.middles + 4 * shift), sharpness], -1)
        y = F.scaled_dot_product_attention(query, found.keys, found.values, attn_mask=found.mask, scale=1.0).to(x)
        features, latents = torch.split(y, [self.features, self.channels], -1)
        more = self.out(features.transpose(1, 2).flatten(2)).transpose(1, 2).reshape(x.shape)
        return more, latents.transpose(2, 3).reshape(batch, self.count, self.channels, side, side)


def _cells(x: Tensor, batch: int) -> Tensor:
    """(batch * r, c, h, w) -> (batch, r * h * w, c)"""
    return x.flatten(2).transpose(1, 2).reshape(batch, -1, x.shape[1])


def _places(side: int, like: Tensor) -> Tensor:
    """Where the cells' centres are, (side^2, 2) in float32, counted in cells from the picture's middle."""
    line = torch.arange(side, device=like.device) - (side - 1) / 2
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).view(-1, 2)


class Denoiser(ModelMixin, ConfigMixin):  # type: ignore[misc]
    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        channels: int = 8,
        size: int = 16,
        patch: int = 2,
        width: int = 256,
        layers: int = 6,
        head_width: int = 64,
        text_width: int = 384,
        text_tokens: int = 24,
        references: int = 4,
        reference_patch: int = 4,
        styles: int = 5,
        fine_width: int = 64,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        count = width // head_width
        self.patch, self.reference_patch, self.no_style = patch, reference_patch, styles
        self.enter_fine = nn.Conv2d(channels, fine_width, 3, padding=1)
        self.fine_before = Fine(fine_width, width)
        self.enter = nn.Linear(fine_width * patch**2, width)
        self.enter_text = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.label_style = nn.Embedding(styles + 1, fine_width)
        self.label_thing = nn.Embedding(2, fine_width)
        self.label_same = nn.Embedding(2, fine_width)
        self.label_small = nn.Parameter(torch.randn(fine_width))
        self.enter_reference = nn.Conv2d(channels, fine_width, 3, padding=1)
        self.fine_reference = Fine(fine_width, fine_width)
        self.align = nn.Conv2d(references * fine_width, fine_width, 1)
        self.token_reference = nn.Linear(fine_width * reference_patch**2, width)
        self.place = nn.Parameter(torch.randn((size // patch) ** 2, width) * 0.02)
        self.place_text = nn.Parameter(torch.randn(text_tokens, width) * 0.02)
        self.place_reference = nn.Parameter(torch.randn((size // reference_patch) ** 2, width) * 0.02)
        modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(modulation.weight)
        nn.init.zeros_(modulation.bias)
        self.time = nn.Linear(256, width)
        self.asked_style = nn.Embedding(styles + 1, width)
        self.modulation = modulation
        self.conditioner = Block(width, count, conditional=False)
        self.blocks = nn.ModuleList(Block(width, count, conditional=True) for _ in range(layers))
        self.leave = nn.Linear(width, fine_width * patch**2)
        self.lookup = Lookup(channels, fine_width, width, MIDDLE)
        self.lookup_small = Lookup(channels, fine_width, width, PLACES)
        self.fine_after = nn.ModuleList(Fine(fine_width, width) for _ in range(2))
        self.leave_fine = nn.Conv2d(fine_width, channels, 3, padding=1)
        self.leave_gates = nn.Conv2d(fine_width, len(MIDDLE) + len(PLACES), 3, padding=1)
        for last in (self.leave_fine, self.leave_gates):
            nn.init.zeros_(last.weight)
        nn.init.constant_(cast(Tensor, self.leave_gates.bias), -2)

    def condition(self, text: Tensor, text_mask: Tensor, style: Tensor, shown: Shown) -> Condition:
        """Text (b, t, text_width) with its mask (b, t), true where there is a token; the asked style (b,), as Shown
        has it; and the references."""
        batch, count = shown.there.shape
        same = ((shown.styles == style[:, None]) & (style[:, None] != self.no_style)).long()
        label = self.label_style(shown.styles) + self.label_thing(shown.things) + self.label_same(same)
        there = shown.there[:, :, None, None, None]
        latents, small = ((part * there).flatten(0, 1) for part in (shown.latents, shown.small))
        label = label.flatten(0, 1)
        seen = self.fine_reference(self.enter_reference(latents), label)
        seen_small = self.fine_reference(self.enter_reference(small), label + self.label_small)
        aligned = self.align((seen.unflatten(0, (batch, count)) * there).flatten(1, 2))
        words = self.enter_text(text) + self.place_text[: text.shape[1]]
        pictures = self.token_reference(patches(seen, self.reference_patch)) + self.place_reference
        per_reference = pictures.shape[1]
        tokens = torch.cat([words, pictures.reshape(batch, count * per_reference, -1)], 1)
        is_token = torch.cat([text_mask, shown.there.repeat_interleave(per_reference, 1)], 1)[:, None, None]
        tokens = self.conditioner(tokens, tokens.new_zeros(1, 6, tokens.shape[-1]), is_token)
        mask = torch.cat([is_token.new_ones(batch, 1, 1, len(self.place)), is_token], -1)
        keys_values = tuple(cast(Block, block).keys_values(tokens) for block in self.blocks)
        whole = self.lookup.offer(seen, latents, shown.there)
        reduced = self.lookup_small.offer(seen_small, small, shown.there)
        return Condition(keys_values, mask, aligned, whole, reduced, shown.there.any(1), self.asked_style(style))

    def forward(self, latents: Tensor, time: Tensor, condition: Condition) -> Tensor:
        """The clean latents this noisy mix (1 - time) * clean + time * noise most likely comes from; (b, c, s, s)."""
        t = time[:, None, None, None]
        size = ((1 - t) ** 2 + t**2).sqrt()  # how large the noisy latents are, the clean ones being of size one
        now = F.silu(self.time(waves(time, 256).to(latents.dtype)) + condition.style)
        fine = self.fine_before(self.enter_fine(latents / size) + condition.aligned, now)
        x = self.enter(patches(fine, self.patch)) + self.place
        modulation = self.modulation(now).view(len(now), 6, -1)
        for block, more in zip(self.blocks, condition.keys_values, strict=True):
            x = block(x, modulation, condition.mask, more)
        x = self.leave(F.layer_norm(x, x.shape[-1:])).transpose(1, 2)  # (b, fine * patch^2, patches)
        height, width = (side // self.patch for side in latents.shape[-2:])
        fine = fine + F.pixel_shuffle(x.reshape(*x.shape[:2], height, width), self.patch)
        more, found = self.lookup(fine, now, condition.whole)
        more_small, found_small = self.lookup_small(fine, now, condition.small)
        fine, found = fine + more + more_small, torch.cat([found, found_small], 1)
        for block in self.fine_after:
            fine = block(fine, now)
        # The network adds what a linear guess cannot know, at size one for every time (after Karras et al. 2022).
        guess = (1 - t) / size**2 * latents + t / size * self.leave_fine(fine)
        gates = F.pad(self.leave_gates(fine), (0, 0, 0, 0, 1, 0)).softmax(1)[:, 1:, None]  # the guess has weight 0
        gates = gates * condition.there[:, None, None, None, None]  # nothing found, nothing taken
        return cast(Tensor, guess + (gates * (found - guess[:, None])).sum(1))


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
