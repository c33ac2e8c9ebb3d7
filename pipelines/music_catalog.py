"""The music models there are, as data: where their weights come from and what they hold in memory."""

from __future__ import annotations

from pathlib import Path

from pipelines.device import Device
from pipelines.image_catalog import PATTERNS
from pipelines.music_request import BUILT_IN, MusicRequest
from pipelines.spec import Family, ModelSpec, Pipeline
from pipelines.weights import MINILM, Bundled, Hub, Local, Together, Wheel

COMPOSER = Bundled("music")
COMPOSER_AND_ENCODER, PIECE = 250_000_000, 220_000_000
SOUND = 2_000 * 2**20  # what a minute of sound takes on its way through an autoencoder, at most

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
    """The built-in composer, then open models of the hub that make sound without notes."""
    return [
        music_model(
            SOUNDFONT,
            id=BUILT_IN,
            title="Polymuse composer",
            licence="Apache-2.0; soundfont GPL-2.0",
            card="Built in, for any machine. Chorales in four voices, and eight kinds of tunes to dance and sing.",
        ),
        hub_model(
            device,
            id="musicgen-small",
            title="MusicGen small",
            family="autoregressive",
            weights=Hub("facebook/musicgen-small", size=2_400_000_000),
            parameters=590_000_000,
            licence="CC-BY-NC-4.0",
            card="From 4 GiB. Up to 30 seconds of any kind of music, heard while it is made; not for commercial use.",
        ),
        hub_model(
            device,
            id="stable-audio-open",
            title="Stable Audio Open 1.0",
            family="diffusion",
            weights=Hub("stabilityai/stable-audio-open-1.0", patterns=PATTERNS, size=5_000_000_000),
            parameters=1_320_000_000,
            licence="Stability AI Community License",
            card="For GPUs from 6 GiB. Up to 47 seconds of music, loops and sounds in stereo. Gated on the hub.",
        ),
        hub_model(
            device,
            id="ace-step-xl-turbo",
            title="ACE-Step 1.5 XL turbo",
            family="flow",
            weights=Hub("ACE-Step/acestep-v15-xl-turbo-diffusers", patterns=PATTERNS, size=12_000_000_000),
            parameters=6_000_000_000,
            licence="Apache-2.0",
            card="For GPUs from 16 GiB. Whole songs of up to four minutes in eight steps; told key and tempo.",
        ),
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


def hub_model(
    device: Device, *, id: str, title: str, family: Family, weights: Hub, parameters: int, licence: str, card: str
) -> ModelSpec[MusicRequest]:
    """A model that makes sound, not notes."""
    return ModelSpec(
        id=id,
        title=title,
        modality="music",
        family=family,
        request=MusicRequest,
        weights=weights,
        resident=parameters * device.parameter_bytes,
        working=SOUND,
        licence=licence,
        card=card,
        load=load_hub,
        sized_by=f"{parameters / 1e9:.2f} billion parameters of {device.parameter_bytes} bytes, as its card has it; "
        f"{SOUND // 2**20} MiB for a piece",
    )


def _size(soundfont: Wheel | Hub | Local) -> int:
    """Bytes of the soundfont, as far as they are known before it is fetched."""
    if isinstance(soundfont, Local):
        file = Path(soundfont.path).expanduser()
        return file.stat().st_size if file.is_file() else 0
    return soundfont.size


def load_hub(device: Device, path: Path) -> Pipeline[MusicRequest]:
    from pipelines import music_hub

    return music_hub.load(device, path)


def load(device: Device, path: Path) -> Pipeline[MusicRequest]:
    from pipelines import music

    return music.load(path)
