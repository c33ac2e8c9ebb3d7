"""Clips to learn from: frames and a true caption for every seed. And a sheet of them to look at.

    python -m training.video_clips --out sheet.png [--real N] [--motion NAME] [--seed N]

Three in ten are things that move by themselves (training.video_data), on a background and from a moment of their own;
the others are pictures put in motion here (training.motion_captions). Without --motion the sheet has one row for each
motion, and --real rows of the first kind.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from pipelines.video_motions import BY_ITSELF
from training.autoencoder import sheet
from training.captions import article, styled
from training.emoji_data import FOLDER
from training.motion import MOTIONS
from training.motion_captions import MotionCaptions
from training.pictures import PictureSet, on, placed
from training.video_data import FRAMES, MovingSet

REAL = 0.3


@dataclass(frozen=True)
class Clip:
    frames: Tensor  # RGB in -1..1, (frames, 3, 128, 128)
    caption: str
    hexcodes: tuple[str, ...]  # of the things in it
    style: str
    motion: str  # empty where the thing moves by itself
    speed: str = ""


class Clips:
    """Draws clips from what training may see."""

    def __init__(self, pictures: PictureSet, moving: MovingSet, frames: int = FRAMES) -> None:
        self.captions = MotionCaptions(pictures)
        self.moving = moving
        self.frames = frames
        self._real = moving.rows(withheld=False)

    def clip(self, seed: int) -> Clip:
        rng = Random(seed)
        return self.real(rng) if rng.random() < REAL else self.made(rng.getrandbits(32))

    def made(self, seed: int, motion: str | None = None) -> Clip:
        """A picture put in motion."""
        scene = self.captions.scene(seed, motion)
        records = [self.captions.pictures.records[row] for row in scene.rows]
        frames = self.captions.draw(scene, self.frames)
        hexcodes = tuple(record["hexcode"] for record in records)
        return Clip(frames, scene.caption, hexcodes, records[0]["style"], scene.motion, scene.speed)

    def real(self, rng: Random) -> Clip:
        """A thing that moves by itself."""
        row = rng.choice(self._real)
        record, layers = self.moving.records[row], self.moving.layers(row)
        layers = layers.roll(rng.randrange(len(layers)), 0)  # a loop may begin at any moment
        if rng.random() < 0.5:
            places = (rng.uniform(0.75, 1.0), 1.0, rng.uniform(-6, 6), rng.uniform(-6, 6))
            layers = placed(layers, *(torch.full((len(layers),), place) for place in places))
        colour, where = self.captions.words.background(rng)
        while not self.captions.visible(layers[0], colour):
            colour, where = self.captions.words.background(rng)
        frames = on(layers, (torch.tensor(colour) / 255).expand(len(layers), 3))
        return Clip(frames, self.told(rng, record["label"], where), (record["hexcode"],), record["style"], "")

    def told(self, rng: Random, label: str, where: str) -> str:
        words = rng.choice(BY_ITSELF)
        name = article(label if words.startswith(("{}", "animation")) else words.format(label))
        text = styled(name + where, "3d", rng)
        if words.startswith("{}"):
            return words.format(text)
        return f"an {words.format(text)}" if words.startswith("animation") else text


def clips(pictures: PictureSet, moving: MovingSet, seeds: Iterable[int], frames: int = FRAMES) -> Iterator[Clip]:
    """The clips of these seeds: the same in every run."""
    source = Clips(pictures, moving, frames)
    return (source.clip(seed) for seed in seeds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what the two recipes wrote (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--real", type=int, default=8, help="rows of things that move by themselves (%(default)s)")
    parser.add_argument("--motion", choices=MOTIONS, help="twelve rows of this motion alone")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    source = Clips(PictureSet.load(args.data), MovingSet.load(args.data, args.frames), args.frames)
    motions = [args.motion] * 12 if args.motion else MOTIONS
    rows = [source.made(args.seed + number, motion) for number, motion in enumerate(motions)]
    if not args.motion:
        rows += [source.real(Random(args.seed + number)) for number in range(args.real)]
    sheet(torch.cat([row.frames for row in rows]), args.frames).save(args.out)
    print("\n".join(row.caption for row in rows))


if __name__ == "__main__":
    main()
