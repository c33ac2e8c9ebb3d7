"""Sound as files that say what they are: made by AI, by which model, and with which settings.

Tags are written where players look: the INFO list of a WAV file, the Vorbis comment of a FLAC file. The recipe is JSON
in the comment. libsndfile compresses; its own way of writing tags loses long ones.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from dataclasses import asdict
from typing import Literal

import numpy as np

from pipelines.errors import BadRequest
from pipelines.events import Audio, Recipe

SOFTWARE = "Polymuse"
MADE_BY_AI = "Made by AI (trainedAlgorithmicMedia)"  # IPTC's words for it, by which platforms recognise that
ENHANCED_BY_AI = "Enhanced by AI (algorithmicallyEnhanced)"
Format = Literal["wav", "flac"]

INFO = {"title": b"INAM", "software": b"ISFT", "comment": b"ICMT"}
VORBIS_COMMENT, LAST_BLOCK = 4, 0x80


def sound(audio: Audio, recipe: Recipe, kind: Format, title: str = MADE_BY_AI) -> bytes:
    """The sound as a 16-bit file of this kind that carries its recipe: the samples as they are, nothing lost."""
    tags = {"title": title, "software": SOFTWARE, "comment": json.dumps(asdict(recipe), ensure_ascii=False)}
    return _wav(audio, tags) if kind == "wav" else _flac(audio, tags)


def read(data: bytes) -> Recipe:
    """The recipe in a file that we wrote. Raises BadRequest where there is none."""
    try:
        comment = _flac_comment(data) if data.startswith(b"fLaC") else _wav_comment(data)
        return Recipe(**json.loads(comment))
    except (ValueError, TypeError, LookupError, struct.error):
        raise BadRequest("This file carries no settings of Polymuse. Choose a sound that was made here.") from None


def _wav(audio: Audio, tags: dict[str, str]) -> bytes:
    """Put together at once: an hour is 170 MB, and the wave module would copy it four times."""
    samples = np.ascontiguousarray(audio.samples, "<i2")
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    head = struct.pack("<HHIIHH", 1, channels, audio.rate, 2 * channels * audio.rate, 2 * channels, 16)
    info = b"INFO" + b"".join(_chunk(INFO[name], text.encode() + b"\0") for name, text in tags.items())
    before = b"WAVE" + _chunk(b"fmt ", head) + b"data" + struct.pack("<I", samples.nbytes)
    after = _chunk(b"LIST", info)
    size = struct.pack("<I", len(before) + samples.nbytes + len(after))
    return b"".join([b"RIFF", size, before, samples.data.cast("B"), after])


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _wav_comment(data: bytes) -> str:
    info = dict(_chunks(dict(_chunks(data[12:]))[b"LIST"][4:]))
    return info[INFO["comment"]].rstrip(b"\0").decode()


def _flac(audio: Audio, tags: dict[str, str]) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, audio.samples, audio.rate, "PCM_16", format="FLAC")
    blocks, frames = _blocks(buffer.getvalue())
    comment = _field(SOFTWARE.encode()) + struct.pack("<I", len(tags))
    comment += b"".join(_field(f"{name.upper()}={text}".encode()) for name, text in tags.items())
    kept = [(kind, block) for kind, block in blocks if kind != VORBIS_COMMENT]
    written = [kept[0], (VORBIS_COMMENT, comment), *kept[1:]]  # the stream's own facts come first
    heads = [kind | LAST_BLOCK * (number == len(written)) for number, (kind, _) in enumerate(written, 1)]
    return b"fLaC" + b"".join(
        bytes([head]) + len(block).to_bytes(3, "big") + block
        for head, (_, block) in zip(heads, written, strict=True)
    ) + frames  # fmt: skip


def _field(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def _blocks(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The metadata blocks of a FLAC file, by their kinds, and what comes after them."""
    blocks: list[tuple[int, bytes]] = []
    at, last = 4, False
    while not last:
        last, kind = bool(data[at] & LAST_BLOCK), data[at] & ~LAST_BLOCK
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        blocks.append((kind, data[at + 4 : at + 4 + size]))
        at += 4 + size
    return blocks, data[at:]


def _flac_comment(data: bytes) -> str:
    block = dict(_blocks(data)[0])[VORBIS_COMMENT]
    (vendor,) = struct.unpack_from("<I", block)
    (count,) = struct.unpack_from("<I", block, 4 + vendor)
    at = 8 + vendor
    for _ in range(count):
        (size,) = struct.unpack_from("<I", block, at)
        name, _, text = block[at + 4 : at + 4 + size].decode().partition("=")
        if name == "COMMENT":
            return text
        at += 4 + size
    raise LookupError("there is no comment")
