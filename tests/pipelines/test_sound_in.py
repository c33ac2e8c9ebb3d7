"""Sound that people send: whatever the file, floats at 48 kHz or a sentence that says why not."""

from __future__ import annotations

import io
import struct
import wave
from typing import Any

import numpy as np
import pytest
import soundfile

from pipelines import sound_in
from pipelines.errors import BadRequest
from pipelines.sound_in import MOST_SECONDS, RATE

Array = np.ndarray[Any, Any]


def tone(rate: int = RATE, seconds: float = 1.0, channels: int = 1, hertz: float = 440.0) -> Array:
    one = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)
    return np.stack([one * (1 - 0.5 * channel) for channel in range(channels)], axis=1)


def saved(sound: Array, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, subtype, format=kind)
    return file.getvalue()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_depth_gives_the_same_sound(subtype: str) -> None:
    read = sound_in.read(saved(tone(), subtype=subtype)).samples
    assert read.dtype == np.float32 and np.abs(read - tone()).max() < (0.01 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_usual_files_are_read(kind: str) -> None:
    read = sound_in.read(saved(tone(seconds=2), kind=kind)).samples
    assert abs(len(read) - 2 * RATE) < 0.1 * RATE
    middle = read[RATE // 2 : RATE, 0]
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_keeps_pitch_and_length(rate: int) -> None:
    read = sound_in.read(saved(tone(rate), rate)).samples
    assert len(read) == RATE
    inside = slice(RATE // 10, -RATE // 10)
    assert np.abs(read[inside] - tone()[inside]).max() < 0.01


def test_stereo_stays_and_two_channels_that_are_the_same_become_one() -> None:
    assert sound_in.read(saved(tone(channels=2))).samples.shape == (RATE, 2)
    assert sound_in.read(saved(np.repeat(tone(), 2, axis=1))).samples.shape == (RATE, 1)


def test_only_the_first_seconds_are_read_if_no_more_are_wanted() -> None:
    data = saved(tone(seconds=3))
    assert np.array_equal(sound_in.read(data, seconds=1).samples, sound_in.read(data).samples[:RATE])


def test_what_is_no_number_is_silence_and_what_is_beyond_full_scale_is_turned_down() -> None:
    sound = 8 * tone()
    sound[1000:1003] = [[np.nan], [np.inf], [-np.inf]]
    read = sound_in.read(saved(sound, subtype="FLOAT")).samples
    assert np.isfinite(read).all() and not read[1000:1003].any()
    assert np.abs(read).max() == pytest.approx(1) and read[5000, 0] == pytest.approx(2 * tone()[5000, 0], rel=1e-4)


def test_clipping_is_noticed_and_only_that() -> None:
    assert sound_in.read(saved(np.clip(4 * tone(), -0.9, 0.9))).clipped > 0.1
    random = np.random.default_rng(0)
    for sound in (tone(), random.normal(0, 0.1, (RATE, 1)).clip(-1, 1), tone(hertz=50)):
        assert sound_in.read(saved(sound)).clipped == 0


@pytest.mark.parametrize(
    ("sound", "rate", "says"),
    [
        (np.zeros((RATE, 1)), RATE, "silent"),
        (tone(seconds=0.2), RATE, "shorter"),
        (tone(4_000), 4_000, "4,000 samples a second"),
        (np.zeros((400, 6)), RATE, "6 channels"),
        (np.zeros((8_000 * (MOST_SECONDS + 1), 1)), 8_000, "longer than 10 minutes"),
    ],
    ids=["silence", "short", "low rate", "surround", "long"],
)
def test_what_cannot_be_used_is_refused_with_the_reason(sound: Array, rate: int, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        sound_in.read(saved(sound, rate))


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"RIFF", b"fLaC", b"OggS" * 9, b"ID3" + bytes(99), b"\x89PNG\r\n\x1a\n" + bytes(99), b"%PDF-1.7"],
)
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match=r"not a sound that can be read|no sound that can be read"):
        sound_in.read(data)


@pytest.mark.parametrize(("data", "kind"), [(bytes(4) + b"ftypM4A " + bytes(20), "M4A"), (b"\x1aE\xdf\xa3", "WebM")])
def test_files_of_phones_and_browsers_are_named(data: bytes, kind: str) -> None:
    with pytest.raises(BadRequest, match=f"is {kind}, which cannot be read. Save it as WAV"):
        sound_in.check(data)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(BadRequest, match="larger than 32 MiB"):
        sound_in.check(b"RIFF" + bytes(sound_in.MOST_BYTES))


def test_formats_that_nobody_sends_are_refused() -> None:
    with pytest.raises(BadRequest):
        sound_in.read(saved(tone(), kind="AU"))


def test_a_header_that_announces_days_of_sound_fills_no_memory() -> None:
    flac = bytearray(saved(tone(), kind="FLAC"))
    flac[21] |= 0x0F  # the highest bits of its length
    with pytest.raises(BadRequest, match="longer than 10 minutes"):
        sound_in.read(bytes(flac))
    wav = bytearray(saved(tone()))
    wav[40:44] = struct.pack("<I", 0xFFFFFFFE)  # as programs do that write to a pipe
    assert len(sound_in.read(bytes(wav)).samples) == RATE


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("part", [0.01, 0.4, 0.8])
def test_of_a_file_that_is_cut_off_there_is_what_there_is(kind: str, part: float) -> None:
    random = np.random.default_rng(0)
    whole = saved(tone(seconds=4) + random.normal(0, 0.05, (4 * RATE, 1)), kind=kind)
    try:
        read = sound_in.read(whole[: int(len(whole) * part)]).samples
    except BadRequest:
        return
    assert RATE * sound_in.LEAST_SECONDS <= len(read) <= 4.1 * RATE and np.isfinite(read).all()


def test_half_a_wav_file_is_half_a_recording() -> None:
    whole = saved(tone(seconds=2))
    assert len(sound_in.read(whole[: len(whole) // 2]).samples) == pytest.approx(RATE, abs=100)


def test_damage_anywhere_ends_in_sound_or_a_sentence() -> None:
    """Never in another exception."""
    random = np.random.default_rng(1)
    for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF"):
        whole = saved(tone(), kind=kind)
        for _ in range(25):
            bent = bytearray(whole)
            for place in random.integers(0, min(len(bent), 600), 4):
                bent[place] = random.integers(0, 256)
            try:
                read = sound_in.read(bytes(bent)).samples
            except BadRequest:
                continue
            assert np.isfinite(read).all() and np.abs(read).max() <= 1.5


def test_a_wave_file_by_pythons_own_module_is_read() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(3)
        writer.setframerate(44_100)
        writer.writeframes(b"\0\0\x20" * 2 * 44_100)
    assert sound_in.read(file.getvalue()).samples.shape == (RATE, 1)
