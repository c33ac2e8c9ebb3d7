"""The built-in image model put together: it loads as any diffusers pipeline, previews look like its pictures."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from pipelines import preview
from pipelines.image_autoencoder import Autoencoder
from pipelines.image_emoji import EmojiPipeline
from pipelines.image_model import Denoiser
from pipelines.image_references import References
from training import autoencoder, emoji
from training.loop import export
from training.pictures import PictureSet, on


@pytest.fixture(scope="module")
def trained(pictures):
    torch.manual_seed(0)
    model = Autoencoder(width=32, decoder_blocks=1, fine_width=8)
    autoencoder.start_linear(model, pictures, pictures.rows(withheld=False))
    return model.eval()


def test_previews_look_like_the_pictures(pictures, trained):
    colours = emoji.colours(trained, pictures)
    rows = pictures.rows(withheld=True)
    real = on(pictures.layers(rows), torch.ones(len(rows), 3))
    with torch.no_grad():
        latents = trained.encode(real).latent_dist.mode()
    for latent, picture in zip(latents, real, strict=True):
        shown = colours.picture(latent)
        assert shown.size == (128, 128)
        pixels = torch.from_numpy(np.array(shown)).permute(2, 0, 1) / 255
        error = (pixels - (picture / 2 + 0.5)).square().mean()
        assert error < 0.25 * picture.div(2).var()


def test_what_was_put_together_loads(pictures, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(PictureSet, "load", lambda folder: pictures)
    export(trained, tmp_path / "autoencoder")
    export(Denoiser(width=64, layers=1, head_width=32), tmp_path / "denoiser")
    things = References.of(["fox"], ["3d"], torch.zeros(1, 384), torch.zeros(1, 8, 16, 16), torch.zeros(1, 8, 8, 8))
    export(things, tmp_path / "encoded" / "references")
    folders = [f"--{name}={tmp_path / name}" for name in ("autoencoder", "denoiser", "encoded", "out")]
    monkeypatch.setattr(sys, "argv", ["emoji", *folders])
    emoji.main()
    loaded = EmojiPipeline.from_pretrained(tmp_path / "out", text_encoder=None, tokenizer=None)
    assert loaded.references.names == ["fox"]
    assert loaded.denoiser.config.width == 64
    assert preview.stored(tmp_path / "out") is not None
    assert not any(str(tmp_path) in file.read_text() for file in (tmp_path / "out").rglob("*.json"))
