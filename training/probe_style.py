"""Trains the probe's other branch, which names the style of a picture.

    python -m training.probe_style --probe FOLDER --autoencoder FOLDER --out FOLDER [--steps N]

Takes minutes, so it is not resumable. What the probe knows of things stays as it is. Every picture is shown as it is
and as the autoencoder decodes it, since what it will judge is decoded; the withheld ones are only measured on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from pipelines.image_autoencoder import Autoencoder
from training.emoji_data import FOLDER
from training.loop import Run, export, log, training
from training.pictures import PictureSet, on
from training.probe import SMOOTHING, names
from training.probe_model import Probe
from training.style_statistics import statistics


@torch.no_grad()
def round_trip(autoencoder: Autoencoder, seen: Tensor) -> Tensor:
    """Pictures in -1..1 as the autoencoder decodes them, in steps of a byte."""
    again = autoencoder.decode(autoencoder.encode(seen).latent_dist.mode()).sample
    return (again.clamp(-1, 1) * 127.5).round() / 127.5


@torch.no_grad()
def found_in(pictures: PictureSet, rows: Tensor, g: Generator, autoencoder: Autoencoder | None = None) -> Tensor:
    """Statistics of these pictures on white, or here and there on a colour, and some a little blurred."""
    found = []
    for part in rows.split(32):
        n = len(part)
        white = torch.rand(n, 1, generator=g) < 0.7
        seen = on(pictures.layers(part), torch.where(white, torch.ones(n, 3), torch.rand(n, 3, generator=g)))
        if autoencoder is not None:
            seen = round_trip(autoencoder, seen)
        softness = torch.empty(n, 1, 1, 1).uniform_(-0.7, 0.7, generator=g).clamp(min=0)
        found.append(statistics(seen + softness * (F.avg_pool2d(seen, 3, 1, 1, count_include_pad=False) - seen)))
    return torch.cat(found)


@torch.no_grad()
def share(probe: Probe, seen: Tensor, styles: Tensor) -> float:
    """Of the pictures whose style is named right."""
    found = torch.cat([probe.style(part).argmax(1) for part in seen.split(64)])
    return float((found == styles).float().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what training.emoji_data wrote (%(default)s)")
    parser.add_argument("--probe", type=Path, required=True, help="what training.probe exported")
    parser.add_argument("--autoencoder", type=Path, required=True, help="what training.autoencoder exported")
    parser.add_argument("--out", type=Path, required=True, help="where the whole probe goes")
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    args = parser.parse_args()
    torch.manual_seed(0)
    pictures = PictureSet.load(args.data)
    probe = Probe.from_pretrained(args.probe, torch_dtype=torch.float32)
    autoencoder = Autoencoder.from_pretrained(args.autoencoder, torch_dtype=torch.float32).eval()
    _, styles = names(probe, pictures)
    rows, held = pictures.rows(withheld=False), pictures.rows(withheld=True)
    g = Generator().manual_seed(0)
    found = torch.cat([found_in(pictures, rows, g), found_in(pictures, rows, g, autoencoder)])
    true = styles[rows].repeat(2)
    probe.style.fit(found)

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        chosen = torch.randint(len(found), (args.batch,), generator=g)
        logits = probe.style.name(found[chosen])
        value = F.cross_entropy(logits, true[chosen], label_smoothing=SMOOTHING)
        return value, {"style": value.item(), "right": (logits.argmax(1) == true[chosen]).float().mean().item()}

    opts = [torch.optim.AdamW(probe.style.parameters(), weight_decay=0.05)]
    run = Run(args.steps, lr=args.lr, warmup=20, cooldown=args.steps // 3)
    probe.train()
    for _ in log(training(probe.style, opts, loss, run), every=500, batch=args.batch):
        pass
    probe.eval()
    for what, seen in (("withheld", real(pictures, held)), ("decoded", round_trip(autoencoder, real(pictures, held)))):
        print(f"{what}: style {share(probe, seen, styles[held]):.1%}", flush=True)
    export(probe, args.out)


def real(pictures: PictureSet, rows: Tensor) -> Tensor:
    return on(pictures.layers(rows), torch.ones(len(rows), 3))


if __name__ == "__main__":
    main()
