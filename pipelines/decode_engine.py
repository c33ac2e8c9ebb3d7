"""A decoder with room for the keys and values of several conversations, the rows, and the threads that it computes on.

Memory is taken from the system when tokens are read into a row, and given back when the row is freed.

Why none of a library: on two cores with AVX2 a step of SmolLM2 takes 6 to 7 ms here, one of eight requests 13 to 16,
and reading 128 tokens 130 to 160. ONNX Runtime took 9 to 11, 30 to 35 and 370, with blocks of 8 bits; OpenVINO 14, 32
and 236 for the products alone. xllamacpp wrote 59 to 69 tokens a second on another machine, with what X-ray needs, and
79 for eight together.
"""

from __future__ import annotations

import mmap
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines import decode_weights
from pipelines.decode_step import TOGETHER, Coded, Net, Work, opened, step
from pipelines.decode_tiles import BLOCK, LANES, STRIP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Halves = NDArray[np.float16]

ROWS = 16  # requests at once; an engine has fewer threads by far
THREADS = 8  # at most: a small model has no work for more


class Decoder:
    """A model and its rows. For one thread at a time.

    A token comes out the same to the last bit whatever the other rows hold, in whatever parts a prompt is read, and
    whether it is read in a prompt or alone as steps do.
    """

    def __init__(self, path: Path, context: int, cores: int, rows: int = ROWS) -> None:
        context = -(-context // LANES) * LANES
        shape, self._net = decode_weights.read(path, context)
        self.rows, self.context, self.vocabulary = rows, context, shape.vocabulary
        self._layers, self._size = shape.layers, shape.head_dim
        numbers = shape.layers * shape.kv_heads * context * shape.head_dim
        self._row_bytes = 2 * numbers
        self._maps = [_memory(rows * self._row_bytes) for _ in range(2)]
        keys, values = (np.frombuffer(memory, np.float16) for memory in self._maps)
        tiled = (rows, shape.layers, shape.kv_heads, context // LANES, shape.head_dim, LANES)
        self._keys: Halves = keys.reshape(tiled)
        self._values: Halves = values.reshape(rows, shape.layers, shape.kv_heads, context, shape.head_dim)
        self._team = _Team(min(cores, THREADS))
        weakref.finalize(self, self._team.close)
        heads, threads = TOGETHER * shape.heads // shape.kv_heads, self._team.threads
        self._queries = np.zeros((threads, heads, shape.head_dim), np.float32)
        self._answers = np.zeros_like(self._queries)
        self._scores = np.zeros((threads, heads, context), np.float32)

    @property
    def token_bytes(self) -> int:
        """Bytes that the keys and values of one token take."""
        return 2 * self._row_bytes // self.context

    @property
    def weight_bytes(self) -> int:
        """Bytes that are read for a token before there are any keys and values."""
        return int(self._net.codes.nbytes + self._net.scales.nbytes + self._net.norms.nbytes)

    def read(self, row: int, start: int, ids: Sequence[int]) -> Floats:
        """Read tokens into a row that holds `start` already. Returns the logits after the last: (vocabulary,)."""
        logits: Floats = self._part(row, start, ids, [len(ids) - 1])[0]
        return logits

    def every(self, row: int, start: int, ids: Sequence[int]) -> Floats:
        """As read(), but returns the logits after each of them: (len(ids), vocabulary)."""
        return self._part(row, start, ids, range(len(ids)))

    def step(self, rows: Sequence[int], ids: Sequence[int], lengths: Sequence[int]) -> Floats:
        """One more token for each of these rows, which hold `lengths`. Logits: (len(rows), vocabulary)."""
        return self._run(ids, rows, lengths, range(len(ids) + 1), range(len(ids)))

    def take(self, row: int, start: int, end: int) -> Halves:
        """A copy of what a row holds of these tokens: (2 * layers, kv_heads, end - start, head_dim)."""
        taken = np.empty((2 * self._layers, self._values.shape[2], end - start, self._size), np.float16)
        for lane in range(LANES):
            self._lane(taken, start, lane)[:] = self._tile(row, start, end, lane)
        taken[self._layers :] = self._values[row, :, :, start:end]
        return taken

    def put(self, row: int, start: int, values: Halves) -> None:
        """Write what take() gave into a row, from token `start` on."""
        end = start + values.shape[2]
        for lane in range(LANES):
            self._tile(row, start, end, lane)[:] = self._lane(values, start, lane)
        self._values[row, :, :, start:end] = values[self._layers :]

    def free(self, row: int) -> None:
        """Give a row's memory back to the system, where the system takes it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            first, last = row * self._row_bytes, (row + 1) * self._row_bytes
            first += -first % mmap.PAGESIZE
            for memory in self._maps:
                if last // mmap.PAGESIZE * mmap.PAGESIZE > first:
                    memory.madvise(mmap.MADV_DONTNEED, first, last // mmap.PAGESIZE * mmap.PAGESIZE - first)

    def _lane(self, taken: Halves, start: int, lane: int) -> Halves:
        """Of keys that lie token after token, every 16th, those that have this lane where `start` is the first."""
        lanes: Halves = taken[: self._layers, :, (lane - start) % LANES :: LANES]
        return lanes

    def _tile(self, row: int, start: int, end: int, lane: int) -> Halves:
        """The same keys where the row holds them: (layers, kv_heads, tokens, head_dim)."""
        first = start + (lane - start) % LANES
        count = len(range(first, end, LANES))
        keys: Halves = self._keys[row, :, :, first // LANES : first // LANES + count, :, lane]
        return keys

    def _part(self, row: int, start: int, ids: Sequence[int], wanted: Sequence[int]) -> Floats:
        count = len(ids)
        groups = [*range(0, count, TOGETHER), count]
        return self._run(ids, [row] * count, range(start, start + count), groups, wanted)

    def _run(
        self,
        ids: Sequence[int],
        rows: Sequence[int],
        places: Sequence[int],
        groups: Sequence[int],
        wanted: Sequence[int],
    ) -> Floats:
        """One step: see Work. Returns the logits of the wanted tokens, (wanted, vocabulary)."""
        if max(places) >= self.context:
            raise ValueError(f"token {max(places)} is beyond the context of {self.context}")
        net, m = self._net, len(ids)
        width, mixed = net.norms.shape[1], net.heads * self._size
        qkv = -(-(net.heads + 2 * net.kv_heads) * self._size // STRIP) * STRIP
        floats = {
            "stream": width, "normed": width, "qkv": qkv, "mixed": mixed, "gates": net.inner, "hidden": net.inner
        }  # fmt: skip
        integers = {"ids": ids, "rows": rows, "places": places, "groups": groups, "wanted": wanted}
        work = Work(
            **{name: np.asarray(values, np.int64) for name, values in integers.items()},
            **{name: np.empty((m, size), np.float32) for name, size in floats.items()},
            normed_coded=_coded(m, width),
            mixed_coded=_coded(m, mixed),
            hidden_coded=_coded(m, net.inner),
            keys=self._keys.view(np.uint16),
            values=self._values.view(np.uint16),
            logits=np.empty((len(wanted), net.outputs), np.float32),
            queries=self._queries,
            scores=self._scores,
            answers=self._answers,
            control=opened(),
        )
        self._team.run(net, work)
        logits: Floats = work.logits[:, : self.vocabulary]
        return logits


def _coded(rows: int, numbers: int) -> Coded:
    return Coded(np.empty((rows, numbers), np.int8), np.empty((rows, numbers // BLOCK * 2), np.float32))


class _Team:
    """Threads that help whoever runs a step."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._job: tuple[Net, Work] | None = None
        self._go = [threading.Semaphore(0) for _ in range(1, threads)]
        self._ended = [threading.Semaphore(1) for _ in range(1, threads)]
        for number in range(1, threads):
            name = f"polymuse-decoder-{number}"
            threading.Thread(target=self._help, args=(number,), name=name, daemon=True).start()

    def run(self, net: Net, work: Work) -> None:
        self._call((net, work))
        step(net, work, 0)

    def close(self) -> None:
        """Let the threads end."""
        self._call(None)

    def _call(self, job: Any) -> None:
        """Give all a job, when all have come back from the one before: one of them may have been late."""
        for ended in self._ended:
            ended.acquire()
        self._job = job
        for go in self._go:
            go.release()

    def _help(self, number: int) -> None:
        while True:
            self._go[number - 1].acquire()
            if self._job is None:
                return
            step(*self._job, number)
            self._ended[number - 1].release()


def _memory(size: int) -> mmap.mmap:
    """Zeros that take no memory until they are written; private where the system knows that, or none could go back."""
    if hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return mmap.mmap(-1, size)
