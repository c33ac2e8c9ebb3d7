"""Clips as the video model learns them: frames as latents of the image autoencoder, with captions, computed once.

    python -m training.video_latents --autoencoder FOLDER --out FOLDER [--count N] [--frames N]

Clip n is the clip of seed n. They are written in parts of 100 clips, part-0000.safetensors and so on, so that a run
that was stopped goes on where it was, and a larger --count adds to what is there:

    latents  uint8 (100, frames, 8, 16, 16): normalised by the autoencoder's config, then rounded: see quantised()
    and as metadata, JSON: "clips" [{caption, hexcodes, style, motion, speed}, ...]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from pipelines.image_autoencoder import Autoencoder
from training.emoji_data import FOLDER
from training.image_data import normalised
from training.loop import use_spare_cores
from training.pictures import PictureSet
from training.video_clips import Clip, Clips
from training.video_data import FRAMES, MovingSet

PART = 100
STEPS = 41.0  # near zero, to a standard deviation; wider further out, so that eleven to each side have room


def quantised(latents: Tensor) -> Tensor:
    """One byte for each number: rounding them adds a hundredth of a standard deviation, and takes 0.05 to 0.15 dB."""
    return (latents.float().asinh() * STEPS + 128).round().clamp(0, 255).byte()


def restored(latents: Tensor) -> Tensor:
    return ((latents.float() - 128) / STEPS).sinh()


@dataclass(frozen=True)
class Encoded:
    latents: Tensor  # uint8 (n, frames, channels, 16, 16)
    clips: list[dict[str, Any]]  # caption, hexcodes, style, motion, speed

    @classmethod
    def load(cls, folder: Path) -> Encoded:
        """All parts that are there, in their order."""
        files = sorted(folder.glob("part-*.safetensors"))
        if not files:
            raise SystemExit(f"No clips in {folder}: run python -m training.video_latents --out {folder} ...")
        latents, clips = [], []
        for file in files:
            with safe_open(file, "pt") as opened:
                latents.append(opened.get_tensor("latents"))
                clips += json.loads(opened.metadata()["clips"])
        return cls(torch.cat(latents), clips)


def encode(source: Clips, autoencoder: Autoencoder, folder: Path, count: int) -> Iterator[int]:
    """Writes every part that is missing, and says after each how many clips there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, count, PART):
        file = folder / f"part-{start // PART:04}.safetensors"
        if not file.exists():
            part = [one(autoencoder, source.clip(seed)) for seed in range(start, start + PART)]
            fresh = file.with_suffix(".writing")
            told = json.dumps([clip for _, clip in part], ensure_ascii=False)
            save_file({"latents": torch.stack([latents for latents, _ in part])}, fresh, {"clips": told})
            fresh.replace(file)
            yield start + PART


def one(autoencoder: Autoencoder, clip: Clip) -> tuple[Tensor, dict[str, Any]]:
    use_spare_cores()
    told = {name: value for name, value in vars(clip).items() if name != "frames"}
    return quantised(normalised(autoencoder, clip.frames)), told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what the two recipes wrote (default: %(default)s)")
    parser.add_argument(
        "--autoencoder", type=Path, required=True, help="assets/models/emoji/vae, which stays as it is"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20_000, help="rounded up to whole parts (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=FRAMES)
    args = parser.parse_args()
    autoencoder = Autoencoder.from_pretrained(args.autoencoder, torch_dtype=torch.float32).eval()
    source = Clips(PictureSet.load(args.data), MovingSet.load(args.data, args.frames), args.frames)
    began, made = time.monotonic(), 0
    for there in encode(source, autoencoder, args.out, args.count):
        made += PART
        print(f"{there} of {args.count} clips, {made / (time.monotonic() - began):.2f}/s", flush=True)
    size = sum(file.stat().st_size for file in args.out.glob("part-*.safetensors")) / 2**20
    print(f"{size:.0f} MiB in {args.out}")


if __name__ == "__main__":
    main()
