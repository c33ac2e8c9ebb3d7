"""Trains the classifier that generated things are judged by: which kind a grid shows, and in which colour.

    python -m training.shape_probe --shapes FILE --out FOLDER [--count N] [--withheld N] [--steps N]

It sees where the thing is, in cells of 4 x 4 x 4 voxels, and how much of its surface has which colour, by words: in
all, and in each of 3 x 3 x 3 regions, as the main part of a kind is mostly in the same of them. --shapes is
what training.shape_data wrote; the last shapes of the file are kept to measure the probe itself on. The probe alone
learns withheld pairs too: a judge that had never seen a red snowman would call every red one white.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor, nn

from training.loop import Run, log, training
from training.shape_data import KINDS, sample
from training.shape_draft import Facts
from training.shape_grid import Grid, Stored, grid
from training.shape_paints import COLOURS, MATERIALS, bounds, colour_of

CELL = 4  # voxels of a side
REGIONS = 3  # in each direction
PAINTS = (*COLOURS, *MATERIALS, "glass")
WORDS = (*COLOURS, "glass")
PAINTED = (REGIONS**3 + 1) * len(WORDS)  # numbers that tell of colours
HELD = 1_000
OWN = 5_000_000  # seeds from here on are the probe's withheld pairs
WIDTH = 384


def features(distance: NDArray[Any], colour: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the probe sees of a grid: how full each cell is, then the square roots of the surface's shares of
    colours, of all of it and of each region."""
    side = len(distance) // CELL
    full = np.clip(0.5 - distance.astype(np.float32), 0, 1)
    cells = full.reshape(side, CELL, side, CELL, side, CELL).mean((1, 3, 5)).ravel()
    surface = abs(distance) < 0.75
    x, y, z = (axis // (len(distance) // REGIONS) for axis in np.nonzero(surface))
    region = (x * REGIONS + y) * REGIONS + z
    number = region * len(WORDS) + named(colour[surface])
    shares = np.bincount(number, minlength=REGIONS**3 * len(WORDS)).reshape(-1, len(WORDS)) / max(1, len(number))
    return np.concatenate([cells, np.sqrt(shares.sum(0)), np.sqrt(shares).ravel()]).astype(np.float32)


def named(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The numbers in WORDS of the words for colours (n, 3): of the paint whose range is the nearest."""
    low, high = (np.array([bounds(paint)[end] for paint in PAINTS], np.float32) for end in (0, 1))
    words = np.array([WORDS.index(colour_of(paint)) for paint in PAINTS])
    rgb = colours[:, None].astype(np.float32)
    way = np.maximum(low - rgb, 0) + np.maximum(rgb - high, 0)
    return words[np.square(way).sum(-1).argmin(1)]


class Probe(nn.Module):
    """Kinds by form alone; colours by both, since the main colour is that of a thing's main part."""

    def __init__(self, form: int, kinds: int, colours: int) -> None:
        super().__init__()
        self.form = form
        self.kind = nn.Sequential(nn.Linear(form, WIDTH), nn.GELU(), nn.Dropout(0.2), nn.Linear(WIDTH, kinds))
        given = form + PAINTED
        self.colour = nn.Sequential(nn.Linear(given, WIDTH), nn.GELU(), nn.Dropout(0.2), nn.Linear(WIDTH, colours))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.kind(x[:, : self.form] - 0.1), self.colour(x)


@dataclass(frozen=True)
class Judge:
    """A trained probe, and how often it was right about real shapes that it had never seen."""

    probe: Probe
    accuracy: dict[str, float]

    @classmethod
    def load(cls, folder: Path) -> Judge:
        told = json.loads((folder / "probe.json").read_text())
        probe = Probe(told["form"], len(KINDS), len(COLOURS))
        probe.load_state_dict(load_file(folder / "probe.safetensors"))
        return cls(probe.eval(), told["accuracy"])

    @torch.no_grad()
    def says(self, distance: NDArray[Any], colour: NDArray[np.uint8]) -> tuple[str, str]:
        """The kind and the main colour."""
        kind, paint = self.probe(torch.from_numpy(features(distance, colour))[None])
        return list(KINDS)[int(kind.argmax())], list(COLOURS)[int(paint.argmax())]


def lessons(shapes: Iterable[tuple[Grid, Facts]]) -> tuple[Tensor, Tensor, Tensor]:
    """What the probe sees of shapes, and the numbers of their kinds and colours."""
    kinds, colours = list(KINDS), list(COLOURS)
    seen, labels = [], []
    for one, facts in shapes:
        seen.append(features(one.distance, one.colour))
        labels.append((kinds.index(facts.kind), colours.index(facts.colour)))
    both = torch.tensor(labels)
    return torch.from_numpy(np.stack(seen)), both[:, 0], both[:, 1]


def known(stored: Stored, rows: Iterable[int]) -> Iterator[tuple[Grid, Facts]]:
    for row in rows:
        yield stored[row], sample(int(stored.seeds[row]))[1]


def withheld(seeds: Iterable[int]) -> Iterator[tuple[Grid, Facts]]:
    for seed in seeds:
        shape, facts = sample(seed, held=True)
        yield grid(shape), facts


@torch.no_grad()
def measured(probe: Probe, shapes: Iterable[tuple[Grid, Facts]]) -> dict[str, float]:
    x, kinds, colours = lessons(shapes)
    kind, colour = (made.argmax(1) for made in probe(x))
    return {"kind": (kind == kinds).float().mean().item(), "colour": (colour == colours).float().mean().item()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", type=Path, required=True, help="what training.shape_data wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20_000, help="shapes to learn from (default: %(default)s)")
    parser.add_argument("--withheld", type=int, default=4_000, help="more of withheld pairs (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--batch", type=int, default=128)
    args = parser.parse_args()
    torch.manual_seed(0)
    stored = Stored.load(args.shapes)
    held = min(HELD, len(stored) // 4)
    learned = known(stored, range(min(args.count, len(stored) - held)))
    x, kinds, colours = lessons(chain(learned, withheld(range(OWN, OWN + args.withheld))))
    probe = Probe(x.shape[1] - PAINTED, len(KINDS), len(COLOURS))

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        rows = torch.randint(len(x), (args.batch,), generator=g)
        kind, colour = probe(x[rows] + 0.02 * torch.randn(args.batch, x.shape[1], generator=g))
        value = F.cross_entropy(kind, kinds[rows], label_smoothing=0.05)
        value = value + F.cross_entropy(colour, colours[rows], label_smoothing=0.05)
        return value, {"loss": value.item()}

    run = Run(args.steps, lr=2e-3, warmup=20, cooldown=args.steps // 2)
    for _ in log(training(probe, [torch.optim.AdamW(probe.parameters(), weight_decay=0.02)], loss, run), every=100,
                 batch=args.batch):  # fmt: skip
        pass
    probe.eval()
    accuracy = measured(probe, known(stored, range(len(stored) - held, len(stored))))
    first = OWN + args.withheld
    others = measured(probe, withheld(range(first, first + held // 4)))
    print(f"of {held} real shapes that it never saw: {accuracy}; of {held // 4} of withheld pairs: {others}")
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(probe.state_dict(), args.out / "probe.safetensors")
    (args.out / "probe.json").write_text(json.dumps({"form": probe.form, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
