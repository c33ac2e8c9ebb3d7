"""Sound files keep every sample, say that AI made them, and carry their recipe however long it is."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
import soundfile

from pipelines import sound_file
from pipelines.errors import BadRequest
from pipelines.events import Audio, Recipe
from pipelines.sound_file import MADE_BY_AI, Format

TONE = (np.sin(np.arange(24_001) / 9) * 9_999).astype(np.int16)
RECIPE = Recipe("kokoro-82m", "r1", 3, {"text": "Hé “hello” 日本\n" * 2_000, "speed": 1.5}, {"numpy": "2"})
KINDS: tuple[Format, ...] = ("wav", "flac")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [TONE, np.stack([TONE, -TONE], axis=1)], ids=["mono", "stereo"])
def test_a_file_has_every_sample_and_its_recipe(kind: Format, samples: np.ndarray) -> None:  # type: ignore[type-arg]
    data = sound_file.sound(Audio(samples, 24_000), RECIPE, kind)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert file.samplerate == 24_000 and file.title == MADE_BY_AI
        assert np.array_equal(file.read(dtype="int16"), samples)
    assert sound_file.read(data) == RECIPE
    assert sound_file.sound(Audio(samples, 24_000), RECIPE, kind) == data


def test_a_wav_file_is_read_by_others_too() -> None:
    with wave.open(io.BytesIO(sound_file.sound(Audio(TONE, 8_000), RECIPE, "wav"))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8_000)
        assert file.readframes(30_000) == TONE.tobytes()


@pytest.mark.parametrize("data", [b"", b"fLaC", b"RIFF", b"hello", b"RIFF\0\0\0\0WAVELIST\4\0\0\0INFO"])
def test_a_file_without_a_recipe_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match="no settings of Polymuse"):
        sound_file.read(data)


def test_a_recipe_that_is_cut_off_is_refused() -> None:
    data = sound_file.sound(Audio(TONE[:50], 8_000), RECIPE, "wav")
    for end in range(0, len(data) - 1, 997):
        with pytest.raises(BadRequest):
            sound_file.read(data[:end])
