"""How well frames between frames are made: every second frame is dropped, made anew, and compared with itself.

    python -m benchmarks.video_between [--count N]

Beside it what costs nothing: the mean of both neighbours, and the neighbour before once more. In PSNR, over things
that really move (training.video_data) and pictures put in motion (training.motion); loops or not, as they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.report import Goal, Watch, add_calm, finish, significant, table
from pipelines.video_between import between
from pipelines.video_motions import ALIVE, LOOPS
from training.emoji_data import FOLDER
from training.motion import MOTIONS
from training.pictures import PictureSet
from training.video_clips import Clips
from training.video_data import MovingSet

Frame = NDArray[np.uint8]
Way = Callable[[Frame, Frame], Frame]
WAYS: dict[str, Way] = {
    "repeated": lambda before, after: before,
    "blended": lambda before, after: ((before.astype(np.uint16) + after + 1) // 2).astype(np.uint8),
    "made": lambda before, after: between(before, after, 0.5),
}


def pixels(frames: Tensor) -> Frame:
    """(n, 3, h, w) of -1..1 as they are shown."""
    shown = ((frames + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
    return np.ascontiguousarray(shown.numpy())


def clips(folder: Path, count: int) -> Iterator[tuple[str, Frame, bool]]:
    """Kinds of motion, clips of them, and whether they are loops."""
    drawn = Clips(PictureSet.load(folder), MovingSet.load(folder))
    for seed in range(count):
        for motion in MOTIONS:
            yield motion, pixels(drawn.made(seed, motion).frames), motion in LOOPS
    for seed in range(4 * count):
        yield ALIVE, pixels(drawn.real(Random(seed)).frames), True


def psnr(made: Frame, wanted: Frame) -> float:
    error = np.square(made.astype(float) - wanted).mean()
    return float(10 * np.log10(255**2 / max(error, 0.05)))  # 61 dB where nothing differs


def judged(frames: Frame, loop: bool) -> dict[str, float]:
    """Each way's PSNR, the mean over the frames that were dropped."""
    last = len(frames) if loop else len(frames) - 1
    scores: dict[str, list[float]] = {name: [] for name in WAYS}
    for number in range(1, last, 2):
        before, after = frames[number - 1], frames[(number + 1) % len(frames)]
        for name, way in WAYS.items():
            scores[name].append(psnr(way(before, after), frames[number]))
    return {name: float(np.mean(found)) for name, found in scores.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2, help="clips of each motion (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=FOLDER, help="where the pictures are (default: %(default)s)")
    add_calm(parser)
    args = parser.parse_args()
    watch = Watch(args.calm)
    drawn = [*clips(args.data, args.count)]
    judgements = watch.measure(lambda: [(kind, judged(frames, loop)) for kind, frames, loop in drawn])
    kinds = dict.fromkeys(kind for kind, _ in judgements)
    means = {kind: mean([one for found, one in judgements if found == kind]) for kind in kinds}
    everything = mean([*means.values()])
    print(table(["PSNR, dB", *WAYS], ([kind, *map(shown, row.values())] for kind, row in means.items())))
    print(table(["mean", *WAYS], [["of all motions", *map(shown, everything.values())]]))
    gains = {kind: row["made"] - row["blended"] for kind, row in means.items()}
    goals = [
        Goal("better than blended, mean of all motions, dB", everything["made"] - everything["blended"], 1, True),
        Goal("better than blended, things that move by themselves, dB", gains[ALIVE], 0, True),
        Goal("better than blended, the worst motion, dB", min(gains.values()), -0.5, True),
    ]
    numbers = {kind: {name: significant(value) for name, value in row.items()} for kind, row in means.items()}
    finish("video_between", {"clips": len(drawn), "psnr": numbers}, goals, watch)


def mean(scores: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in scores])) for name in WAYS}


def shown(value: float) -> str:
    return f"{value:.2f}"


if __name__ == "__main__":
    main()
