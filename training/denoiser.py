"""Trains the built-in image model's denoiser.

    python -m training.denoiser --encoded FOLDER --out FOLDER [--steps N] [--resume]

Flow matching with clean-latent prediction, weighted as an error of velocity. One caption in ten is empty, one style in
seven untold, one time in eight there are no references and now and then a wrong one is among them, so that guidance
works and the model also draws from text alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Generator, Tensor

from pipelines.image_model import Condition, Denoiser, Shown, velocity
from pipelines.image_references import in_turn, style_number
from training.image_data import Encoded
from training.loop import write_pid
from training.recipe import options, train

LAST = tuple(f"{lookup}.{part}" for lookup in ("lookup", "lookup_small") for part in ("ask.2", "ask_style"))
OUTSIDE = ("enter", "leave", "place", "label", "asked", "time", "modulation", *LAST)


@dataclass(frozen=True)
class Batch:
    clean: Tensor
    text: Tensor
    text_mask: Tensor
    style: Tensor
    shown: Shown


def batch_of(data: Encoded, n: int, slots: int, g: Generator) -> Batch:
    """Scenes drawn at random, with what the model is told of them."""
    rows = torch.randint(len(data.scenes), (n,), generator=g)
    captions = torch.where(torch.rand(n, generator=g) < 0.1, len(data.scenes), rows)  # the last is empty
    longest = int(data.lengths[captions].max())
    style = torch.tensor([data.styles[row] for row in rows.tolist()])
    return Batch(
        data.scenes[rows].float(),
        data.words[captions, :longest].float(),
        torch.arange(longest) < data.lengths[captions, None],
        torch.where(torch.rand(n, generator=g) < 0.15, style_number(None), style),
        shown(data, rows.tolist(), slots, g),
    )


def shown(data: Encoded, rows: list[int], slots: int, g: Generator) -> Shown:
    """References as a prompt would find them, but here and there one is missing, out of order or the wrong thing's."""
    chosen, things = torch.zeros(2, len(rows), slots, dtype=torch.long)
    there = torch.zeros(len(rows), slots, dtype=torch.bool)
    for i, row in enumerate(rows):
        none, wrong, same, missing, order = torch.rand(5, generator=g).tolist()
        if none < 0.12:
            continue
        queues = [[(picture, min(thing, 1)) for picture in own] for thing, own in enumerate(data.references[row])]
        if same < 0.6:  # as with a picture that was withheld: there is one of the thing, but not in this style
            queues = [[one for one in queue if data.picture_styles[one[0]] != data.styles[row]] for queue in queues]
        if missing < 0.3:
            queues = [[one for one in queue if torch.rand((), generator=g) < 0.6] for queue in queues]
        if wrong < 0.08:
            other = data.references[int(torch.randint(len(data.scenes), (), generator=g))][0]
            queues = [[*((picture, 0) for picture in other[:2]), *queue] for queue in queues]
        pictures = in_turn(queues, slots)
        if order < 0.15:
            pictures = [pictures[k] for k in torch.randperm(len(pictures), generator=g).tolist()]
        for j, (picture, thing) in enumerate(pictures):
            chosen[i, j], things[i, j], there[i, j] = picture, thing, True
    styles = torch.tensor(data.picture_styles)[chosen]
    return Shown(data.pictures[chosen].float(), data.small[chosen].float(), there, styles, things)


def loss_of(model: Denoiser, batch: Batch, g: Generator) -> tuple[Tensor, dict[str, float]]:
    clean, n = batch.clean, len(batch.clean)
    time = torch.sigmoid(torch.randn(n, generator=g))
    noise = torch.randn(clean.shape, generator=g)
    t = time[:, None, None, None]
    noisy = (1 - t) * clean + t * noise
    made = model(noisy, time, model.condition(batch.text, batch.text_mask, batch.style, batch.shown))
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
    parser = options(__doc__, batch=64, lr=3e-3, cooldown=1_000, save_every=50)
    parser.add_argument("--encoded", type=Path, required=True, help="what training.image_data wrote")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--references", type=int, default=4)
    args = parser.parse_args()
    write_pid(args.out)
    torch.manual_seed(0)
    data = Encoded.load(args.encoded)
    model = Denoiser(data.scenes.shape[1], width=args.width, layers=args.layers, references=args.references)
    if args.begin:
        model = Denoiser.from_pretrained(args.begin, dtype=torch.float32)

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        return loss_of(model, batch_of(data, args.batch, args.references, g), g)

    train(model, loss, args, outside=OUTSIDE, exported=args.out / "export")


if __name__ == "__main__":
    main()
