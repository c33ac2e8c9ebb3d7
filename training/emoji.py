"""Puts the built-in image model together, as the catalog loads it.

    python -m training.emoji --autoencoder FOLDER --denoiser FOLDER --encoded FOLDER --out assets/models/emoji

The layout is diffusers' save_pretrained, without the sentence encoder, which comes from PyPI, and with
preview.safetensors: the linear map from latents to small pictures, fitted here on pictures that the model may know.
The card (README.md) is left as it is.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor

from pipelines import preview
from pipelines.image_autoencoder import Autoencoder
from pipelines.image_emoji import EmojiPipeline
from pipelines.image_model import Denoiser
from pipelines.image_references import References
from training.emoji_data import FOLDER
from training.pictures import PictureSet, on

AROUND = 3  # a cell's neighbourhood that its pixels are guessed from
PIXELS = 8  # of a cell's side


@torch.no_grad()
def colours(autoencoder: Autoencoder, pictures: PictureSet, count: int = 2_000) -> preview.Colours:
    """The linear map from a latent's cells, and their neighbours, to their pixels: by least squares."""
    rows = pictures.rows(withheld=False)
    rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:count]]
    square, product = 0.0, 0.0
    for number, part in enumerate(rows.split(50)):
        shade = torch.rand(len(part), 3, generator=torch.Generator().manual_seed(number))
        pixels = on(pictures.layers(part), shade)
        seen = neighbourhoods(autoencoder.encode(pixels).latent_dist.mode())
        wanted = F.pixel_unshuffle(pixels / 2 + 0.5, PIXELS).flatten(2).transpose(1, 2).flatten(0, 1)
        square = square + seen.T @ seen
        product = product + seen.T @ wanted.double()
    assert isinstance(square, Tensor) and isinstance(product, Tensor)
    solved = torch.linalg.solve(square + 1e-3 * square.diagonal().mean() * torch.eye(len(square)), product)
    weight = solved[:-1].T.reshape(3 * PIXELS**2, -1, AROUND, AROUND)
    return preview.Colours(weight.float().contiguous(), solved[-1].float().contiguous())


def neighbourhoods(latents: Tensor) -> Tensor:
    """(n, c, h, w) -> (n * h * w, c * AROUND^2 + 1): each cell with its neighbours, and a one."""
    cells = F.unfold(latents, AROUND, padding=AROUND // 2).transpose(1, 2).flatten(0, 1).double()
    return torch.cat([cells, torch.ones(len(cells), 1, dtype=torch.float64)], 1)


def forget_paths(folder: Path) -> None:
    """Leave out of the configurations where on this machine the pieces came from."""
    for file in folder.glob("*/config.json"):
        config = json.loads(file.read_text(encoding="utf-8"))
        config.pop("_name_or_path", None)
        file.write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what training.emoji_data wrote (%(default)s)")
    parser.add_argument("--autoencoder", type=Path, required=True, help="what training.autoencoder exported")
    parser.add_argument("--denoiser", type=Path, required=True, help="what training.denoiser exported")
    parser.add_argument("--encoded", type=Path, required=True, help="what training.image_data wrote")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    autoencoder = Autoencoder.from_pretrained(args.autoencoder, torch_dtype=torch.float32).eval()
    linear = colours(autoencoder, PictureSet.load(args.data))
    pipeline = EmojiPipeline(
        vae=Autoencoder.from_pretrained(args.autoencoder, torch_dtype=torch.bfloat16),
        denoiser=Denoiser.from_pretrained(args.denoiser, torch_dtype=torch.bfloat16),
        references=References.from_pretrained(args.encoded / "references", torch_dtype=torch.bfloat16),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        text_encoder=None,
        tokenizer=None,
    )
    pipeline.save_pretrained(args.out)
    linear.save(args.out / preview.FILE)
    forget_paths(args.out)
    print(f"{sum(f.stat().st_size for f in args.out.rglob('*') if f.is_file()) / 2**20:.1f} MiB in {args.out}")


if __name__ == "__main__":
    main()
