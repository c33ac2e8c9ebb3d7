"""How things that really move do so, as fields: what of the first frame is seen where, and what is new.

    python -m training.video_fields [--data FOLDER] [--out FILE]

For every frame of a loop of training.video_data, optical flow (Kroeger et al. 2016) says from where in the first frame
each place is taken; a coarse grid keeps that, and on the same grid by what colour the frame then still differs.
pipelines.video_warp replays it. One file is written, fields-16.safetensors, rows as in the moving set:

    fields  float16 (n, frames, 6, 32, 32): flow across and down in pixels, and premultiplied RGBA to add
    psnr    float32 (n, 3): of the first frame alone, of flow, of flow and colour, against the loop's own frames
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipelines.video_warp import GRID, bent
from training.emoji_data import FOLDER, SIZE
from training.video_data import FRAMES, MovingSet

FlowOf = Callable[[np.ndarray, np.ndarray], np.ndarray]
CELL = SIZE // GRID
LIGHT = torch.tensor([0.35, 0.4, 0.25])  # unequal, so that colours of one brightness differ
PAGE = 0.45  # few things are of this grey
BETTER = 0.9  # flow is believed where it leaves less than this of the error


def optical_flow() -> FlowOf:
    """From where in the second picture each place of the first one is taken, in pixels: (h, w, 2)."""
    made: Any = cv2
    found = made.DISOpticalFlow_create(made.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return lambda one, other: np.asarray(found.calc(one, other, None))


def grey(layers: Tensor) -> np.ndarray:
    """Premultiplied frames (n, 4, h, w) as bytes on a page that few things match."""
    shown = layers[:, :3] + PAGE * (1 - layers[:, 3:])
    return np.asarray((shown * LIGHT[:, None, None]).sum(1).mul(255).round().byte().numpy())


def blurred(values: Tensor, side: int = 9) -> Tensor:
    return torch.from_numpy(np.stack([cv2.blur(each, (side, side)) for each in values.numpy()]))


def smooth(grid: Tensor) -> Tensor:
    """Each cell with a share of its neighbours."""
    line = torch.tensor([0.25, 0.5, 0.25])
    n, channels, height, width = grid.shape
    padded = F.pad(grid, (1, 1, 1, 1), mode="replicate").reshape(n * channels, 1, height + 2, width + 2)
    return F.conv2d(padded, (line[:, None] * line)[None, None]).reshape(grid.shape)


def fitted(layers: Tensor, flow_of: FlowOf) -> Tensor:
    """The fields of one loop: float (frames, 6, GRID, GRID)."""
    first, page = layers[:1], grey(layers)
    flow = torch.from_numpy(np.stack([flow_of(one, page[0]) for one in page])).permute(0, 3, 1, 2)
    unmoved = (layers - first).abs().amax(1)
    moved = (layers - bent(first, flow)).abs().amax(1)
    believed = blurred(moved) < BETTER * blurred(unmoved)
    shown = torch.from_numpy(page.astype(np.float32))
    edges = (shown - blurred(shown, 3)).abs()
    weight = ((edges + 0.3) * (layers[:, 3] + 0.02))[:, None]
    total = smooth(F.avg_pool2d(weight, CELL)) + 1e-3
    coarse = smooth(F.avg_pool2d(flow * believed[:, None] * weight, CELL)) / total
    coarse[0] = 0
    rest = F.avg_pool2d(layers - bent(first, coarse), CELL)
    rest[0] = 0
    return torch.cat([coarse, rest], 1)


def replayed(first: Tensor, fields: Tensor) -> Tensor:
    """A premultiplied picture (1, 4, h, w) as the fields say: (frames, 4, h, w)."""
    rest = F.interpolate(fields[:, 2:], first.shape[-2:], mode="bilinear", align_corners=False)
    return (bent(first, fields[:, :2]) + rest).clamp(0, 1)


def psnr(one: Tensor, two: Tensor) -> float:
    """Of premultiplied frames on white, the first frame left out."""
    difference = (one[1:, :3] - one[1:, 3:]) - (two[1:, :3] - two[1:, 3:])
    return float((-10 * difference.square().mean((1, 2, 3)).clamp(min=1e-6).log10()).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what training.video_data wrote (%(default)s)")
    parser.add_argument("--out", type=Path, default=FOLDER / f"fields-{FRAMES}.safetensors", help="(%(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    moving = MovingSet.load(args.data)
    flow_of = optical_flow()
    fields = torch.zeros(len(moving.records), FRAMES, 6, GRID, GRID, dtype=torch.float16)
    quality = torch.zeros(len(moving.records), 3)
    for row in range(len(moving.records)):
        layers = moving.layers(row)
        found = fitted(layers, flow_of)
        fields[row] = found.half()
        still = layers[:1].expand_as(layers)
        only_moved = replayed(layers[:1], torch.cat([found[:, :2], torch.zeros_like(found[:, 2:])], 1))
        ways = (still, only_moved, replayed(layers[:1], found))
        quality[row] = torch.tensor([psnr(layers, way) for way in ways])
        if row % 25 == 0 or row == len(moving.records) - 1:
            told = ", ".join(f"{value:.1f}" for value in quality[: row + 1].mean(0).tolist())
            print(f"{row + 1} of {len(moving.records)} loops; PSNR still, moved, with colour: {told}", flush=True)
            if row == len(moving.records) - 1:
                save_file({"fields": fields, "psnr": quality}, args.out)


def load(file: Path) -> Tensor:
    """float16 (n, frames, 6, GRID, GRID)"""
    return load_file(file)["fields"]


if __name__ == "__main__":
    main()
