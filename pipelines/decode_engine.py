"""One decoder graph in ONNX Runtime, with room for the keys and values of several conversations: the rows.

Rows lie one after another in memory, so that those which write can be handed to the graph as one array without being
copied. Memory is taken from the system when tokens are read into a row, and given back when the row is freed.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ROWS = 16  # requests at once; an engine has fewer threads by far
FEW = 2  # cores
SPIN_US = "20"  # microseconds; of 0 to 1,000: more makes no step faster, but what runs beside it slower


class Decoder:
    """The graph and its rows. For one thread at a time.

    A row of a step comes out the same to the last bit whatever the other rows hold: each kernel treats rows alike. So
    does a prompt in whatever parts of two tokens or more it is read. A token read alone, as steps do, differs in the
    last bits from the same token read in a part.

    A product is shared among threads, one for each core. On few cores they look for the next one only for a moment
    before they sleep: long enough for the small gaps between products, and a browser on the same machine still gets
    what it needs to draw its frames.
    """

    def __init__(self, path: Path, context: int, cores: int, rows: int = ROWS) -> None:
        import numpy as np
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cores
        if cores <= FEW:
            options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN_US)
        options.add_session_config_entry("session.force_spinning_stop", "1")  # between steps everybody sleeps
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.rows = rows
        self.context = context
        *_, logits = (output for output in self._session.get_outputs() if output.name == "logits")
        self.vocabulary = int(logits.shape[2])
        caches = [entry for entry in self._session.get_inputs() if entry.name.startswith(("key_", "value_"))]
        _, kv_heads, _, head_dim = caches[0].shape
        self._shape = (int(kv_heads), context, int(head_dim))
        self._row_bytes = 4 * kv_heads * context * head_dim
        self._maps = {entry.name: _memory(rows * self._row_bytes) for entry in caches}
        self._caches: dict[str, Floats] = {
            name: np.frombuffer(memory, np.float32).reshape(rows, *self._shape) for name, memory in self._maps.items()
        }
        self._bindings: dict[tuple[int, int], Any] = {}

    @property
    def token_bytes(self) -> int:
        """Bytes that the keys and values of one token take."""
        kv_heads, _, head_dim = self._shape
        return 4 * len(self._maps) * kv_heads * head_dim

    def read(self, row: int, start: int, ids: Sequence[int]) -> Floats:
        """Read tokens into a row that holds `start` already. Returns the logits after the last: (vocabulary,)."""
        logits: Floats = self._run(row, [ids], [start + len(ids) - 1], [-1])[0, 0]
        return logits

    def every(self, row: int, start: int, ids: Sequence[int]) -> Floats:
        """As read(), but returns the logits after each of them: (len(ids), vocabulary)."""
        logits: Floats = self._run(row, [ids], [start + len(ids) - 1], range(len(ids)))[0]
        return logits

    def step(self, ids: Sequence[int], lengths: Sequence[int]) -> Floats:
        """One more token for each of the first len(ids) rows, which hold `lengths`. Logits: (len(ids), vocabulary)."""
        return self._run(0, [[one] for one in ids], lengths, [-1])[:, 0]

    def take(self, row: int, start: int, end: int) -> Floats:
        """A copy of what a row holds of these tokens: (caches, kv_heads, end - start, head_dim)."""
        import numpy as np

        return np.stack([cache[row, :, start:end] for cache in self._caches.values()])

    def put(self, row: int, start: int, values: Floats) -> None:
        """Write what take() gave into a row, from token `start` on."""
        end = start + values.shape[2]
        for cache, part in zip(self._caches.values(), values, strict=True):
            cache[row, :, start:end] = part

    def copy(self, row: int, to: int, length: int) -> None:
        """Copy a row's first `length` tokens over another row."""
        for cache in self._caches.values():
            cache[to, :, :length] = cache[row, :, :length]

    def free(self, row: int) -> None:
        """Give a row's memory back to the system, where the system takes it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            first, last = row * self._row_bytes, (row + 1) * self._row_bytes
            first += -first % mmap.PAGESIZE
            for memory in self._maps.values():
                if last // mmap.PAGESIZE * mmap.PAGESIZE > first:
                    memory.madvise(mmap.MADV_DONTNEED, first, last // mmap.PAGESIZE * mmap.PAGESIZE - first)

    def _run(self, row: int, ids: Sequence[Sequence[int]], ends: Sequence[int], wanted: Sequence[int]) -> Floats:
        """The graph, from `row` on: logits of the wanted positions, (rows, wanted, vocabulary)."""
        import numpy as np

        if max(ends) >= self.context:
            raise ValueError(f"token {max(ends)} is beyond the context of {self.context}")
        binding = self._binding(row, len(ids))
        binding.bind_cpu_input("ids", np.asarray(ids, np.int64))
        binding.bind_cpu_input("ends", np.asarray(ends, np.int32))
        binding.bind_cpu_input("longest", np.asarray(max(ends) + 1, np.int32))
        binding.bind_cpu_input("positions", np.asarray(wanted, np.int64))
        logits = np.empty((len(ids), len(wanted), self.vocabulary), np.float32)
        binding.bind_output("logits", "cpu", 0, np.float32, logits.shape, logits.ctypes.data)
        self._session.run_with_iobinding(binding)
        return logits

    def _binding(self, row: int, rows: int) -> Any:
        """What tells the graph where these rows' keys and values are: read there, and written there."""
        import numpy as np

        if (row, rows) not in self._bindings:
            binding = self._bindings[row, rows] = self._session.io_binding()
            shape = (rows, *self._shape)
            for name, cache in self._caches.items():
                binding.bind_input(name, "cpu", 0, np.float32, shape, cache[row:].ctypes.data)
                binding.bind_output(f"new_{name}", "cpu", 0, np.float32, shape, cache[row:].ctypes.data)
        return self._bindings[row, rows]


def _memory(size: int) -> mmap.mmap:
    """Zeros that take no memory until they are written; private where the system knows that, or none could go back."""
    if hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return mmap.mmap(-1, size)
