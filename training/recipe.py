"""What the trainings of the denoisers share: their options, and a run that can end and be gone on with at any time."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from diffusers import ModelMixin

from training.loop import Average, Loss, Run, export, log, resume, save, training, use_spare_cores
from training.muon import optimisers


def options(
    description: str | None, *, batch: int, lr: float, cooldown: int, save_every: int
) -> argparse.ArgumentParser:
    """A parser with the options of train(); the rest, and --width and --layers, are the recipe's own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", type=Path, required=True, help="where the checkpoint and the exported model go")
    add("--steps", type=int, default=20_000, help="in all, a resumed run's earlier steps included (%(default)s)")
    add("--cooldown", type=int, default=cooldown, help="the last steps, over which the rate falls (%(default)s)")
    add("--batch", type=int, default=batch, help="(%(default)s)")
    add("--lr", type=float, default=lr, help="(%(default)s)")
    add("--save-every", type=int, default=save_every, help="steps (%(default)s)")
    add("--begin", type=Path, help="a trained model to go on from, such as the one in assets")
    add("--resume", action="store_true", help="go on from the checkpoint in --out")
    return parser


def train(
    model: ModelMixin,
    loss: Loss,
    args: argparse.Namespace,
    *,
    outside: Sequence[str],
    exported: Path,
    spare: bool = True,
) -> None:
    """Train to the end, by options(). Leaves a checkpoint, and the moving average as from_pretrained reads it.

    `outside` are the weights that AdamW trains, not Muon. With `spare` it takes cores that nobody else uses.
    """
    opts = optimisers(model, decay=0.01, outside=outside)
    average = Average(model, span=500)
    run = Run(args.steps, lr=args.lr, warmup=30, cooldown=args.cooldown)
    checkpoint = args.out / "checkpoint"
    start = resume(checkpoint, model, average, opts) if args.resume and checkpoint.exists() else 0
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, from step {start}", flush=True)
    for step in log(training(model, opts, loss, run, start), every=10, batch=args.batch):
        average.update(model, step.number)
        if spare:
            use_spare_cores()
        if step.number % args.save_every == 0 or step.number == args.steps:
            save(checkpoint, model, average, opts, step.number)
            export(average.model, exported)
