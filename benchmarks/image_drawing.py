"""The built-in image model from the side that asks: prompts in, pictures as tensors out, exactly as for a visitor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers.utils import logging as diffusers_logging
from torch import Generator, Tensor
from transformers.utils import logging as transformers_logging

from benchmarks.image_prompts import Asked
from pipelines.image_autoencoder import Autoencoder
from pipelines.image_emoji import EmojiPipeline
from training.image_data import text_encoder
from training.loop import use_spare_cores

EVERY = 25


def load(folder: Path, text: Path | None, dtype: torch.dtype) -> EmojiPipeline:
    """The model with its sentence encoder, without progress bars."""
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    encoder = text_encoder(text)
    elsewhere = {"text_encoder": encoder.model, "tokenizer": encoder.tokenizer}
    pipe: EmojiPipeline = EmojiPipeline.from_pretrained(folder, dtype=dtype, **elsewhere)  # type: ignore[no-untyped-call]
    pipe.set_progress_bar_config(disable=True)  # type: ignore[attr-defined]
    return pipe


class Artist:
    """The pipeline with its settings: one picture at a time, references found from the prompt alone."""

    def __init__(self, pipe: EmojiPipeline, steps: int, guidance: float) -> None:
        self._pipe = pipe
        self._steps, self._guidance = steps, guidance

    @property
    def autoencoder(self) -> Autoencoder:
        made: Autoencoder = self._pipe.vae
        return made

    def draw(self, asked: Sequence[Asked], what: str) -> Tensor:
        """RGB in -1..1, (n, 3, 128, 128)."""
        drawn = []
        for number, one in enumerate(asked, 1):
            use_spare_cores()
            output = self._pipe(
                one.prompt,
                num_inference_steps=self._steps,
                guidance_scale=self._guidance,
                generator=Generator().manual_seed(one.seed),
            )
            drawn.append(torch.from_numpy(np.array(output.images[0])).permute(2, 0, 1) / 127.5 - 1)
            if number % EVERY == 0 or number == len(asked):
                print(f"{what}: {number} of {len(asked)} drawn", flush=True)
        return torch.stack(drawn)
