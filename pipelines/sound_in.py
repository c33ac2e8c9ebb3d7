"""Sound that people send, made safe and plain: any usual file becomes floats at 48 kHz, in one channel or two.

What cannot be read, or would fill the memory when it is, is refused with a reason. A file that is cut off gives what
there is of it: half a recording is worth having. Nothing is believed that a header says about the length.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadRequest

if TYPE_CHECKING:
    from soundfile import SoundFile

RATE = 48_000
MOST_BYTES = 32 * 2**20
MOST_SECONDS, LEAST_SECONDS = 600, 0.5
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
FORMATS = "WAV, FLAC, OGG, MP3 or AIFF"
KINDS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF"}  # of libsndfile's; it knows many that nobody sends
BEGINNINGS = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa")
ELSEWHERE = {b"ftyp": "M4A", b"\x1aE\xdf\xa3": "WebM"}  # what phones and browsers also make, and we do not read
READ = 65_536  # frames at a time
SILENT = 1e-4  # -80 dB of full scale: no microphone is as quiet
FULL, FLAT = 0.999, 0.2  # of its loudest; a recording that has peaks as flat as that has been clipped

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recording:
    """Sound at RATE, shape (samples, 1 or 2), within -1 to 1. `clipped` is the share of it that is cut off flat."""

    samples: Floats
    clipped: float = 0.0


def read(data: bytes, name: str = "audio", seconds: float = MOST_SECONDS) -> Recording:
    """The sound in a file's bytes, or its first seconds. Two channels that are the same become one."""
    with _opened(data, name) as file:
        rate = file.samplerate
        samples = _samples(file, min(seconds, MOST_SECONDS), name)
    if len(samples) < LEAST_SECONDS * rate:
        raise BadRequest(f"“{name}” is shorter than {LEAST_SECONDS} s. Send a longer recording.")
    np.nan_to_num(samples, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    peak = _peak(samples)
    if peak < SILENT:
        raise BadRequest(f"“{name}” is silent: nothing in it is louder than -80 dB. Check the microphone.")
    if peak > 1:  # numbers beyond full scale: floats can go there, and how loud it was is of no matter
        samples /= peak
    if samples.shape[1] == 2 and np.array_equal(samples[:, 0], samples[:, 1]):
        samples = samples[:, :1]
    return Recording(resampled(samples, rate, RATE), _clipped(samples))


def read_speech(data: bytes, name: str, least: int, most: int) -> Recording:
    """Speech in a file's bytes, which must have so many seconds."""
    recording = read(data, name, most + 1)
    seconds = len(recording.samples) / RATE
    if not least <= seconds <= most:
        wrong = f"is longer than {most} s" if seconds > most else f"has {seconds:.1f} s"
        raise BadRequest(f"The recording {wrong}. Send {least} to {most} s of speech.")
    return recording


def check(data: bytes, name: str = "audio") -> None:
    """Raise BadRequest unless this begins like a sound of a kind and length that we take; unpacks nothing."""
    _opened(data, name).close()


def resampled(samples: Floats, rate: int, to: int) -> Floats:
    """The same sound with so many samples a second."""
    if rate == to:
        return samples
    from scipy.signal import resample_poly

    shared = gcd(rate, to)
    return np.asarray(resample_poly(samples, to // shared, rate // shared, axis=0), np.float32)


def _opened(data: bytes, name: str) -> SoundFile:
    import soundfile

    if len(data) > MOST_BYTES:
        raise BadRequest(f"“{name}” is larger than {MOST_BYTES // 2**20} MiB. Send a smaller file, FLAC or MP3.")
    for mark, kind in ELSEWHERE.items():
        if mark in data[:12]:
            raise BadRequest(f"“{name}” is {kind}, which cannot be read. Save it as {FORMATS}.")
    try:
        if not data.startswith(BEGINNINGS):
            raise ValueError("nothing that we take")
        file: Any = soundfile.SoundFile(io.BytesIO(data))
    except (RuntimeError, ValueError, TypeError, OSError):
        raise BadRequest(f"“{name}” is not a sound that can be read. Send {FORMATS}.") from None
    try:
        _refuse(file, name)
    except BadRequest:
        file.close()
        raise
    return file


def _refuse(file: SoundFile, name: str) -> None:
    if file.format not in KINDS:
        raise BadRequest(f"“{name}” is {file.format}, which is not taken. Save it as {FORMATS}.")
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        raise BadRequest(
            f"“{name}” has {file.samplerate:,} samples a second; from {LOWEST_RATE:,} to {HIGHEST_RATE:,} are taken."
        )
    if file.channels > 2:
        raise BadRequest(f"“{name}” has {file.channels} channels. Send it in mono or stereo.")
    if file.frames > MOST_SECONDS * file.samplerate:
        raise _too_long(name)


def _samples(file: SoundFile, seconds: float, name: str) -> Floats:
    """What can be read, up to so many seconds: piece by piece, since a header can announce more than memory holds."""
    most = int(seconds * file.samplerate)
    pieces: list[Floats] = []
    count = 0
    while count < most:
        try:
            piece = file.read(min(READ, most - count), dtype="float32", always_2d=True)
        except (RuntimeError, ValueError):  # damaged from here on
            break
        if not len(piece):
            break
        pieces.append(piece)
        count += len(piece)
    if seconds == MOST_SECONDS and count == most and len(file.read(1)):
        raise _too_long(name)
    if not pieces:
        raise BadRequest(f"“{name}” holds no sound that can be read: it is empty, cut off or damaged.")
    return np.concatenate(pieces)


def _too_long(name: str) -> BadRequest:
    return BadRequest(f"“{name}” is longer than {MOST_SECONDS // 60} minutes. Cut it into parts.")


def _clipped(samples: Floats) -> float:
    """The share of samples that lie flat at the top, side by side; 0 where that is no more than chance."""
    top, highs, flats = FULL * _peak(samples), 0, 0
    for start in range(0, len(samples), READ):
        some = samples[start : start + READ]
        high = np.abs(some) >= top
        highs += int(high.sum())
        flats += int((high[1:] & high[:-1] & (some[1:] == some[:-1])).sum())
    return flats / samples.size if flats > max(FLAT * highs, 1e-5 * samples.size) else 0.0


def _peak(samples: Floats) -> float:
    return max(float(samples.max()), -float(samples.min()))
