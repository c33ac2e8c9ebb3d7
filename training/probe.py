"""Trains the probe, a classifier by which the image model's pictures are judged, to name things.

    python -m training.probe --autoencoder FOLDER --out FOLDER [--steps N] [--resume]

There are fewer than five pictures of each thing, so every batch shows them on other backgrounds, moved, mirrored where
that changes nothing, blurred and as the autoencoder decodes them. Withheld pictures are seen only to be measured on;
what the probe makes of them is printed with every checkpoint, and bounds what it can say of drawn ones. Styles are
training.probe_style's, afterwards.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from pipelines.image_autoencoder import Autoencoder
from training.emoji_data import FOLDER, STYLES
from training.loop import Average, Run, export, log, resume, save, training, use_spare_cores
from training.muon import optimisers
from training.pictures import PictureSet
from training.probe_data import SmallPictures
from training.probe_model import Probe, numbers, of_things

SMOOTHING = 0.1
SMALL = "small.safetensors"


def new_probe(pictures: PictureSet) -> Probe:
    things = sorted({record["hexcode"] for record in pictures.records})
    probe: Probe = Probe(things, list(STYLES)).to(memory_format=torch.channels_last)
    return probe


def names(probe: Probe, pictures: PictureSet) -> tuple[Tensor, Tensor]:
    """The thing and the style of every picture of the set, as the probe counts them."""
    hexcodes, styles = ([record[name] for record in pictures.records] for name in ("hexcode", "style"))
    return numbers(probe, hexcodes, styles)


def loss_of(probe: Probe, pictures: Tensor, things: Tensor) -> tuple[Tensor, dict[str, float]]:
    _, logits = probe.name(pictures)
    loss = F.cross_entropy(logits, things, label_smoothing=SMOOTHING)
    return loss, {"thing": loss.item(), "right": (logits.argmax(1) == things).float().mean().item()}


@torch.no_grad()
def report(probe: Probe, small: SmallPictures, held: Tensor, things: Tensor) -> str:
    """What the probe makes of withheld pictures, as they are and as the autoencoder decodes them."""
    told = []
    for decoded in (False, True):
        logits = [probe.name(part)[1] for part in small.on_white(held, decoded=decoded).split(64)]
        top1, top5 = of_things(torch.cat(logits), things[held])
        told.append(f"{'decoded' if decoded else 'withheld'}: top-1 {top1:.1%}, top-5 {top5:.1%}")
    return "; ".join(told)


def small_pictures(pictures: PictureSet, autoencoder: Path, file: Path) -> SmallPictures:
    """From the file, or made now and written to it."""
    if not file.exists():
        model = Autoencoder.from_pretrained(autoencoder, torch_dtype=torch.float32).eval()
        SmallPictures.made(pictures, model).save(file)
    return SmallPictures.load(file)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what training.emoji_data wrote (%(default)s)")
    parser.add_argument("--autoencoder", type=Path, required=True, help="what training.autoencoder exported")
    parser.add_argument("--out", type=Path, required=True, help="where the checkpoint and the export go")
    parser.add_argument("--steps", type=int, default=4000, help="in all, a resumed run's earlier steps included")
    parser.add_argument("--cooldown", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--save-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    pictures = PictureSet.load(args.data)
    rows, held = pictures.rows(withheld=False), pictures.rows(withheld=True)
    small = small_pictures(pictures, args.autoencoder, args.out / SMALL)
    probe = new_probe(pictures)
    things, _ = names(probe, pictures)
    probe.style.requires_grad_(False)
    opts = optimisers(probe, decay=0.1, outside=("enter", "thing", "style"))
    average = Average(probe, span=300)
    start = resume(args.out / "checkpoint", probe, average, opts) if args.resume else 0
    run = Run(args.steps, lr=args.lr, warmup=50, cooldown=args.cooldown)
    print(f"{sum(p.numel() for p in probe.parameters()) / 1e6:.2f} M parameters, from step {start}", flush=True)

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        batch, chosen = small.batch(rows, args.batch, g)
        return loss_of(probe, batch, things[chosen])

    for step in log(training(probe, opts, loss, run, start), every=20, batch=args.batch):
        average.update(probe, step.number)
        use_spare_cores()
        if step.number % args.save_every == 0 or step.number == args.steps:
            save(args.out / "checkpoint", probe, average, opts, step.number)
            export(average.model, args.out / "export")
            print(f"step {step.number}: {report(average.model, small, held, things)}", flush=True)


if __name__ == "__main__":
    main()
