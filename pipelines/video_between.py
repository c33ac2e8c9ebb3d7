"""Frames between frames: a clip of eight or twelve a second becomes smooth.

For every point of a new frame it is asked where its surroundings were in the frame before and where they are in the
one after, along a straight way: the two places that look most alike are mixed there. It is found from coarse to fine.
Where no way is better than staying, frames are blended. What that gains is measured (benchmarks.video_between).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipelines.events import Clip, Emit, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SIDE = 128  # pixels in which ways are looked for, at most
COARSEST = 32
REACH = 8  # pixels of the coarsest level, a quarter of the picture
WINDOW = 7  # pixels of each level: the surroundings that must look alike
EFFORT = 0.0015  # what a way costs for each pixel of its length, at every level: of two alike the shorter one
WIDE = 15  # pixels of the finest level: what must look the same for something to fade and not to move
SAME = 0.97  # correlation
FLAT = 1e-5  # less variance than this is no picture
GAIN = 0.8  # a way is only taken where it leaves less than this of what staying leaves

Step = Callable[[int, int], None]


def smooth(clip: Clip, fps: float, emit: Emit) -> Clip:
    """The clip at so many frames a second; at 0, as it is. Emits Progress at each frame that is made."""
    if not fps or fps == clip.fps:
        return clip

    def step(done: int, total: int) -> None:
        emit(Progress(done, total, "Making frames between"))

    return replace(clip, frames=fill(clip.frames, clip.fps, fps, clip.loop, step), fps=float(fps))


def fill(
    frames: NDArray[np.uint8], fps: float, wanted: float, loop: bool, step: Step = lambda done, total: None
) -> NDArray[np.uint8]:
    """Frames (n, h, w, 3) at `wanted` a second, for as long as they were. In a `loop` the last leads to the first.

    With fewer frames than there are, those nearest in time are kept. `step` is called before each of the others.
    """
    count, made = len(frames), max(1, round(len(frames) * wanted / fps))
    moments = np.arange(made) * count / made
    if not loop:
        moments = moments.clip(0, count - 1)
    if made <= count:
        kept: NDArray[np.uint8] = frames[moments.round().astype(int) % count]
        return kept
    result = np.empty((made, *frames.shape[1:]), np.uint8)
    for number, moment in enumerate(moments):
        step(number, made)
        before, share = int(moment), float(moment % 1)
        after = (before + 1) % count
        exact = share < 1e-6
        result[number] = frames[before] if exact else between(frames[before], frames[after], share)
    return result


def between(before: NDArray[np.uint8], after: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """The frame at this share of the time between two, 0 to 1."""
    import torch

    with torch.inference_mode():
        pair = torch.from_numpy(np.stack([before, after])).permute(0, 3, 1, 2).float() / 255
        first, second = _moved(pair, _ways(pair, share)[None], share)
        made = torch.lerp(first, second, share)[0]
        pixels: NDArray[np.uint8] = (made * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
        return pixels


def _ways(pair: Tensor, share: float) -> Tensor:
    """From each point's place in the frame before to its place in the one after: (2, h, w), in half sides."""
    import torch
    import torch.nn.functional as F

    height, width = pair.shape[2:]
    scale = min(1.0, SIDE / max(height, width))
    levels = 1
    while SIDE >> levels >= COARSEST:
        levels += 1
    ways = None
    for level in reversed(range(levels)):
        size = [max(8, round(side * scale / 2**level)) for side in (height, width)]
        small = F.interpolate(pair, size, mode="bilinear", antialias=True, align_corners=False)
        reach = REACH if ways is None else 1
        pixel = torch.tensor([2 / size[1], 2 / size[0]])[:, None, None]
        steps = torch.stack(torch.meshgrid(*[torch.arange(-reach, reach + 1.0)] * 2, indexing="xy")).flatten(1).T
        base = torch.zeros(2, *size) if ways is None else _to(ways, size)
        tried = base + steps[:, :, None, None] * pixel
        if ways is not None:  # and those of the neighbours, and to stay
            spread = [base.roll(shift, axis) for shift in (-2, 2) for axis in (1, 2)]
            tried = torch.cat([tried, torch.stack([*spread, torch.zeros_like(base)])])
        costs = _costs(small, tried, share) + EFFORT * (tried / pixel).norm(dim=1) * 2**level
        best = costs.argmin(0)
        ways = tried.gather(0, best[None, None].expand(1, 2, -1, -1))[0]
    assert ways is not None
    left, stay = (_costs(small, one[None], share)[0] for one in (ways, torch.zeros_like(ways)))
    ways = ways * ((left < GAIN * stay) & (_likeness(small) < SAME))
    return _to(ways, [height, width])


def _to(ways: Tensor, size: list[int]) -> Tensor:
    import torch.nn.functional as F

    return F.interpolate(ways[None], size, mode="bilinear", align_corners=False)[0]


def _moved(pair: Tensor, ways: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Both frames as they are after a share of these ways (k, 2, h, w): (k, 3, h, w) each."""
    import torch
    import torch.nn.functional as F

    height, width = pair.shape[2:]
    across, down = (torch.arange(side) * 2 / side + 1 / side - 1 for side in (width, height))
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"))
    places = (grid - share * ways, grid + (1 - share) * ways)
    first, second = (
        F.grid_sample(
            picture[None].expand(len(ways), -1, -1, -1),
            place.permute(0, 2, 3, 1),
            padding_mode="border",
            align_corners=False,
        )
        for picture, place in zip(pair, places, strict=True)
    )
    return first, second


def _likeness(pair: Tensor) -> Tensor:
    """How well both frames agree where they are, whatever their brightness and contrast: correlation, (h, w)."""
    import torch.nn.functional as F

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values[None, None], WIDE, 1, WIDE // 2, count_include_pad=False)[0, 0]

    first, second = pair.mean(1)
    together = mean(first * second) - mean(first) * mean(second)
    alone = [(mean(one.square()) - mean(one).square()).clamp(min=FLAT) for one in (first, second)]
    return together / (alone[0] * alone[1]).sqrt()


def _costs(pair: Tensor, ways: Tensor, share: float) -> Tensor:
    """How different the surroundings are that each of the ways would bring together: (k, h, w)."""
    import torch.nn.functional as F

    first, second = _moved(pair, ways, share)
    apart = (first - second).abs().mean(1, keepdim=True)
    return F.avg_pool2d(apart, WINDOW, 1, WINDOW // 2, count_include_pad=False)[:, 0]
