"""The built-in image model as a diffusers pipeline: a sentence encoder, pictures to draw from, a denoiser, a decoder.

It differs from its large relatives in one thing: before it draws, it looks up the things that the prompt names among
the pictures that it has, and denoises with those before its eyes. What it drew upon comes with the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler
from diffusers.image_processor import VaeImageProcessor
from PIL import Image, ImageOps
from torch import Generator, Tensor

from pipelines.image_autoencoder import Autoencoder
from pipelines.image_model import Condition, Denoiser, Shown
from pipelines.image_references import SMALL, Found, References, style_number, style_of
from pipelines.image_text import TextEncoder

SIDE = 128


@dataclass
class EmojiOutput:
    images: list[Image.Image]
    drawn_from: list[Found]  # best first; the latent of each is references.latents[row]


class EmojiPipeline(DiffusionPipeline):
    """Draws from a prompt, from a picture, or under a mask; 128 px square.

    Components as from_pretrained loads them. Text encoder and tokenizer are all-MiniLM-L6-v2's, passed in by whoever
    loads this: they come from another place than the rest.
    """

    vae: Any  # an Autoencoder
    denoiser: Any  # a Denoiser
    references: References
    scheduler: Any
    text_encoder: Any
    tokenizer: Any
    device: torch.device

    model_cpu_offload_seq = "text_encoder->denoiser->vae"

    def __init__(
        self,
        vae: Autoencoder,
        denoiser: Denoiser,
        references: References,
        scheduler: FlowMatchEulerDiscreteScheduler,
        text_encoder: Any,
        tokenizer: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.register_modules(  # type: ignore[attr-defined]
            vae=vae,
            denoiser=denoiser,
            references=references,
            scheduler=scheduler,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
        )
        self.vae_scale_factor = 8
        self.image_processor = VaeImageProcessor(vae_scale_factor=8)
        self._num_timesteps = 0

    @torch.no_grad()
    def __call__(
        self,
        prompt: str,
        negative_prompt: str = "",
        num_inference_steps: int = 20,
        guidance_scale: float = 1.5,
        generator: Generator | None = None,
        image: Image.Image | None = None,
        mask_image: Image.Image | None = None,
        strength: float = 1.0,
        reference: Image.Image | None = None,
    ) -> EmojiOutput:
        """One picture. `strength` is how much noise is laid on `image` (1: all), `mask_image` is white where to
        repaint, `reference` is a further picture to draw upon: its middle, if it is not square."""
        found = self.references.find(prompt, self._text().sentences, self.denoiser.config.references)
        prompts = [prompt] if guidance_scale == 1 else [prompt, negative_prompt]
        condition = self._condition(prompts, found, reference)
        timesteps = self._timesteps(num_inference_steps, strength)
        noise = torch.randn(self._shape(), generator=generator).to(self.device, self.denoiser.dtype)
        known = None if image is None else self._encode(image)
        latents = noise if known is None else self.scheduler.scale_noise(known, timesteps[:1], noise)
        keep = None if mask_image is None else self._keep(mask_image)
        for timestep in timesteps:
            time = (timestep / self.scheduler.config.num_train_timesteps).to(latents)[None]
            told, *untold = self.denoiser(latents.expand(len(prompts), -1, -1, -1), time, condition).split(1)
            clean = untold[0] + guidance_scale * (told - untold[0]) if untold else told
            if keep is not None and known is not None:
                clean = torch.where(keep, known, clean)
            latents = self.scheduler.step((latents - clean) / time, timestep, latents).prev_sample
        made = self.image_processor.postprocess(self._decode(latents), output_type="pil")
        return EmojiOutput(made, found)

    def latents_of(self, found: Sequence[Found]) -> Tensor:
        """The latents of pictures that were drawn upon, as the autoencoder knows them: (n, c, s, s)."""
        mean, std = self._statistics()
        return self.references.latents[[one.row for one in found]].to(mean) * std + mean

    def _text(self) -> TextEncoder:
        return TextEncoder(self.text_encoder, self.tokenizer)

    def _shape(self) -> tuple[int, int, int, int]:
        side = self.denoiser.config.size
        return 1, self.denoiser.config.channels, side, side

    def _condition(self, prompts: list[str], found: list[Found], reference: Image.Image | None) -> Condition:
        """What to draw and, in second place, what to draw away from: nothing or the negative prompt, no references."""
        shown = self.references.stack([found, *([] for _ in prompts[1:])], self.denoiser.config.references)
        style = torch.tensor([style_number(style_of(prompts[0])), *(style_number(None) for _ in prompts[1:])])
        words, mask = self._text().tokens(prompts)
        shown, style = shown.to(like=words.to(self.device, self.denoiser.dtype)), style.to(self.device)
        if reference is not None:  # the visitor's own comes first
            square = _square(reference)
            shown = _with_first(shown, self._encode(square), self._encode(_small(square)))
        made: Condition = self.denoiser.condition(words.to(shown.latents), mask, style, shown)
        return made

    def _timesteps(self, steps: int, strength: float) -> Tensor:
        self.scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps).tolist(), device=self.device)
        first = (steps - max(1, min(steps, int(steps * strength)))) * self.scheduler.order
        self.scheduler.set_begin_index(first)
        timesteps: Tensor = self.scheduler.timesteps[first:]
        self._num_timesteps = len(timesteps)
        return timesteps

    def _statistics(self) -> tuple[Tensor, Tensor]:
        mean, std = (
            torch.tensor(values, device=self.device, dtype=self.vae.dtype)[:, None, None]
            for values in (self.vae.config.latents_mean, self.vae.config.latents_std)
        )
        return mean, std

    def _encode(self, image: Image.Image) -> Tensor:
        """A picture of any size as normalised latents (1, c, s, s)."""
        pixels = self.image_processor.preprocess(image, SIDE, SIDE).to(self.device, self.vae.dtype)
        mean, std = self._statistics()
        latents: Tensor = (self.vae.encode(pixels).latent_dist.mode() - mean) / std
        return latents

    def _decode(self, latents: Tensor) -> Tensor:
        mean, std = self._statistics()
        pixels: Tensor = self.vae.decode(latents * std + mean).sample
        return pixels

    def _keep(self, mask: Image.Image) -> Tensor:
        """Where nothing is repainted: latent cells (1, 1, s, s) that the mask's white does not touch."""
        side = self.denoiser.config.size
        white = torch.from_numpy(np.array(mask.convert("L").resize((SIDE, SIDE)))).float()[None, None] / 255
        cells: Tensor = torch.nn.functional.adaptive_max_pool2d(white, side) < 0.5
        return cells.to(self.device)


def _square(picture: Image.Image) -> Image.Image:
    return ImageOps.fit(picture, (min(picture.size),) * 2)


def _small(picture: Image.Image) -> Image.Image:
    """The picture shrunk, on white."""
    side = round(SIDE * SMALL)
    page = Image.new("RGB", (SIDE, SIDE), "white")
    page.paste(picture.resize((side, side)), ((SIDE - side) // 2, (SIDE - side) // 2))
    return page


def _with_first(shown: Shown, latents: Tensor, small: Tensor) -> Shown:
    """With a picture (1, c, s, s) of no known style before the references of the first prompt; the same shrunk."""
    edge = small.shape[-1] // 4
    parts = (
        torch.cat([torch.cat([first, old[0]])[None, : old.shape[1]], old[1:]])
        for first, old in (
            (latents, shown.latents),
            (small[..., edge:-edge, edge:-edge], shown.small),
            (shown.there.new_ones(1), shown.there),
            (shown.styles.new_full((1,), style_number(None)), shown.styles),
            (shown.things.new_zeros(1), shown.things),
        )
    )
    return Shown(*parts)
