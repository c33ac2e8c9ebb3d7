"""DeepFilterNet 3, block by block: from what is heard in each frame to gains for bands and filters for low bins."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.enhance_bands import BANDS, FILTERED, Floats, Spectrum
from pipelines.enhance_convert import NAMES, WIDTH

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

THREADS = 1  # its layers are small: two threads wait for each other, and take 2.7 times the processor time
ORDER = 5  # frames that a filter reaches over
AHEAD = 2  # of these, frames after the one that is filtered: what comes out is for the frame so many before
SKIPS = ("e3", "e2", "e1", "e0")  # what the encoder hands the decoder of the gains


def _zeros(*shape: int) -> Floats:
    return np.zeros(shape, np.float32)


@dataclass
class Memory:
    """What has to be known of the blocks before: the last frames of each padded input, and every layer's state."""

    loud: Floats = field(default_factory=lambda: _zeros(1, 1, 2, BANDS))
    low: Floats = field(default_factory=lambda: _zeros(1, 2, 2, FILTERED))
    c0: Floats = field(default_factory=lambda: _zeros(1, 64, 4, FILTERED))
    states: dict[str, list[Floats]] = field(
        default_factory=lambda: {
            name: [_zeros(1, 1, WIDTH)] * layers for name, layers in zip(NAMES, (1, 2, 2), strict=True)
        }
    )


class Network:
    """The loaded networks. They keep nothing: what has to be remembered is in the Memory of whoever asks."""

    def __init__(self, sessions: dict[str, InferenceSession]) -> None:
        self._sessions = sessions

    def step(self, loud: Floats, low: Spectrum, memory: Memory) -> tuple[Floats, NDArray[np.complex64]]:
        """Gains (frames, BANDS) and filters (frames, FILTERED, ORDER), of the frame AHEAD before each."""
        memory.loud, loud_in = _after(memory.loud, loud[None, None], axis=2)
        parts = np.stack([low.real, low.imag])[None].astype(np.float32)
        memory.low, low_in = _after(memory.low, parts, axis=2)
        found = self._run("enc", {"feat_erb": loud_in, "feat_spec": low_in}, memory)
        memory.c0, c0_in = _after(memory.c0, found["c0"], axis=2)
        gains = self._run("erb_dec", {"emb": found["emb"], **{name: found[name] for name in SKIPS}}, memory)["m"]
        filters = self._run("df_dec", {"emb": found["emb"], "c0": c0_in}, memory)["coefs"]
        pairs = np.ascontiguousarray(filters[0]).reshape(-1, FILTERED, ORDER, 2)
        return gains[0, 0], pairs.view(np.complex64)[..., 0]

    def _run(self, name: str, inputs: dict[str, Any], memory: Memory) -> dict[str, Any]:
        states = {f"state_{number}": state for number, state in enumerate(memory.states[name])}
        session = self._sessions[name]
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(names, inputs | states), strict=True))
        memory.states[name] = [found[f"next_{number}"] for number in range(len(states))]
        return found


def _after(before: Floats, block: Floats, axis: int) -> tuple[Floats, Floats]:
    """As many of the last frames as there were before, and the block with those before it."""
    whole = np.concatenate([before, block], axis=axis)
    count = before.shape[axis]
    return np.take(whole, range(-count, 0), axis=axis), whole


def load(path: Path) -> Network:
    """The networks in a folder that InBlocks filled."""
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # it warns of layers that are left over from export
    return Network(
        {
            name: onnxruntime.InferenceSession(path / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
            for name in NAMES
        }
    )
