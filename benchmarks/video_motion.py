"""Which motion a clip shows, read off its frames alone.

    python -m benchmarks.video_motion [--count N] [--frames N]

Run so, it judges the clips that training draws, whose motion is known, and prints what it takes each motion for: the
judge of the judge.

A thing is what differs from the colour around the clip's rim. In every frame its centre, its radius, its opacity and
its turn against the frame before are measured; the motion is what these do over time. The measures need no network,
and know nothing of the thing.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.report import Goal, line, machine, table
from pipelines.video_motions import PASSING
from training.emoji_data import FOLDER
from training.motion import MOTIONS
from training.motion_captions import MotionCaptions
from training.pictures import PictureSet
from training.rotation import rings, turn

RIM = 3  # pixels
APART = 0.06  # of 1, in some channel: nearer to the background's colour than this is background
GONE = 0.1  # of the clip's fullest frame: less than this is no thing to measure
ALIKE = 0.6  # of all that two pictures hold: those that differ by less show the same
SURE = 0.3  # how well two frames must agree, turned, for the turn to count


@dataclass(frozen=True)
class Measured:
    """A clip in numbers, each (frames,); where nothing is to be seen, they stay what they were before."""

    x: Tensor  # the centre, in pixels from the picture's centre, y downwards
    y: Tensor
    wide: Tensor  # the spread around it, in pixels
    high: Tensor
    angle: Tensor  # degrees clockwise since the first frame
    opacity: Tensor  # of the clip's strongest frame
    there: Tensor  # how much is to be seen, of the clip's fullest frame

    @property
    def radius(self) -> Tensor:
        return torch.hypot(self.wide, self.high)


def apart(frames: Tensor) -> Tensor:
    """What differs from the background, signed: (n, 3, h, w) of 0..1."""
    rim = torch.ones(frames.shape[2:], dtype=torch.bool)
    rim[RIM:-RIM, RIM:-RIM] = False
    shown = frames / 2 + 0.5
    background = shown[:, :, rim].transpose(0, 1).flatten(1).median(1).values
    different = shown - background[:, None, None]
    return different * (different.abs().amax(1, keepdim=True) > APART)


def held(values: Tensor, known: Tensor) -> Tensor:
    """Each unknown value replaced by the last known one, or by the first one there is."""
    places = torch.arange(len(values))
    last = torch.where(known, places, -1).cummax(0).values
    first = int(known.int().argmax())
    return values[torch.where(last < 0, first, last)]


def measure(frames: Tensor) -> Measured:
    """Of frames (n, 3, h, w) in -1..1."""
    different = apart(frames)
    strength = different.abs().amax(1)
    n, height, width = strength.shape
    ordered = strength.flatten(1).sort(1, descending=True).values
    area = (ordered > APART).sum(1).float()
    # Opacity by the stronger half of what shows, so that neither a thin edge nor a pale part decides it.
    opacity = torch.stack([row[: max(1, int(size) // 2)].mean() for row, size in zip(ordered, area, strict=True)])
    weight = (strength / opacity.clamp(min=APART)[:, None, None]).clamp(max=1)
    total = weight.flatten(1).sum(1)
    y, x = (axis.flatten() for axis in torch.meshgrid(
        torch.arange(height) - height / 2 + 0.5, torch.arange(width) - width / 2 + 0.5, indexing="ij"
    ))  # fmt: skip
    share = weight.flatten(1) / total.clamp(min=1)[:, None]
    cx, cy = share @ x, share @ y
    wide = (share @ x.square() - cx.square()).clamp(min=0).sqrt()
    high = (share @ y.square() - cy.square()).clamp(min=0).sqrt()
    there = total / total.max().clamp(min=1)
    known = (there > GONE) & (opacity > 0.1 * opacity.max())
    if not known.any():
        known = torch.ones(n, dtype=torch.bool)
    return Measured(
        x=held(cx, known),
        y=held(cy, known),
        wide=held(wide, known),
        high=held(high, known),
        angle=angles(different, torch.stack([cx, cy], 1), 1.7 * torch.hypot(wide, high)[known].max(), known),
        opacity=opacity / opacity.max().clamp(min=1e-6),
        there=there * known,
    )


def angles(different: Tensor, centres: Tensor, radius: Tensor, known: Tensor) -> Tensor:
    around = rings(different, centres, float(radius))
    steps, sure = turn(around[:-1], around[1:])
    steps = torch.where((sure > SURE) & known[1:] & known[:-1], steps, 0.0)
    return torch.cat([torch.zeros(1), steps]).cumsum(0)


def crossed(frames: Tensor) -> bool:
    """Whether what was on the left at first is on the right at last, and the other way round."""
    different = apart(frames[[0, -1]])
    ends = []
    for picture in different:
        profile = picture.abs().amax(0).sum(0)
        mass = profile.cumsum(0) / profile.sum().clamp(min=1e-6)
        low, high = (int((mass < part).sum()) for part in (0.1, 0.9))
        cut = low + int(profile[low : high + 1].argmin())
        ends.append([middle(picture[:, :, :cut]), middle(picture[:, :, cut:])])
    (left, right), (new_left, new_right) = ends
    stayed = (left - new_left).square().sum() + (right - new_right).square().sum()
    changed = (left - new_right).square().sum() + (right - new_left).square().sum()
    every = sum(part.square().sum() for part in (left, right, new_left, new_right))
    return bool(changed < min(stayed, ALIKE * every))


def middle(part: Tensor, half: int = 32) -> Tensor:
    """The surroundings of a part's centre, (3, 64, 64)."""
    padded = torch.nn.functional.pad(part, (half, half, half, half))
    weight = part.abs().amax(0)
    total = weight.sum().clamp(min=1e-6)
    y = round(float((weight.sum(1) @ torch.arange(part.shape[1]).float()) / total))
    x = round(float((weight.sum(0) @ torch.arange(part.shape[2]).float()) / total))
    return padded[:, y : y + 2 * half, x : x + 2 * half]


def judge(frames: Tensor) -> str:
    """The word for the motion of frames (n, 3, h, w) in -1..1."""
    seen = measure(frames)
    if left_picture(seen):
        return "flies off"
    if seen.opacity[0] < 0.5 and seen.opacity[-1] > 0.8:
        return "fades in"
    if met(seen) and crossed(frames):
        return PASSING
    return slid(seen) or turned(seen) or resized(seen) or back_and_forth(seen)


def left_picture(seen: Measured) -> bool:
    """Whether hardly anything is left at the end, and it moved before: what shrinks stays where it is."""
    way = torch.hypot(seen.x[-1] - seen.x[0], seen.y[-1] - seen.y[0])
    return bool(seen.there[-1] < 0.3 and way > 10)


def met(seen: Measured) -> bool:
    """Whether what is to be seen is broader at both ends of the clip than in between, and always about as high."""
    between = slice(len(seen.wide) // 3, -(len(seen.wide) // 3))
    ends = torch.minimum(seen.wide[0], seen.wide[-1])
    return bool(seen.wide[between].min() < 0.8 * ends and seen.high.max() < 1.4 * seen.high.min())


def turned(seen: Measured) -> str | None:
    whole = float(seen.angle[-1])
    path = float(seen.angle.diff().abs().sum())
    if abs(whole) < 110 or abs(whole) < 0.6 * path:
        return None
    return "spins clockwise" if whole > 0 else "spins counter-clockwise"


def slid(seen: Measured) -> str | None:
    across, down = float(seen.x[-1] - seen.x[0]), float(seen.y[-1] - seen.y[0])
    net = max(abs(across), abs(down))
    path = float(torch.hypot(seen.x.diff(), seen.y.diff()).sum())
    if net < 12 or net < 0.75 * path:
        return None
    if abs(across) > abs(down):
        return "slides right" if across > 0 else "slides left"
    return "slides down" if down > 0 else "slides up"


def resized(seen: Measured) -> str | None:
    ratio = float(seen.radius[-1].clamp(min=1) / seen.radius[0].clamp(min=1))
    if 1 / 1.2 < ratio < 1.2:
        return None
    return "grows" if ratio > 1 else "shrinks"


def back_and_forth(seen: Measured) -> str:
    across, down, turn = (float(values.max() - values.min()) for values in (seen.x, seen.y, seen.angle))
    if turn > 14 and across > 4:
        return "swings"
    if down > 8 and down > across:
        return "bounces"
    return "shakes" if across > 3 else "stays still"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what training.emoji_data wrote (%(default)s)")
    parser.add_argument("--count", type=int, default=20, help="clips of each motion (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=16)
    args = parser.parse_args()
    captions = MotionCaptions(PictureSet.load(args.data))
    found: dict[str, Counter[str]] = {motion: Counter() for motion in MOTIONS}
    for number, motion in enumerate(MOTIONS):
        for i in range(args.count):
            scene = captions.scene(number * 10_000 + i, motion)
            seen = judge(captions.draw(scene, args.frames))
            found[motion][seen] += 1
            if seen != motion:
                print(f"{scene.caption}: {seen}", flush=True)
    right = {motion: counts[motion] / args.count for motion, counts in found.items()}
    print(table(("asked for", "right", "taken for"), (row(motion, found[motion]) for motion in MOTIONS)))
    share = sum(right.values()) / len(right)
    goals = [Goal("share of motions judged rightly", share, 0.97, at_least=True)]
    print(line("video_motion", {"right": right, "clips": args.count * len(MOTIONS)}, goals, machine()))


def row(motion: str, found: Counter[str]) -> tuple[str, str, str]:
    others = ", ".join(f"{other} {n}" for other, n in found.most_common() if other != motion)
    return motion, f"{found[motion]} of {found.total()}", others


if __name__ == "__main__":
    main()
