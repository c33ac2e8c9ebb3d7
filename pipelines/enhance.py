"""Recordings made clean: noise out, tone and loudness put right, and everything needed to compare with before.

Noise goes block by block, a second at a time, and the picture of the sound clears from left to right meanwhile. Only
when all of it is known can it be made as loud as was asked for, so the sound itself streams at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines import enhance_network, enhance_tone, loudness, sound_in, spectrogram
from pipelines.enhance_bands import HOP, SIZE, WIDTHS
from pipelines.enhance_denoise import BLOCK, LATE, Stream
from pipelines.enhance_network import AHEAD, Network
from pipelines.enhance_request import READING, EnhanceRequest
from pipelines.errors import BadRequest
from pipelines.events import Emit, Enhanced, Preview, Progress, Sound
from pipelines.sound_in import MOST_SECONDS, RATE, Floats, Recording

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEWS = 24  # pictures on the way, at most: each is painted again whole
SHAPING = Progress(label="Evening out the sound")
NOTHING_LEFT = -60.0  # LUFS: what is left after noise removal is no voice
QUIETEST = -70.0  # LUFS: what is quieter counts as this


class EnhancePipeline:
    """A loaded model."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def run(self, request: EnhanceRequest, emit: Emit) -> Enhanced:
        """Make the recording clean. Emits Previews of it meanwhile, then the sound; joined, that is the result.

        Raises BadRequest where the file holds no sound that can be used.
        """
        assert request.audio is not None  # or the request would have been refused
        emit(Progress(label=READING))
        recording = sound_in.read(request.audio, seconds=request.seconds or MOST_SECONDS)
        before = recording.samples

        def tick() -> None:
            emit(SHAPING)

        tone = request.tone
        after, mask = self._cleaned(before, tone.denoise, emit)
        if tone.denoise and loudness.measured(after, tick) < NOTHING_LEFT:
            raise BadRequest("Only noise was found in this recording. Turn the noise removal down to keep some of it.")
        enhance_tone.shape(after, tone, tick)
        reached, peak = loudness.make(after, request.loudness, tick)
        was = loudness.measured(before, tick)
        loudness.make(before, max(QUIETEST, reached), tick)
        samples = pcm(after)
        for start in range(0, len(samples), RATE):
            emit(Sound(samples[start : start + RATE], RATE))
        return Enhanced(
            samples,
            RATE,
            before=pcm(before),
            was=max(QUIETEST, was),
            loudness=max(QUIETEST, reached),
            peak=peak,
            pictures=_pictures(before, after, mask),
            remarks=tuple(_remarks(recording, request, reached)),
            settings=tone.settings(),
        )

    def _cleaned(self, noisy: Floats, amount: float, emit: Emit) -> tuple[Floats, Floats | None]:
        """The sound without so much of its noise, and the gains of each frame and band; None if nothing was done."""
        if not amount:
            return noisy.copy(), None
        streams = [Stream(self._network, amount) for _ in range(noisy.shape[1])]
        blocks = -(-(len(noisy) + LATE) // BLOCK)
        clean = np.empty((blocks * BLOCK, noisy.shape[1]), np.float32)
        masks = []
        sketch = _Sketch(noisy, blocks, emit)
        for number in range(blocks):
            for channel, stream in enumerate(streams):
                emit(Progress(number, blocks, "Removing noise"))
                here = slice(number * BLOCK, (number + 1) * BLOCK)
                block = noisy[here, channel]
                clean[here, channel], gains = stream(np.pad(block, (0, BLOCK - len(block))))
                if channel == 0:
                    masks.append(gains)
            sketch.show(clean[LATE:], (number + 1) * BLOCK - LATE, number + 1)
        return clean[LATE:][: len(noisy)], np.concatenate(masks)[AHEAD:]


class _Sketch:
    """The picture of a sound that becomes clean, from left to right."""

    def __init__(self, noisy: Floats, blocks: int, emit: Emit) -> None:
        self._length = len(noisy)
        self._count = spectrogram.columns(self._length)
        self._levels = spectrogram.levels(noisy, self._count)
        self._loudest = float(self._levels.max())
        self._noisy = spectrogram.picture(self._levels, self._loudest)
        self._done = 0  # columns
        self._each = max(1, blocks // PREVIEWS)
        self._blocks = blocks
        self._emit = emit

    def show(self, clean: Floats, known: int, block: int) -> None:
        """So many samples are clean, after this block."""
        reached = min(known, self._length) * self._count // self._length
        if block % self._each or reached <= self._done:
            return
        begin, end = (at * self._length // self._count for at in (self._done, reached))
        self._levels[:, self._done : reached] = spectrogram.levels(clean[begin:end], reached - self._done)
        self._done = reached
        image = spectrogram.picture(self._levels, self._loudest)
        self._emit(Preview(image, block, self._blocks, self._noisy))


def pcm(samples: Floats) -> NDArray[np.int16]:
    """As 16-bit samples, (n,) where there is one channel."""
    whole: NDArray[np.int16] = np.empty(samples.shape, np.int16)
    for start in range(0, len(samples), RATE):
        stretch = slice(start, start + RATE)
        whole[stretch] = np.round(np.clip(samples[stretch], -1, 1) * 32767)
    return whole[:, 0] if whole.shape[1] == 1 else whole


def _pictures(before: Floats, after: Floats, mask: Floats | None) -> dict[str, Image]:
    """Spectrograms on the same scale, and the mask, on the same axes."""
    count = spectrogram.columns(len(before))
    levels = {"before": spectrogram.levels(before, count), "after": spectrogram.levels(after, count)}
    loudest = max(float(each.max()) for each in levels.values())
    pictures = {name: spectrogram.picture(each, loudest) for name, each in levels.items()}
    if mask is not None:
        ends = np.cumsum(WIDTHS) * RATE // SIZE
        pictures["mask"] = spectrogram.gains(mask[: -(-len(before) // HOP)], ends, count)
    return pictures


def _remarks(recording: Recording, request: EnhanceRequest, reached: float) -> Iterator[str]:
    """What somebody should know of the result, in sentences."""
    if recording.clipped:
        yield "The recording was too loud for its microphone: its peaks are cut off, and that cannot be undone."
    if request.loudness and abs(reached - request.loudness) > 0.5:
        yield f"It could only be brought to {reached:.1f} LUFS without cutting its peaks off."


def load(path: Path) -> EnhancePipeline:
    """DeepFilterNet from a folder with its three networks."""
    return EnhancePipeline(enhance_network.load(path))
