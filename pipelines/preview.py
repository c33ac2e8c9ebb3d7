"""Previews: from the predicted clean latent to a small picture, for next to nothing.

An autoencoder's latent is nearly a small picture already: each cell's colour is close to a linear function of its
channels. That function is fitted when a model is loaded, from the model's own autoencoder, so it is right for every
latent space there is; a preview is then one small matrix product. Decoding would cost as much as several steps.
A model trained here brings a finer map with it, fitted on the pictures that it knows: see training/emoji.py.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.image_families import Family, Packing

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

FILE = "preview.safetensors"
PICTURES = 8
CELLS = 16  # of a side of the pictures that the fit looks at, in latent cells; 64 in all are enough for any space
LARGEST = 256  # pixels of that side
RIDGE = 1e-4  # keeps channels that carry nothing at nothing


@dataclass(frozen=True)
class Colours:
    """The linear map of one latent space: each cell and its neighbours give a square of pixels, rgb in [0, 1]."""

    weight: Tensor  # (3 * pixels^2, channels, k, k): a convolution, k odd
    bias: Tensor  # (3 * pixels^2,)

    @property
    def pixels(self) -> int:
        """Of a cell's side."""
        return math.isqrt(len(self.bias) // 3)

    def picture(self, latent: Tensor) -> Image:
        """A picture of an autoencoder's latent, shape (channels, rows, columns)."""
        return self.pictures(latent[None])[0]

    def pictures(self, latents: Tensor) -> list[Image]:
        """Pictures of an autoencoder's latents, shape (n, channels, rows, columns): `pixels` for each cell's side."""
        return _pictures(latents, self.weight, self.bias, self.pixels)

    def cells(self, latents: Tensor) -> list[Image]:
        """Likewise with one pixel for each cell, a fraction of the work: for noise, which has no finer detail."""
        weight, bias = self._of_cells
        return _pictures(latents, weight, bias, 1)

    @cached_property
    def _of_cells(self) -> tuple[Tensor, Tensor]:
        weight = self.weight.view(3, -1, *self.weight.shape[1:]).mean(1)
        return weight, self.bias.view(3, -1).mean(1)

    def save(self, file: Path) -> None:
        from safetensors.torch import save_file

        save_file({"weight": self.weight.contiguous(), "bias": self.bias}, file)


def _pictures(latents: Tensor, weight: Tensor, bias: Tensor, pixels: int) -> list[Image]:
    import torch.nn.functional as F
    from PIL import Image as images

    latents = latents.detach().float().cpu()  # waits for the device too: a step has ended when its preview is here
    rgb = F.conv2d(latents, weight, bias, padding=weight.shape[-1] // 2)
    rgb = rgb.mul_(255).round_().clamp_(0, 255).byte()  # bytes before they are moved around: a quarter to move
    n, _, rows, columns = rgb.shape
    squares = rgb.view(n, 3, pixels, pixels, rows, columns).permute(0, 4, 2, 5, 3, 1)
    return [images.fromarray(one) for one in squares.reshape(n, rows * pixels, columns * pixels, 3).numpy()]


def stored(folder: Path) -> Colours | None:
    """The map that a model's folder brings with it, if it does."""
    from safetensors.torch import load_file

    file = folder / FILE
    return Colours(**load_file(file)) if file.exists() else None


def fit(vae: Any, family: Family, scale: int) -> Colours:
    """The colours of an autoencoder's latents by least squares, from pictures with colours and edges of all kinds."""
    import torch

    side = min(LARGEST, CELLS * scale)
    pictures = _synthetic(side, side // scale)
    exact = vae if vae.dtype == torch.float32 else copy.deepcopy(vae).float()  # some overflow in 16 bits
    with torch.no_grad():
        encoded = exact.encode(_as_input(pictures * 2 - 1, family).to(vae.device))
    latents = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latent
    if family.frames:
        latents = latents[:, :, 0]
    colours = torch.nn.functional.adaptive_avg_pool2d(pictures, latents.shape[-2:])
    seen = latents.double().cpu().movedim(1, -1).flatten(0, -2)  # (cells, channels)
    wanted = colours.double().movedim(1, -1).flatten(0, -2)  # (cells, 3)
    seen_mean, wanted_mean = seen.mean(0), wanted.mean(0)
    seen, wanted = seen - seen_mean, wanted - wanted_mean
    square = seen.T @ seen
    square += RIDGE * square.diagonal().mean() * torch.eye(len(square), dtype=torch.float64)
    weight = torch.linalg.solve(square, seen.T @ wanted)
    return Colours(weight.float().T[:, :, None, None], (wanted_mean - seen_mean @ weight).float())


def latents(clean: Tensor, vae: Any, packing: Packing, rows: int, columns: int) -> Tensor:
    """What a pipeline would hand its autoencoder: a batch of n clean latents as the denoiser knows them, unpacked and
    unscaled; shape (n, channels, rows, columns). `clean` is left as it is."""
    clean = _unpacked(clean.float(), packing, rows, columns)
    if clean.ndim == 5:
        clean = clean[:, :, 0]
    return unscaled(clean, vae)


def _unpacked(clean: Tensor, packing: Packing, rows: int, columns: int) -> Tensor:
    import torch.nn.functional as F

    n = len(clean)
    match packing:
        case "none":
            return clean
        case "patches":  # (n, rows / 2 * columns / 2, channels * 4)
            return F.pixel_shuffle(clean.mT.reshape(n, -1, rows // 2, columns // 2), 2)
        case "tokens":  # (n, rows / 2 * columns / 2, channels)
            return clean.mT.reshape(n, -1, rows // 2, columns // 2)


def unscaled(clean: Tensor, vae: Any) -> Tensor:
    """Undo what the family does to its latents, as the autoencoder's configuration tells it."""
    import torch
    import torch.nn.functional as F

    config = vae.config
    if hasattr(vae, "bn"):  # FLUX.2: 2 x 2 patches, whitened
        std = (vae.bn.running_var + config.batch_norm_eps).sqrt()
        whole = clean * _over_channels(std, clean) + _over_channels(vae.bn.running_mean, clean)
        return F.pixel_shuffle(whole, 2)
    if config.get("latents_mean") is not None and config.get("latents_std") is not None:
        mean, std = torch.tensor(config["latents_mean"]), torch.tensor(config["latents_std"])
        return clean * _over_channels(std, clean) + _over_channels(mean, clean)
    return clean / (config.get("scaling_factor") or 1.0) + (config.get("shift_factor") or 0.0)


def _over_channels(values: Tensor, like: Tensor) -> Tensor:
    return values.float().to(like.device).view(1, -1, 1, 1)


def _as_input(pictures: Tensor, family: Family) -> Tensor:
    return pictures.unsqueeze(2) if family.frames else pictures


def _synthetic(side: int, cells: int) -> Tensor:
    """Synthetic pictures in [0, 1], shape (n, 3, side, side): soft colour fields, blocks with edges, and greys."""
    import torch
    import torch.nn.functional as F

    generator = torch.Generator().manual_seed(0)
    soft = torch.rand(PICTURES // 2, 3, 4, 4, generator=generator) * 1.6 - 0.3
    hard = torch.rand(PICTURES // 2, 3, max(2, cells // 2), max(2, cells // 2), generator=generator)
    hard[0] = hard[0].mean(0)
    soft[0] = soft[0].mean(0)
    fields = F.interpolate(soft, size=(side, side), mode="bicubic", align_corners=False)
    blocks = F.interpolate(hard, size=(side, side), mode="nearest")
    return torch.cat([fields, blocks]).clamp(0, 1)
