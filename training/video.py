"""Trains the built-in video model.

    python -m training.video --set FILE --fields FILE --out FOLDER [--steps N] [--resume]

Flow matching on motions, with clean prediction, weighted as an error of velocity. One caption in ten is empty, so that
guidance works. --set is what training.video_set wrote, --fields what training.video_fields wrote.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import torch
from torch import Generator, Tensor

from pipelines.video_model import THINGS, MotionDenoiser, weighted
from pipelines.video_motions import ALIVE
from pipelines.video_warp import MOVE
from training import video_fields
from training.loop import write_pid
from training.recipe import options, train
from training.video_data import FRAMES
from training.video_scenes import Example, example
from training.video_set import VideoSet

OUTSIDE = ("enter", "leave", "place", "time", "modulation")
UNTOLD = 0.1
REAL = 0.25  # of all examples: things that move by themselves
LENGTHS = (FRAMES, FRAMES, FRAMES, 12, 20, 24)
MOVES = THINGS * MOVE
OF_CODES = 0.5  # what the codes' error counts for, against the moves'
FLOOR = 0.05  # the least spread that a number is divided by


def principal(fields: Tensor, rows: list[int], codes: int, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The fields that explain most of how these rows move, (codes, numbers), if they are not known; and the codes of
    all rows, as they are and mirrored: (n, 2, frames, codes)."""
    mirror = fields.flip(-1)
    mirror[:, :, 0] *= -1
    both = torch.stack([fields, mirror], 1)  # (n, 2, frames, 6, GRID, GRID)
    seen = torch.cat([weighted(both[row].float().flatten(0, 1)) for row in rows])
    if known is None:
        torch.manual_seed(0)
        _, _, found = torch.svd_lowrank(seen[::2], codes + 16, niter=2)
        known = found[:, :codes].T
    axes = known.T
    share = (seen @ axes).square().sum() / seen.square().sum()
    print(f"{codes} principal fields explain {float(share):.1%} of what moves", flush=True)
    code = torch.stack([weighted(one.float().flatten(0, 1)) @ axes for one in both])
    return axes.T.contiguous(), code.view(*both.shape[:3], codes)


def statistics(data: VideoSet, codes: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread of every number. Codes are divided by more than their spread: what matters little is small."""
    rng = Random(0)
    some = [
        example(data, codes, data.captions[rng.randrange(len(data.captions) - 1)], FRAMES, rng) for _ in range(800)
    ]
    moves = torch.stack([one.moves for one in some]).flatten(0, 1).flatten(1)
    spread = codes.float().flatten(0, -2).std(0)
    mean = torch.cat([moves.mean(0), torch.zeros(codes.shape[-1])])
    return mean, torch.cat([moves.std(0).clamp(min=FLOOR), (spread * spread[0]).sqrt()])


def loss_of(
    model: MotionDenoiser, data: VideoSet, some: list[Example], captions: list[int], g: Generator
) -> tuple[Tensor, dict[str, float]]:
    """Of these examples; captions are numbers in the set."""
    moves, code = torch.stack([one.moves for one in some]), torch.stack([one.code for one in some])
    clean, n = model.normalised(moves, code), len(some)
    told = model.condition(
        *data.told(captions), torch.stack([one.view for one in some]), torch.stack([one.bodies for one in some])
    )
    known = torch.zeros(clean.shape[:2], dtype=torch.bool)
    known[:, 0] = torch.tensor([one.first_known for one in some])
    time = torch.sigmoid(torch.randn(n, generator=g))
    t = torch.where(known, 0.0, time[:, None])[..., None]
    noise = torch.randn(clean.shape, generator=g)
    squares = (model((1 - t) * clean + t * noise, time, told, known) - clean).square() * ~known[..., None]
    of_moves, of_codes = squares[..., :MOVES].mean((1, 2)), squares[..., MOVES:].mean((1, 2))
    value = ((of_moves + OF_CODES * of_codes) / time.square().clamp(min=1e-3)).mean()
    parts = {"loss": value.item(), "moves": of_moves.mean().item(), "codes": of_codes.mean().item()}
    return value, parts | {"noisy moves": of_moves[time > 0.5].mean().item()}


def main() -> None:
    parser = options(__doc__, batch=48, lr=2e-3, cooldown=1_000, save_every=50)
    parser.add_argument("--set", type=Path, required=True, help="what training.video_set wrote")
    parser.add_argument("--fields", type=Path, required=True, help="what training.video_fields wrote")
    parser.add_argument("--codes", type=int, default=96)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    args = parser.parse_args()
    write_pid(args.out)
    torch.set_num_threads(1)
    data, fields = VideoSet.load(args.set), video_fields.load(args.fields)
    real = [number for number, caption in enumerate(data.captions) if caption["motion"] == ALIVE]
    made = sorted(set(range(len(data.captions) - 1)) - set(real))
    loops = sorted({data.captions[number]["rows"][0] for number in real})
    torch.manual_seed(0)
    if args.begin:
        model = MotionDenoiser.from_pretrained(args.begin, dtype=torch.float32)
        _, codes = principal(fields, loops, model.config.codes, model.principal)
    else:
        model = MotionDenoiser(args.codes, args.width, args.layers)
        axes, codes = principal(fields, loops, args.codes)
        model.principal.copy_(axes)
        mean, spread = statistics(data, codes)
        model.mean.copy_(mean)
        model.spread.copy_(spread)

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        rng = Random(int(torch.randint(2**62, (1,), generator=g)))
        frames = rng.choice(LENGTHS)
        rows = [rng.choice(real if rng.random() < REAL else made) for _ in range(args.batch)]
        some = [example(data, codes, data.captions[row], frames, rng) for row in rows]
        captions = [len(data.captions) - 1 if rng.random() < UNTOLD else row for row in rows]
        return loss_of(model, data, some, captions, g)

    train(model, loss, args, outside=OUTSIDE, exported=args.out / "export", spare=False)


if __name__ == "__main__":
    main()
