"""The built-in autoencoder: 128 px pictures to 16 x 16 x 8 latents and back, cheap enough to train on two cores.

- All work happens at 1/8 and 1/4 of the picture's size: pixels are folded into channels first (space to depth).
- A linear path from pixels to latents runs beside the network on both sides, so training starts at the quality of a
  linear code and the network only learns what that cannot do.
- Fully convolutional: any size divisible by 8.

The interface is diffusers' own (AutoencoderKL): `encode(x).latent_dist`, `decode(z).sample`, from_pretrained.
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn


class Block(nn.Module):
    """Residual: two dense 3 x 3 convolutions, the second zero at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.second(F.silu(self.first(self.norm(x)))))


class Autoencoder(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Pictures (n, 3, h, w) in -1..1. `latents_mean` and `latents_std` are what a denoiser normalises by."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        latent_channels: int = 8,
        width: int = 192,
        encoder_blocks: int = 1,
        decoder_blocks: int = 3,
        fine_width: int = 64,  # at 1/4 of the picture's size, where width would cost too much
        latents_mean: tuple[float, ...] | None = None,
        latents_std: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(8),
            nn.Conv2d(192, width, 3, padding=1),
            *(Block(width) for _ in range(encoder_blocks)),
        )
        self.to_latent = nn.Sequential(nn.GroupNorm(1, width), nn.Conv2d(width, 2 * latent_channels, 1))
        self.linear_in = nn.Conv2d(192, 2 * latent_channels, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, width, 3, padding=1),
            *(Block(width) for _ in range(decoder_blocks)),
            nn.GroupNorm(1, width),
            nn.Conv2d(width, 4 * fine_width, 1),
            nn.PixelShuffle(2),
            Block(fine_width),
            nn.Conv2d(fine_width, 48, 3, padding=1),
            nn.PixelShuffle(4),
        )
        self.linear_out = nn.Conv2d(latent_channels, 192, 3, padding=1)

    def encode(self, pictures: Tensor) -> AutoencoderKLOutput:
        moments = self.to_latent(self.encoder(pictures)) + self.linear_in(F.pixel_unshuffle(pictures, 8))
        return AutoencoderKLOutput(latent_dist=DiagonalGaussianDistribution(moments))

    def decode(self, latents: Tensor) -> DecoderOutput:
        return DecoderOutput(sample=self.decoder(latents) + F.pixel_shuffle(self.linear_out(latents), 8))
