"""The linear map from latents to colours: fitted from any autoencoder, and applied to a copy."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipelines import preview
from pipelines.image_families import FAMILIES, Family

PLAIN = FAMILIES["StableDiffusionPipeline"]
FLUX = FAMILIES["FluxPipeline"]
QWEN = FAMILIES["QwenImagePipeline"]


class Linear:
    """An autoencoder of which the right answer is known: each cell's colour, mixed into `channels` others."""

    def __init__(self, channels: int, scale: int, frames: bool = False, seed: int = 0) -> None:
        import torch

        random = torch.Generator().manual_seed(seed)
        self.dtype, self.device = torch.float32, torch.device("cpu")
        self.mix = torch.randn(channels, 3, generator=random)
        self.scale, self.frames = scale, frames

    def encode(self, pictures: Any) -> Any:
        import torch

        flat = pictures[:, :, 0] if self.frames else pictures
        cells = torch.nn.functional.avg_pool2d(flat, self.scale)
        latents = torch.einsum("bchw,kc->bkhw", cells, self.mix) + 0.3
        return SimpleNamespace(latent=latents.unsqueeze(2) if self.frames else latents)


@pytest.mark.parametrize(
    ("channels", "scale", "family"), [(4, 8, PLAIN), (16, 8, FLUX), (16, 8, QWEN), (32, 32, PLAIN), (128, 16, PLAIN)]
)
def test_the_fit_finds_the_colours(channels: int, scale: int, family: Family) -> None:
    import torch

    vae = Linear(channels, scale, family.frames)
    colours = preview.fit(vae, family, scale)
    picture = torch.rand(1, 3, 8 * scale, 8 * scale, generator=torch.Generator().manual_seed(3))
    picture = torch.nn.functional.interpolate(
        torch.nn.functional.avg_pool2d(picture, scale), scale_factor=scale, mode="nearest"
    )
    given = picture * 2 - 1
    latent = vae.encode(given.unsqueeze(2) if family.frames else given).latent
    shown = np.asarray(colours.picture((latent[:, :, 0] if family.frames else latent)[0]), dtype=float)
    wanted = torch.nn.functional.avg_pool2d(picture, scale)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(shown - wanted).mean() < 3


def test_the_fit_is_the_same_every_time() -> None:
    import torch

    first, again = (preview.fit(Linear(16, 8), FLUX, 8) for _ in range(2))
    assert torch.equal(first.weight, again.weight) and torch.equal(first.bias, again.bias)


def test_patches_and_tokens_are_laid_out_as_the_pipelines_do() -> None:
    import torch
    from diffusers import Flux2KleinPipeline, FluxPipeline

    latents = torch.randn(1, 4, 6, 10)
    packed = FluxPipeline._pack_latents(latents, 1, 4, 6, 10)
    assert torch.equal(preview._unpacked(packed, "patches", 6, 10), latents)
    tokens = Flux2KleinPipeline._pack_latents(Flux2KleinPipeline._patchify_latents(latents))
    assert torch.equal(preview._unpacked(tokens, "tokens", 6, 10), Flux2KleinPipeline._patchify_latents(latents))


def test_looking_leaves_the_latent_as_it_is() -> None:
    import torch

    vae = SimpleNamespace(config={"scaling_factor": 0.5, "shift_factor": 0.1})
    clean = torch.randn(1, 4, 6, 10)
    before = clean.clone()
    (shown,) = preview.latents(clean, vae, "none", 6, 10)
    colours = preview.Colours(torch.randn(3, 4, 1, 1), torch.zeros(3))
    colours.picture(shown)
    colours.picture(clean[0])
    assert torch.equal(clean, before)
    torch.testing.assert_close(shown, before[0] / 0.5 + 0.1)


def test_a_preview_has_a_pixel_for_each_cell_and_stays_in_range() -> None:
    import torch

    colours = preview.Colours(100 * torch.randn(3, 4, 1, 1), torch.zeros(3))
    picture = colours.picture(torch.randn(4, 6, 10))
    assert (picture.size, picture.mode) == ((10, 6), "RGB")
    assert set(np.unique(np.asarray(picture))) >= {0, 255}


def test_a_finer_map_gives_each_cell_a_square_of_pixels_and_survives_saving(tmp_path: Path) -> None:
    import torch

    colours = preview.Colours(torch.randn(3 * 8 * 8, 4, 3, 3) / 6, torch.full((192,), 0.5))
    colours.save(tmp_path / preview.FILE)
    loaded = preview.stored(tmp_path)
    assert loaded is not None
    latent = torch.randn(4, 6, 10)
    assert loaded.picture(latent).size == (80, 48)
    assert loaded.picture(latent).tobytes() == colours.picture(latent).tobytes()
    cells = np.asarray(loaded.picture(latent), dtype=float).reshape(6, 8, 10, 8, 3).mean((1, 3))
    assert np.abs(np.asarray(loaded.cells(latent[None])[0], dtype=float) - cells).mean() < 25, "but for what saturates"
    assert preview.stored(tmp_path / "elsewhere") is None


def test_a_preview_costs_next_to_nothing() -> None:
    """A megapixel's latent, a hundredth of a second at the very most; a step of such a model takes many times that."""
    import time

    import torch

    colours = preview.Colours(torch.randn(3, 16, 1, 1), torch.zeros(3))
    latent = torch.randn(16, 128, 128)
    colours.picture(latent)
    best = min(_timed(lambda: colours.picture(latent), time.perf_counter) for _ in range(20))
    assert best < 0.01


def _timed(do: Any, clock: Any) -> float:
    start = clock()
    do()
    return float(clock() - start)
