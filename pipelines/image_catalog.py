"""The image models of the hub, as data. The parameters are those of each component's published configuration, counted,
with position tables that are saved along; they agree with the sizes of the files that the hub lists.

A run's working memory is the autoencoder's: decoding the largest picture takes about a thousand values for each of its
pixels (measured with the decoder that Stable Diffusion and FLUX.1 share); a denoising step takes less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.device import Device
from pipelines.image_families import EMOJI, MEGAPIXEL, MadeFor
from pipelines.image_request import BUILT_IN, ImageRequest
from pipelines.spec import ModelSpec, Pipeline
from pipelines.upscale import MOST_PIXELS as MOST_ENLARGED
from pipelines.upscale import parameter_bytes as upscale_parameter_bytes
from pipelines.upscale import working_bytes as upscale_working_bytes
from pipelines.weights import MINILM, Bundled, Hub, Together, Weights

VALUES_PER_PIXEL = 1_000
SLACK = 300 * 2**20  # what the allocator rounds up, the prompt's embeddings, the preview's

PATTERNS = (
    *("model_index.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.jinja", "*/*.safetensors"),
    *("!*.fp16*", "!*.bf16*", "!*.fp8*", "!*.int8*", "!*.int4*", "!*non_ema*"),  # the same again, in other precisions
    *("!safety_checker/*", "!text_encoders/*", "!vae_1_0/*", "!vae copy/*"),  # parts that no pipeline here loads
)

CLIP_L, CLIP_G, T5_XXL = 123_060_480, 694_659_840, 4_762_310_656
QWEN3_4B, QWEN25_VL_7B, GEMMA2_2B = 4_022_468_096, 8_292_166_656, 2_614_341_888
UPSCALER, UPSCALER_PARAMETERS = Bundled("realesrgan-x4-anime"), 4_467_779
EMOJI_PARTS = (12_000_000, 22_713_216, 7_532 * (2_048 + 384))  # with MiniLM, and the pictures to draw from
VAE = 83_819_683  # of all that compress eight times with convolutions, within a few hundred thousand


def image_models(device: Device) -> list[ModelSpec[ImageRequest]]:
    """The built-in image model, then open ones from the hub, smallest first, as they would be held on this device."""
    return [
        image_model(
            device,
            id=BUILT_IN,
            title="Polymuse Emoji",
            weights=Bundled("emoji"),
            text=MINILM,
            licence="Apache-2.0; drawn from MIT, CC-BY 4.0 and OFL emoji",
            card="Built in, for any machine. Draws everyday things in five styles, as yet roughly; trained by us.",
            parts=EMOJI_PARTS,
            made_for=EMOJI,
        ),
        _from_hub(
            device,
            id="stable-diffusion-1.5",
            title="Stable Diffusion 1.5",
            repo="stable-diffusion-v1-5/stable-diffusion-v1-5",
            stored=4,
            licence="CreativeML Open RAIL-M",
            card="For GPUs from 4 GiB. The classic: quick, with endless fine-tunes; weak at text and hands.",
            parts=(859_520_964, CLIP_L, VAE),
            made_for=MadeFor(25, 7.5, 512, 768 * 1024),
        ),
        _from_hub(
            device,
            id="sdxl-turbo",
            title="SDXL Turbo",
            repo="stabilityai/sdxl-turbo",
            stored=4,
            licence="Stability AI (sai-nc-community): research and non-commercial use",
            card="For GPUs from 12 GiB. One step is enough, four are better; pictures of 512 pixels.",
            parts=(2_567_463_684, CLIP_L, CLIP_G, VAE),
            made_for=MadeFor(4, 0.0, 512, MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="sdxl",
            title="Stable Diffusion XL",
            repo="stabilityai/stable-diffusion-xl-base-1.0",
            stored=4,
            licence="CreativeML Open RAIL++-M",
            card="For GPUs from 12 GiB. Large pictures in every style; takes any scheduler.",
            parts=(2_567_463_684, CLIP_L, CLIP_G, VAE),
            made_for=MadeFor(30, 5.0, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="sana-1.6b",
            title="Sana 1.6B",
            repo="Efficient-Large-Model/Sana_1600M_1024px_BF16_diffusers",
            stored=(4, 2, 4),
            licence="NVIDIA License (NSCL v2-custom, non-commercial), Gemma Terms of Use",
            card="For GPUs from 16 GiB. Latents a sixteenth of the usual size make it fast. Text to image only.",
            parts=(1_604_462_752, GEMMA2_2B, 312_500_000),
            made_for=MadeFor(20, 4.5, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="pixart-sigma",
            title="PixArt-Σ",
            repo="PixArt-alpha/PixArt-Sigma-XL-2-1024-MS",
            stored=4,
            licence="CreativeML Open RAIL++-M",
            card="For GPUs from 16 GiB. A small transformer that reads long prompts. Text to image only.",
            parts=(611_349_152, T5_XXL, VAE),
            made_for=MadeFor(20, 4.5, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="sd3.5-medium",
            title="Stable Diffusion 3.5 Medium",
            repo="stabilityai/stable-diffusion-3.5-medium",
            stored=2,
            licence="Stability AI Community License",
            card="For GPUs from 24 GiB. Follows long prompts and writes short words. Needs a hub account.",
            parts=(2_243_171_520 + 384**2 * 1_536, CLIP_L, CLIP_G, T5_XXL, VAE),
            made_for=MadeFor(40, 4.5, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="flux2-klein-4b",
            title="FLUX.2 klein 4B",
            repo="black-forest-labs/FLUX.2-klein-4B",
            stored=2,
            licence="Apache-2.0",
            card="For GPUs from 24 GiB. Four steps; draws from a prompt, or changes your picture as the prompt says.",
            parts=(3_875_544_576, QWEN3_4B, VAE),
            made_for=MadeFor(4, 1.0, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="z-image-turbo",
            title="Z-Image Turbo",
            repo="Tongyi-MAI/Z-Image-Turbo",
            stored=(4, 2, 2),
            licence="Apache-2.0",
            card="For GPUs from 32 GiB. Photographs and lettering, English and Chinese, in eight steps.",
            parts=(6_154_908_736, QWEN3_4B, VAE),
            made_for=MadeFor(8, 0.0, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="sd3.5-large",
            title="Stable Diffusion 3.5 Large",
            repo="stabilityai/stable-diffusion-3.5-large",
            stored=2,
            licence="Stability AI Community License",
            card="For GPUs from 40 GiB. The most able of its family. Needs a hub account.",
            parts=(8_056_627_520 + 192**2 * 2_432, CLIP_L, CLIP_G, T5_XXL, VAE),
            made_for=MadeFor(28, 3.5, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="flux1-schnell",
            title="FLUX.1 schnell",
            repo="black-forest-labs/FLUX.1-schnell",
            stored=2,
            licence="Apache-2.0",
            card="For GPUs from 48 GiB. Fine pictures and legible words in four steps. Needs a hub account.",
            parts=(11_901_408_320, CLIP_L, T5_XXL, VAE),
            made_for=MadeFor(4, 0.0, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="flux1-dev",
            title="FLUX.1 dev",
            repo="black-forest-labs/FLUX.1-dev",
            stored=2,
            licence="FLUX.1 [dev] Non-Commercial License",
            card="For GPUs from 48 GiB. Slower and finer than schnell. Needs a hub account.",
            parts=(11_901_408_320, CLIP_L, T5_XXL, VAE),
            made_for=MadeFor(28, 3.5, 1024, 2 * MEGAPIXEL),
        ),
        _from_hub(
            device,
            id="qwen-image",
            title="Qwen-Image",
            repo="Qwen/Qwen-Image",
            stored=2,
            licence="Apache-2.0",
            card="For GPUs from 80 GiB. Writes whole paragraphs into pictures, English and Chinese.",
            parts=(20_430_401_088, QWEN25_VL_7B, 126_892_531),
            made_for=MadeFor(50, 4.0, 1328, 2 * MEGAPIXEL),
        ),
    ]


def image_model(
    device: Device,
    *,
    id: str,
    title: str,
    weights: Weights,
    licence: str,
    card: str,
    parts: Sequence[int],
    made_for: MadeFor,
    text: Weights | None = None,
) -> ModelSpec[ImageRequest]:
    """A text-to-image pipeline of diffusers. `parts` are the parameters of each component that is loaded; `text` is
    where its sentence encoder comes from, if not from the same place."""
    pieces = [("model", weights), ("upscaler", UPSCALER), *([("text", text)] if text else [])]
    parameters = sum(parts) + UPSCALER_PARAMETERS
    return ModelSpec(
        id=id,
        title=title,
        modality="image",
        family="diffusion",
        request=ImageRequest,
        weights=Together(tuple(pieces)),
        resident=sum(parts) * device.parameter_bytes + UPSCALER_PARAMETERS * upscale_parameter_bytes(device),
        working=_working(device, made_for),
        licence=licence,
        card=card,
        load=LoadImage(made_for, tuple(parts)),
        sized_by=(
            f"{parameters / 1e9:.2f} billion parameters of {device.parameter_bytes} bytes; {VALUES_PER_PIXEL:,} "
            f"values for each of {made_for.most:,} pixels of the largest picture; {SLACK // 2**20} MiB more"
        ),
        limits={"steps": made_for.steps, "side": made_for.side, "pixels": made_for.most},
    )


@dataclass(frozen=True)
class LoadImage:
    """Loads an image model. A value rather than a closure, so that specs can be compared and pickled."""

    made_for: MadeFor
    parts: tuple[int, ...]  # the parameters of each component
    lora: float | None = None  # the weight of the LoRA that lies beside the model, if one does
    offload: bool = False

    def __call__(self, device: Device, path: Path) -> Pipeline[ImageRequest]:
        from pipelines import image, upscale
        from pipelines.image_scene import with_scenes
        from pipelines.image_text import TextEncoder

        elsewhere = {}
        if (path / "text").exists():
            text = TextEncoder.load(path / "text")
            elsewhere = {"text_encoder": text.model, "tokenizer": text.tokenizer}
        made = image.load(
            device,
            path / "model",
            self.made_for,
            upscale.load(device, path / "upscaler").run,
            elsewhere,
            None if self.lora is None else (path / "lora", self.lora),
            self.offload,
        )
        return with_scenes(made, path / "model")


def _working(device: Device, made_for: MadeFor) -> int:
    """Of decoding the largest picture, and of enlarging the largest that it is enlarged from, whichever is more."""
    decoding = made_for.most * VALUES_PER_PIXEL * device.parameter_bytes
    return max(decoding, upscale_working_bytes(device, min(made_for.most, MOST_ENLARGED))) + SLACK


def _from_hub(
    device: Device, *, repo: str, stored: int | tuple[int, ...], parts: tuple[int, ...], **facts: Any
) -> ModelSpec[ImageRequest]:
    """`stored` is how many bytes a parameter takes in the repository, in all parts or in each."""
    each = (stored,) * len(parts) if isinstance(stored, int) else stored
    size = sum(count * width for count, width in zip(parts, each, strict=True))
    return image_model(device, weights=Hub(repo, patterns=PATTERNS, size=size), parts=parts, **facts)
