"""The network of ESRGAN and Real-ESRGAN: residual dense blocks at the picture's own size, then four times larger.

Nothing in it looks at the picture as a whole, so it can be computed tile by tile, one stage at a time: each stage
reads its tile and a margin as wide as that stage can see, from the finished stage before it. The result is that of
the whole picture at once, with no seams to hide. (To run all stages on one tile, as is usual, takes either a margin
of 94 pixels or more, or seams.)

Parameters carry the names of the authors' own checkpoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from types import EllipsisType
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALE = 4
SLOPE = 0.2  # of what is negative after most convolutions
SHARE = 0.2  # of what a block computes, that it adds to what it was given

Region: TypeAlias = tuple[EllipsisType, slice, slice]


class DenseBlock(nn.Module):
    """Five convolutions; each sees the block's input and what all before it made."""

    reach = 5  # pixels that an output pixel can see to each side: one for each convolution

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3, self.conv4 = (
            _convolution(width + index * growth, growth) for index in range(4)
        )
        self.conv5 = _convolution(width + 4 * growth, width)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen = torch.cat((seen, _leaky(convolution(seen))), dim=1)
        return torch.add(x, self.conv5(seen), alpha=SHARE)


class Network(ABC):
    """A loaded network: working() gives what computes one picture with it."""

    blocks: int
    conv_first: nn.Conv2d

    @abstractmethod
    def working(self) -> AbstractContextManager[Stages]:
        """What computes one picture, for as long as that takes."""

    def steps(self, height: int, width: int, tile: int) -> int:
        """How many tiles, over all stages, in_tiles() will compute."""
        count = sum(1 for _ in parts(height, width, tile, margin=0))
        return 3 * self.blocks * count + sum(1 for _ in parts(height, width, _half(tile), margin=0))


class Stages(Network):
    """Pictures (n, 3, h, w) with values from 0 to 1 -> (n, 3, 4 h, 4 w), not yet clipped to that range.

    How it is done, stage by stage; what a stage computes, another class says: RRDBNet, or rrdb_cpu.py's.
    """

    tail_reach = 3  # two convolutions at a quarter, one at half and three at the full output size: 2.25 pixels

    def in_tiles(self, picture: Tensor, tile: int, step: Callable[[], None]) -> Tensor:
        """The whole picture, in tiles of at most `tile` pixels a side; `step` is called after each, `steps()` times
        in all."""
        height, width = picture.shape[-2:]
        features = self.conv_first(picture)
        for block in range(self.blocks):
            around = features
            for row in range(3):
                made = torch.empty_like(features)
                for part in parts(height, width, tile, DenseBlock.reach):
                    made[part.core] = self._dense(block, row, _dense_copy(features[part.window]))[part.core_in_window]
                    step()
                features = made
            features = features.mul_(SHARE).add_(around)
        larger = picture.new_empty(*picture.shape[:2], SCALE * height, SCALE * width)
        for part in parts(height, width, _half(tile), self.tail_reach):
            tail = self._tail(_dense_copy(features[part.window]), _dense_copy(picture[part.window]))
            larger[part.scaled.core] = tail[part.scaled.core_in_window]
            step()
        return larger

    @abstractmethod
    def _dense(self, block: int, row: int, x: Tensor) -> Tensor:
        """A dense block: (n, channels, h, w) both."""

    @abstractmethod
    def _tail(self, features: Tensor, picture: Tensor) -> Tensor:
        """Everything after the blocks. The features from before them are computed again: cheaper than kept."""

    @contextmanager
    def working(self) -> Iterator[Stages]:
        yield self


class RRDBNet(nn.Module, Stages):
    """The network in torch, on any device."""

    def __init__(self, *, blocks: int, width: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.blocks = blocks
        self.conv_first = _convolution(3, width)
        self.body = nn.ModuleList(
            nn.ModuleDict({f"rdb{row}": DenseBlock(width, growth) for row in (1, 2, 3)}) for _ in range(blocks)
        )
        self.conv_body = _convolution(width, width)
        self.conv_up1 = _convolution(width, width)
        self.conv_up2 = _convolution(width, width)
        self.conv_hr = _convolution(width, width)
        self.conv_last = _convolution(width, 3)

    def forward(self, picture: Tensor) -> Tensor:
        """The whole picture at once."""
        return self.in_tiles(picture, 2 * max(picture.shape[-2:]), lambda: None)

    def _dense(self, block: int, row: int, x: Tensor) -> Tensor:
        made: Tensor = list(self.body[block].children())[row](x)
        return made

    def _tail(self, features: Tensor, picture: Tensor) -> Tensor:
        x = self.conv_first(picture) + self.conv_body(features)
        x = _leaky(self.conv_up1(F.interpolate(x, scale_factor=2.0)))
        x = _leaky(self.conv_up2(F.interpolate(x, scale_factor=2.0)))
        larger: Tensor = self.conv_last(_leaky(self.conv_hr(x)))
        return larger


class Part(NamedTuple):
    """One tile: rows and columns of its own, and the window around them that has to be read."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    window_rows: tuple[int, int]
    window_columns: tuple[int, int]

    @property
    def core(self) -> Region:
        return ..., slice(*self.rows), slice(*self.columns)

    @property
    def window(self) -> Region:
        return ..., slice(*self.window_rows), slice(*self.window_columns)

    @property
    def core_in_window(self) -> Region:
        top, left = self.window_rows[0], self.window_columns[0]
        return (
            ...,
            slice(self.rows[0] - top, self.rows[1] - top),
            slice(self.columns[0] - left, self.columns[1] - left),
        )

    @property
    def scaled(self) -> Part:
        """The same tile in the enlarged picture."""
        return Part(*((SCALE * start, SCALE * end) for start, end in self))


def parts(height: int, width: int, tile: int, margin: int) -> Iterator[Part]:
    """Tiles of at most `tile` pixels a side and nearly equal size that cover the picture.

    Windows end at the picture's border: what lies beyond it is zero, as in the network's training.
    """
    for rows in _stretches(height, tile):
        for columns in _stretches(width, tile):
            yield Part(rows, columns, _widened(rows, margin, height), _widened(columns, margin, width))


def _half(tile: int) -> int:
    """A side of the tiles at the end, which is as much work as all the rest of a small network."""
    return -(-tile // 2)


def _stretches(length: int, most: int) -> list[tuple[int, int]]:
    count = -(-length // most)
    edges = [index * length // count for index in range(count + 1)]
    return list(pairwise(edges))


def _widened(stretch: tuple[int, int], margin: int, length: int) -> tuple[int, int]:
    return max(0, stretch[0] - margin), min(length, stretch[1] + margin)


def _dense_copy(window: Tensor) -> Tensor:
    """Channels innermost without gaps, which is how convolutions are fastest; the whole picture is not copied."""
    return window.contiguous(memory_format=torch.channels_last)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu_(x, SLOPE)
