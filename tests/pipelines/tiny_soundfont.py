"""A soundfont of one sine wave that all 128 instruments share: small, ours, and whole as the synthesiser wants it."""

from __future__ import annotations

import struct

import numpy as np

RATE = 22_050
PERIOD = 50  # samples of one wave
ROOT = 69  # the key at which it is played as it is: 441 Hz
LENGTH = 40 * PERIOD

SAMPLE_MODES, SAMPLE, INSTRUMENT, RELEASE = 54, 53, 41, 38


def soundfont() -> bytes:
    """The bytes of an .sf2 file."""
    wave = (np.sin(np.arange(LENGTH) * 2 * np.pi / PERIOD) * 12_000).astype("<i2").tobytes() + bytes(46 * 2)
    presets = [_preset(f"P{number}", number, number) for number in range(128)] + [_preset("EOP", 0, 128)]
    hydra = {
        b"phdr": b"".join(presets),
        b"pbag": b"".join(struct.pack("<HH", number, 0) for number in range(129)),
        b"pmod": bytes(10),
        b"pgen": struct.pack("<HH", INSTRUMENT, 0) * 128 + bytes(4),
        b"inst": struct.pack("<20sH", b"Sine", 0) + struct.pack("<20sH", b"EOI", 1),
        b"ibag": struct.pack("<HHHH", 0, 0, 3, 0),
        b"imod": bytes(10),
        b"igen": struct.pack("<HhHHHH", RELEASE, -2400, SAMPLE_MODES, 1, SAMPLE, 0) + bytes(4),
        b"shdr": struct.pack("<20sIIIIIBbHH", b"Sine", 0, LENGTH, PERIOD, LENGTH - PERIOD, RATE, ROOT, 0, 0, 1)
        + struct.pack("<20s26x", b"EOS"),
    }
    info = _chunk(b"ifil", struct.pack("<HH", 2, 1)) + _chunk(b"isng", b"EMU8000\0") + _chunk(b"INAM", b"Tiny\0\0")
    body = b"sfbk" + _list(b"INFO", info) + _list(b"sdta", _chunk(b"smpl", wave))
    body += _list(b"pdta", b"".join(_chunk(name, content) for name, content in hydra.items()))
    return _chunk(b"RIFF", body)


def _preset(name: str, number: int, bag: int) -> bytes:
    return struct.pack("<20sHHHIII", name.encode(), number, 0, bag, 0, 0, 0)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def _list(name: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", name + content)
