"""Trains the built-in image model's denoiser.

    python -m training.denoiser --encoded FOLDER --out FOLDER [--steps N] [--resume]

Flow matching with clean-latent prediction, weighted as an error of velocity. One caption in ten is empty, one time in
eight there are no references and one time in ten a wrong one is among them, so that guidance works and the model
also draws from text alone.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Generator, Tensor

from pipelines.image_model import Condition, Denoiser, velocity
from training.image_data import Encoded
from training.loop import Average, Run, export, log, resume, save, training, use_spare_cores, write_pid
from training.muon import optimisers


@dataclass(frozen=True)
class Batch:
    clean: Tensor
    text: Tensor
    text_mask: Tensor
    references: Tensor
    reference_mask: Tensor


def batch_of(data: Encoded, n: int, slots: int, g: Generator) -> Batch:
    """Scenes drawn at random, with what the model is told of them."""
    rows = torch.randint(len(data.scenes), (n,), generator=g)
    chosen = torch.zeros(n, slots, dtype=torch.long)
    there = torch.zeros(n, slots, dtype=torch.bool)
    for i, row in enumerate(rows.tolist()):
        own = data.references[row]
        luck, wrong, count = torch.rand(3, generator=g).tolist()
        if luck < 0.12 or not own:
            continue
        picks = torch.randperm(len(own), generator=g)[: 1 + int(count * slots)].tolist()
        pictures = [own[pick] for pick in picks]
        if wrong < 0.1 and len(pictures) < slots:
            pictures += data.references[int(torch.randint(len(data.scenes), (1,), generator=g))][:1]
        places = torch.randperm(slots, generator=g)[: len(pictures)]
        chosen[i, places] = torch.tensor(pictures)
        there[i, places] = True
    captions = torch.where(torch.rand(n, generator=g) < 0.1, len(data.scenes), rows)  # the last is empty
    longest = int(data.lengths[captions].max())
    text_mask = torch.arange(longest) < data.lengths[captions, None]
    return Batch(
        data.scenes[rows].float(),
        data.words[captions, :longest].float(),
        text_mask,
        data.pictures[chosen].float(),
        there,
    )


def loss_of(model: Denoiser, batch: Batch, g: Generator) -> tuple[Tensor, dict[str, float]]:
    clean, n = batch.clean, len(batch.clean)
    time = torch.sigmoid(torch.randn(n, generator=g))
    noise = torch.randn(clean.shape, generator=g)
    t = time[:, None, None, None]
    noisy = (1 - t) * clean + t * noise
    made = model(noisy, time, model.condition(batch.text, batch.text_mask, batch.references, batch.reference_mask))
    error = (made - clean).square().mean((1, 2, 3))
    value = (error / time.square()).mean()
    return value, {"loss": value.item(), "clean": error.mean().item(), "noisy half": error[time > 0.5].mean().item()}


@torch.no_grad()
def draw(
    model: Denoiser, told: Condition, untold: Condition, noise: Tensor, *, steps: int = 20, guidance: float = 2.0
) -> Tensor:
    """Plain Euler sampling with guidance, for looking at progress; returns clean latents."""
    x = noise
    times = torch.linspace(1, 0, steps + 1)
    for now, after in pairwise(times):
        time = now.expand(len(x))
        with_text, without = model(x, time, told), model(x, time, untold)
        clean = without + guidance * (with_text - without)
        x = x + (after - now) * velocity(x, clean, time)
    return x


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoded", type=Path, required=True, help="what training.image_data wrote")
    parser.add_argument("--out", type=Path, required=True, help="where the checkpoint and the exported model go")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--cooldown", type=int, default=1_000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--layers", type=int, default=9)
    parser.add_argument("--references", type=int, default=3)
    parser.add_argument("--save-every", type=int, default=50)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    write_pid(args.out)
    torch.manual_seed(0)
    data = Encoded.load(args.encoded)
    model = Denoiser(data.scenes.shape[1], width=args.width, layers=args.layers, references=args.references)
    opts = optimisers(model, decay=0.01, outside=("enter", "leave", "place", "slot", "time", "modulation"))
    average = Average(model, span=500)
    run = Run(args.steps, lr=args.lr, warmup=30, cooldown=args.cooldown)
    start = resume(args.out / "checkpoint", model, average, opts) if args.resume else 0
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, from step {start}", flush=True)

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        return loss_of(model, batch_of(data, args.batch, args.references, g), g)

    for step in log(training(model, opts, loss, run, start), every=10, batch=args.batch):
        average.update(model, step.number)
        use_spare_cores()
        if step.number % args.save_every == 0 or step.number == args.steps:
            save(args.out / "checkpoint", model, average, opts, step.number)
            export(average.model, args.out / "export")


if __name__ == "__main__":
    main()
