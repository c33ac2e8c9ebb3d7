"""The music models there are, as data: where their weights come from and what they hold in memory."""

from __future__ import annotations

from pathlib import Path

from pipelines.device import Device
from pipelines.music_request import BUILT_IN, MusicRequest
from pipelines.spec import ModelSpec, Pipeline
from pipelines.weights import MINILM, Bundled, Hub, Local, Together, Wheel

COMPOSER = Bundled("music")
COMPOSER_AND_ENCODER, PIECE = 165_000_000, 110_000_000

SOUNDFONT = Wheel(
    "pretty-midi",
    "0.2.11.post0",
    "a3e2321736245a9c92259716d85a4762f16b7bde2f591fb0dba95bdb6e793d8a",
    members=("pretty_midi/TimGM6mb.sf2",),
    size=5_597_222,
    unpacked=6_000_000,
)
"""TimGM6mb by Tim Brechbill: all General MIDI instruments in 6 MB; under GPL-2.0, fetched and never shipped by us."""


def music_models(device: Device) -> list[ModelSpec[MusicRequest]]:
    """The built-in music model."""
    return [
        music_model(
            SOUNDFONT,
            id=BUILT_IN,
            title="Polymuse composer",
            licence="Apache-2.0; soundfont GPL-2.0",
            card="Built in, for any machine. Chorales in four voices, and eight kinds of tunes to dance and sing.",
        )
    ]


def music_model(
    soundfont: Wheel | Hub | Local,
    *,
    id: str,
    title: str,
    licence: str,
    card: str,
) -> ModelSpec[MusicRequest]:
    """The built-in composer, played with this soundfont: a file, or the one in a folder."""
    size = _size(soundfont)
    return ModelSpec(
        id=id,
        title=title,
        modality="music",
        family="autoregressive",
        request=MusicRequest,
        weights=Together((("model", COMPOSER), ("sentences", MINILM), ("soundfont", soundfont))),
        resident=COMPOSER_AND_ENCODER + size,
        working=PIECE + 2 * size,  # the synthesiser reads it anew for each stretch of sound
        licence=licence,
        card=card,
        load=load,
        sized_by="measured: the process before, after loading, and while it composes its longest piece",
    )


def _size(soundfont: Wheel | Hub | Local) -> int:
    """Bytes of the soundfont, as far as they are known before it is fetched."""
    if isinstance(soundfont, Local):
        file = Path(soundfont.path).expanduser()
        return file.stat().st_size if file.is_file() else 0
    return soundfont.size


def load(device: Device, path: Path) -> Pipeline[MusicRequest]:
    from pipelines import music

    return music.load(path)
