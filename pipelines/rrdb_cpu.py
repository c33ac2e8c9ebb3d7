"""Real-ESRGAN's network on a CPU, in float32: its convolutions by Winograd's algorithm, on all cores.

On two cores with AVX-512 a dense block of 128 x 128 pixels takes two thirds of the time that oneDNN takes for it in
float32 or bfloat16. A block's channels are brought into Winograd's form once, and not again for each convolution that
sees them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from pipelines.llvm import FEATURES
from pipelines.rrdb import SHARE, SLOPE, Network, RRDBNet, Stages
from pipelines.winograd import EDGE, GROUP, PLACES, convolve, weights

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pipelines.winograd import Floats

ROWS = 2  # rows of tiles that a thread computes at a time


def suits(width: int, growth: int) -> bool:
    """Whether this is the best way to compute such a network here: units for whole matrices do more than it saves."""
    return not (width % GROUP or growth % GROUP or "+amx-bf16" in FEATURES)


class Convolution:
    """A convolution's weights in Winograd's form, so many times as large, and what becomes of negative results:
    `slope` times as much."""

    def __init__(self, of: nn.Conv2d, slope: float, times: float = 1.0) -> None:
        assert of.bias is not None
        self.inputs, self.outputs = of.in_channels, of.out_channels
        self.weights = weights(times * of.weight.detach().double().numpy())
        self.bias = (times * of.bias.detach().float()).numpy()
        self.slope = np.float32(slope)


class Room:
    """Memory of a run: it grows to what the largest tile needs, and is not asked for again with each."""

    def __init__(self) -> None:
        self._flat: dict[str, Floats] = {}

    def of(self, what: str, *shape: int) -> Floats:
        """An array for this purpose, with whatever was in it; one that was given for it before is gone."""
        size = math.prod(shape)
        if what not in self._flat or self._flat[what].size < size:
            self._flat[what] = np.empty(size, np.float32)
        return self._flat[what][:size].reshape(shape)


class Picture:
    """What convolutions of one picture need: its channels, their other form, and what each thread computes."""

    def __init__(self, room: Room, height: int, width: int, channels: int, threads: int, kept: bool = False) -> None:
        across, down = -(-width // EDGE), -(-height // EDGE)
        part = across * min(ROWS, down)
        self.size, self.kept = (height, width), kept
        self.image = room.of("image", down * EDGE + 2, across * EDGE + 2, channels)
        self.image[0], self.image[height + 1 :], self.image[:, 0], self.image[:, width + 1 :] = 0, 0, 0, 0
        self.forms = room.of("forms", -(-down // ROWS) if kept else threads, PLACES, part, channels)
        self.found = room.of("found", threads, PLACES, part, GROUP)

    @property
    def inside(self) -> Floats:
        """The picture, without its border of zeros: (height, width, channels)."""
        height, width = self.size
        inside: Floats = self.image[1 : height + 1, 1 : width + 1]
        return inside


class CpuNetwork(Network):
    """The weights of the same network, one that suits(); working() computes with them."""

    def __init__(self, net: RRDBNet, threads: int) -> None:
        self.blocks, self.conv_first, self.conv_last = net.blocks, net.conv_first, net.conv_last
        self.threads = threads
        dense = [[cast("list[nn.Conv2d]", list(row.children())) for row in block.children()] for block in net.body]
        self.dense = [[[Convolution(each, SLOPE) for each in row[:-1]] for row in block] for block in dense]
        self.dense_last = [[Convolution(row[-1], 1.0, SHARE) for row in block] for block in dense]
        self.body = Convolution(net.conv_body, 1.0)
        self.ups = [Convolution(each, SLOPE) for each in (net.conv_up1, net.conv_up2)]
        self.hr = Convolution(net.conv_hr, SLOPE)

    @contextmanager
    def working(self) -> Iterator[Stages]:
        """Threads and room for one run."""
        with ThreadPoolExecutor(self.threads, "polymuse-upscaler") as pool:
            yield _Run(self, pool)


class _Run(Stages):
    """A picture on its way through the network."""

    def __init__(self, network: CpuNetwork, pool: ThreadPoolExecutor) -> None:
        self.blocks, self.conv_first = network.blocks, network.conv_first
        self._network, self._threads, self._pool = network, network.threads, pool
        self._room = Room()

    def _convolve(self, of: Picture, by: Convolution, out: Floats, new: int = 0, at: int = 0, border: int = 0) -> None:
        """Write a convolution of the picture to out[border:, border:, at:]; see winograd.convolve()."""
        control = np.zeros(1, np.int64)

        def work(thread: int) -> None:
            forms, found = of.forms if of.kept else of.forms[thread:], of.found[thread]
            given = of.image, forms, of.kept, new, by.inputs, by.weights, by.bias, by.slope
            convolve(*given, out, at, border, of.size, ROWS, found, control)

        others = [self._pool.submit(work, thread) for thread in range(1, self._threads)]
        work(0)
        for other in others:
            other.result()

    def _dense(self, block: int, row: int, x: Tensor) -> Tensor:
        last = self._network.dense_last[block][row]
        made = []
        for one in x:
            channels, height, width = one.shape
            picture = Picture(self._room, height, width, last.inputs, self._threads, kept=True)
            picture.inside[..., :channels] = one.permute(1, 2, 0).numpy()
            new = 0
            for each in self._network.dense[block][row]:
                self._convolve(picture, each, picture.image, new, at=each.inputs, border=1)
                new = each.inputs
            made.append(np.empty((height, width, last.outputs), np.float32))
            self._convolve(picture, last, made[-1], new)
        return _tensor(made).add_(x)

    def _tail(self, features: Tensor, picture: Tensor) -> Tensor:
        network, made = self._network, []
        for x, first in zip(features, self.conv_first(picture), strict=True):
            larger = self._once(network.body, x.permute(1, 2, 0).numpy(), 1) + first.permute(1, 2, 0).numpy()
            for up in network.ups:
                larger = self._once(up, larger, 2)
            made.append(self._once(network.hr, larger, 1))
        found: Tensor = network.conv_last(_tensor(made))
        return found

    def _once(self, by: Convolution, x: Floats, scale: int) -> Floats:
        """The convolution of a picture that was made so many times as large, each pixel a square of its own."""
        height, width = scale * x.shape[0], scale * x.shape[1]
        picture = Picture(self._room, height, width, by.inputs, self._threads)
        for row in range(scale):
            for column in range(scale):
                picture.inside[row::scale, column::scale] = x
        out = np.empty((height, width, by.outputs), np.float32)
        self._convolve(picture, by, out)
        return out


def _tensor(pictures: list[Floats]) -> Tensor:
    """(height, width, channels) each -> (n, channels, height, width), the channels innermost as before."""
    stacked = torch.from_numpy(np.stack(pictures) if len(pictures) > 1 else pictures[0][None])
    return stacked.permute(0, 3, 1, 2)
