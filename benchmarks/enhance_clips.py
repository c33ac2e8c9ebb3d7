"""Noisy speech to be made clean: our own voices, and noises like those that recordings have, from fixed seeds.

The noises are made by rule, since recordings of them would have to be fetched: babble is five other voices at once,
hum the mains and its overtones, hiss is pink, keys are short bursts in pairs, and traffic is a rumble with cars that
pass.

    python -m benchmarks.enhance_clips assets/enhance-example.flac     # what the tab offers to try
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from pipelines import speech
from pipelines.device import detect
from pipelines.speech_catalog import speech_models
from pipelines.speech_request import SpeechRequest
from pipelines.weights import Store

RATE = 48_000
LEVEL = 0.05  # of the speech, root mean square: peaks stay below full scale with any noise
SPOKEN = {
    "af_heart": "The lamp began to turn again, slowly, as if it were waking up. Nobody in the village said a word.",
    "am_michael": "Every window along the harbour had a face in it. In the morning the door stood open.",
    "bf_emma": "Somebody had lit the stove, swept the stairs, and left a letter on the table for whoever came first.",
}
BABBLE = {  # other voices than these, some with an accent
    "af_bella": "I told him twice that the train leaves at nine, and he still went back for his umbrella.",
    "bm_george": "We could paint the kitchen yellow, or leave it as it is and spend the money on a boat instead.",
    "ef_dora": "She never answers before noon; you have to send a message and then wait until the afternoon.",
    "pm_alex": "The soup needs salt, the bread needs butter, and I need ten minutes without a question.",
    "ff_siwis": "They found the key under the mat, of course, where everybody in the street knew that it was.",
}

EXAMPLE_VOICE, EXAMPLE_RATE, EXAMPLE_LEVEL, EXAMPLE_DB = "bf_emma", 24_000, 0.02, 8.0
EXAMPLE = "This was recorded at home: the computer hums, somebody types, and there is a road. You should hear only me."

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Clip:
    """Speech with noise, and without."""

    voice: str
    noise: str
    ratio: float  # of speech to noise, in dB
    clean: Samples
    noisy: Samples


def clips(ratios: tuple[float, ...]) -> list[Clip]:
    """Each voice in each noise at each of these ratios."""
    say = _speaker()
    voices = {voice: _at(say(voice, text), LEVEL) for voice, text in SPOKEN.items()}
    babble = [say(voice, text) for voice, text in BABBLE.items()]
    noises: dict[str, Callable[[int, np.random.Generator], Samples]] = {
        "babble": lambda count, random: _babble(babble, count, random),
        "hum": hum,
        "hiss": hiss,
        "keys": keys,
        "traffic": traffic,
    }
    found = []
    for number, (voice, clean) in enumerate(voices.items()):
        for place, (name, make) in enumerate(noises.items()):
            noise = _at(make(len(clean), np.random.default_rng([number, place])), LEVEL)
            found += [Clip(voice, name, ratio, clean, clean + noise * 10 ** (-ratio / 20)) for ratio in ratios]
    return found


def hum(count: int, random: np.random.Generator) -> Samples:
    """50 Hz and what comes with it."""
    time = np.arange(count) / RATE
    tones = [
        np.sin(2 * np.pi * 50 * over * time + random.uniform(0, 2 * np.pi)) / over**0.8
        for over in (1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 17, 21)
    ]
    return np.sum(tones, axis=0) + 0.05 * hiss(count, random)


def hiss(count: int, random: np.random.Generator) -> Samples:
    """Pink noise: as strong in each octave."""
    return _coloured(count, random, 0.5)


def keys(count: int, random: np.random.Generator) -> Samples:
    """Somebody types: each key is heard going down and coming up."""
    sound = 0.02 * hiss(count, random)
    at = 0.0
    while (at := at + random.gamma(4, 0.045)) < count / RATE - 0.2:
        for delay, strength in ((0.0, 1.0), (random.uniform(0.06, 0.11), 0.45)):
            length = int(RATE * random.uniform(0.012, 0.03))
            burst = np.diff(random.normal(size=length + 1)) * np.exp(-6 * np.arange(length) / length)
            ring = np.sin(2 * np.pi * random.uniform(900, 2800) * np.arange(length) / RATE)
            start = int((at + delay) * RATE)
            sound[start : start + length] += strength * random.uniform(0.5, 1) * burst * (1 + ring)
    return sound


def traffic(count: int, random: np.random.Generator) -> Samples:
    """A rumble that never stops, and cars that come and go."""
    rumble, tyres = _coloured(count, random, 1.0), _coloured(count, random, 0.4)
    time = np.arange(count) / RATE
    passing = sum(
        np.exp(-np.square((time - random.uniform(0, count / RATE)) / random.uniform(0.5, 1.2))) for _ in range(3)
    )
    return _at(rumble, 1.0) + 0.6 * passing * _at(tyres, 1.0)


def _babble(voices: list[Samples], count: int, random: np.random.Generator) -> Samples:
    """All of them talk at once, each from somewhere else in what they say."""
    together = [np.roll(np.resize(_at(voice, 1.0), count), int(random.integers(count))) for voice in voices]
    return np.sum(together, axis=0)


def _coloured(count: int, random: np.random.Generator, slope: float) -> Samples:
    """Noise whose amplitude falls with frequency to the power of `slope`, down to 20 Hz."""
    spectrum = np.fft.rfft(random.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    return np.asarray(np.fft.irfft(spectrum / np.maximum(hertz, 20) ** slope * (hertz > 15), count))


def _at(sound: Samples, level: float) -> Samples:
    """With this root mean square."""
    return sound * (level / np.sqrt(np.square(sound).mean()))


def _speaker() -> Callable[[str, str], Samples]:
    """Speaks with Kokoro, at RATE."""
    from scipy.signal import resample_poly

    (model, *_) = speech_models(detect("cpu"))
    pipeline = speech.load(Store().fetch(model.weights, lambda update: None).path)
    shared = gcd(RATE, speech.RATE)

    def say(voice: str, text: str) -> Samples:
        audio = pipeline.run(SpeechRequest(text=text, voice=voice, language="en-us"), lambda update: None)
        return np.asarray(resample_poly(audio.samples / 32768, RATE // shared, speech.RATE // shared))

    return say


def example() -> Samples:
    """A quiet recording from a room with a road, a computer and somebody who types."""
    clean = _at(_speaker()(EXAMPLE_VOICE, EXAMPLE), EXAMPLE_LEVEL)
    random = np.random.default_rng(3)
    shares = {hum: 1.0, keys: 0.7, traffic: 0.7}
    noises = [share * _at(make(len(clean), random), 1.0) for make, share in shares.items()]
    return clean + _at(np.sum(noises, axis=0), EXAMPLE_LEVEL * 10 ** (-EXAMPLE_DB / 20))


if __name__ == "__main__":
    import soundfile
    from scipy.signal import resample_poly

    soundfile.write(sys.argv[1], resample_poly(example(), EXAMPLE_RATE, RATE), EXAMPLE_RATE, "PCM_16")
