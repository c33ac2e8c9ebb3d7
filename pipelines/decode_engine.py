"""A decoder with room for the keys and values of several conversations, the rows, and the threads that it computes on.

Why none of a library: on two cores with AVX2 a step of SmolLM2 took 6 to 7 ms here, one of eight requests 13 to 16,
and reading 128 tokens 130 to 160 (with AVX-512, and memory asked ahead, 4 to 5, 11 to 12 and 120 to 160). ONNX Runtime
took 9 to 11, 30 to 35 and 370 there, with blocks of 8 bits; OpenVINO 14, 32 and 236 for the products alone. xllamacpp
wrote 59 to 69 tokens a second on another machine, with what X-ray needs, and 79 for eight together.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines import decode_weights
from pipelines.decode_attention import CHUNK, SHARES
from pipelines.decode_memory import Memory
from pipelines.decode_step import TOGETHER, Coded, Net, Work, opened, step
from pipelines.decode_tiles import BLOCK, STRIP

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
        shape, self._net = decode_weights.read(path, context)
        self._memory = Memory(shape, context, rows)
        self.rows, self.context, self.vocabulary = rows, context, shape.vocabulary
        self._size = shape.head_dim
        self._team = _Team(min(cores, THREADS))
        weakref.finalize(self, self._team.close)
        heads, threads = TOGETHER * shape.heads // shape.kv_heads, self._team.threads
        chunks = threads * SHARES, self._memory.context // CHUNK, heads
        self._buffers = {
            "queries": np.zeros((threads, heads, shape.head_dim), np.float32),
            "scores": np.zeros((threads, heads, CHUNK), np.float32),
            "answers": np.zeros((*chunks, shape.head_dim), np.float32),
            "tops": np.zeros(chunks, np.float32),
            "sums": np.zeros(chunks, np.float32),
        }

    @property
    def token_bytes(self) -> int:
        """Bytes that the keys and values of one token take."""
        return 2 * self._memory.row_bytes // self._memory.context

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
        return self._memory.take(row, start, end)

    def put(self, row: int, start: int, values: Halves) -> None:
        """Write what take() gave into a row, from token `start` on."""
        self._memory.put(row, start, values)

    def free(self, row: int) -> None:
        """Give a row's memory back to the system, where the system takes it."""
        self._memory.free(row)

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
            keys=self._memory.keys.view(np.uint16),
            values=self._memory.values.view(np.uint16),
            logits=np.empty((len(wanted), net.outputs), np.float32),
            **self._buffers,
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
