"""The keys and values of several conversations, the rows, each in chunks of 128 tokens with all layers and heads.

The system is asked for large pages, of which SmolLM2's chunks fill two thirds each: with small ones, looking up where
they are took as long as reading. Memory is taken from the system when a chunk is first written, and given back
when the row is freed.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import numpy as np

from pipelines.decode_attention import CHUNK
from pipelines.llvm import LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.decode_weights import Shape

    Halves = NDArray[np.float16]


class Memory:
    """Room for `rows` texts of `context` tokens, a whole number of chunks.

    `keys` has shape (rows, chunks, layers, kv_heads, 8, head_dim, 16), so that the keys of 16 tokens are neighbours
    number by number; `values` (rows, chunks, layers, kv_heads, 128, head_dim).
    """

    def __init__(self, shape: Shape, context: int, rows: int) -> None:
        chunks = -(-context // CHUNK)
        self.context = chunks * CHUNK
        self.row_bytes = 2 * shape.layers * shape.kv_heads * self.context * shape.head_dim  # of keys, or of values
        self._maps = [_zeros(rows * self.row_bytes) for _ in range(2)]
        keys, values = (np.frombuffer(memory, np.float16) for memory in self._maps)
        all_ = rows, chunks, shape.layers, shape.kv_heads
        self.keys: Halves = keys.reshape(*all_, CHUNK // LANES, shape.head_dim, LANES)
        self.values: Halves = values.reshape(*all_, CHUNK, shape.head_dim)

    def take(self, row: int, start: int, end: int) -> Halves:
        """A copy of what a row holds of these tokens: (2 * layers, kv_heads, end - start, head_dim)."""
        _, _, layers, heads, _, size = self.values.shape
        taken = np.empty((2 * layers, heads, end - start, size), np.float16)
        for chunk, first, last in _chunks(start, end):
            part = taken[:, :, chunk * CHUNK + first - start : chunk * CHUNK + last - start]
            for lane, own in _lanes(first, last):
                part[:layers, :, own] = self._tiles(row, chunk, first, last, lane)
            part[layers:] = self.values[row, chunk, :, :, first:last]
        return taken

    def put(self, row: int, start: int, values: Halves) -> None:
        """Write what take() gave into a row, from token `start` on."""
        layers = self.values.shape[2]
        for chunk, first, last in _chunks(start, start + values.shape[2]):
            part = values[:, :, chunk * CHUNK + first - start : chunk * CHUNK + last - start]
            for lane, own in _lanes(first, last):
                self._tiles(row, chunk, first, last, lane)[:] = part[:layers, :, own]
            self.values[row, chunk, :, :, first:last] = part[layers:]

    def free(self, row: int) -> None:
        """Give a row's memory back to the system, where the system takes it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            first, last = row * self.row_bytes, (row + 1) * self.row_bytes
            first += -first % mmap.PAGESIZE
            for memory in self._maps:
                if last // mmap.PAGESIZE * mmap.PAGESIZE > first:
                    memory.madvise(mmap.MADV_DONTNEED, first, last // mmap.PAGESIZE * mmap.PAGESIZE - first)

    def _tiles(self, row: int, chunk: int, first: int, last: int, lane: int) -> Halves:
        """Every 16th key, those in this lane, of a chunk's tokens: (layers, kv_heads, tokens, head_dim)."""
        begin = first + (lane - first) % LANES
        count = len(range(begin, last, LANES))
        keys: Halves = self.keys[row, chunk, :, :, begin // LANES : begin // LANES + count, :, lane]
        return keys


def _chunks(start: int, end: int) -> list[tuple[int, int, int]]:
    """The chunks that these tokens are in, and where in each they begin and end."""
    numbers = range(start // CHUNK, -(-end // CHUNK))
    return [(n, max(start - n * CHUNK, 0), min(end - n * CHUNK, CHUNK)) for n in numbers]


def _lanes(first: int, last: int) -> list[tuple[int, slice]]:
    """The lanes, and which tokens each has of those from `first` on."""
    return [(lane, slice((lane - first) % LANES, last - first, LANES)) for lane in range(LANES)]


def _zeros(size: int) -> mmap.mmap:
    """Zeros that take no memory until they are written; private where the system knows that, or none could go back."""
    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, size)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory
