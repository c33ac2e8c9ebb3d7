"""Who speaks, as 256 numbers: resemblyzer's speaker encoder, a small recurrent network over a mel spectrogram.

Recordings of one person lie close together, whatever is said; how close is the cosine of the angle between them. It is
computed as resemblyzer does, but for the silence, which is found by its level here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from transformers.audio_utils import mel_filter_bank

from pipelines.sound_in import resampled

RATE = 16_000
WINDOW, STEP, MELS, SIZE, LAYERS = 400, 160, 40, 256, 3
FRAMES, EVERY = 160, 77  # what the network hears at a time, and how much later it listens next
LEVEL = 10 ** (-30 / 20)  # quiet recordings are made as loud as that
SILENT_DB, SILENCE_S = -40.0, 0.03

Floats = NDArray[np.float32]


class SpeakerEncoder:
    """A loaded encoder."""

    def __init__(self, lstm: torch.nn.LSTM, linear: torch.nn.Linear) -> None:
        self._lstm = lstm
        self._linear = linear
        filters = mel_filter_bank(WINDOW // 2 + 1, MELS, 0, RATE / 2, RATE, norm="slaney", mel_scale="slaney")
        self._filters = torch.from_numpy(filters).float()

    @torch.inference_mode()
    def embed(self, samples: Floats, rate: int, tick: Callable[[], None] = lambda: None) -> Floats:
        """The speaker of this sound, in one channel; of length 1. `tick` is called now and then."""
        sound = _voiced(resampled(samples, rate, RATE))
        sound = sound * max(1.0, LEVEL / float(np.sqrt(np.square(sound).mean()) + 1e-9))
        short = max(0, FRAMES * STEP - len(sound))
        wave = torch.from_numpy(np.pad(sound, (0, short)).astype(np.float32))
        spectrum = torch.stft(
            wave, WINDOW, STEP, window=torch.hann_window(WINDOW), pad_mode="constant", return_complex=True
        )
        mels = (spectrum.abs().square().T @ self._filters).unfold(0, FRAMES, EVERY).transpose(1, 2)
        heard = []
        for part in mels:
            tick()
            _, (hidden, _) = self._lstm(part[None])
            one = torch.relu(self._linear(hidden[-1]))[0]
            heard.append(one / one.norm())
        mean = torch.stack(heard).mean(0)
        return np.asarray((mean / mean.norm()).numpy(), np.float32)


def load(path: Path) -> SpeakerEncoder:
    """The encoder from a folder with speaker.safetensors."""
    state = load_file(path / "speaker.safetensors")
    lstm, linear = torch.nn.LSTM(MELS, SIZE, LAYERS, batch_first=True), torch.nn.Linear(SIZE, SIZE)
    lstm.load_state_dict({name.removeprefix("lstm."): value for name, value in state.items() if "lstm." in name})
    linear.load_state_dict({name.removeprefix("linear."): value for name, value in state.items() if "linear." in name})
    return SpeakerEncoder(lstm.eval(), linear.eval())


def _voiced(sound: Floats) -> Floats:
    """The sound without what is silent in it; all of it where nothing is."""
    frame = int(RATE * SILENCE_S)
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    power = np.square(frames).mean(axis=1)
    loud = power > power.max(initial=0) * 10 ** (SILENT_DB / 10)
    return np.asarray(frames[loud].ravel() if loud.any() else sound, np.float32)
