"""Families of the hub speak through their own classes: what is streamed is kept, a seed repeats, a step cancels."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from pipelines import speech_hub
from pipelines.device import Device
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Audio, Cancelled, Progress, Sound, Update
from pipelines.speech_families import FAMILIES
from pipelines.speech_hub import HubSpeech
from pipelines.speech_prompts import Line
from pipelines.speech_request import SpeechRequest
from tests.pipelines import tiny_speech

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers

TEXT = "One two three, three two one. Two one."
SCRIPT = "Ann: One two three.\nBo: Three two one.\nAnn: Two one."
SPEAKERS = [{"name": "Ann"}, {"name": "Bo"}]


CPU = Device("cpu", "a CPU", 16 * 2**30, half=False)


def recording(seconds: float = 6, pitch: float = 9) -> bytes:
    file = io.BytesIO()
    sound = np.sin(np.arange(int(16_000 * seconds)) / pitch).astype(np.float32) / 3
    soundfile.write(file, sound, 16_000, format="WAV")
    return file.getvalue()


REFERENCE: dict[str, Any] = {"reference": recording(), "consent": True}


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_speech.make(request.param, tmp_path_factory.mktemp("hub") / request.param)


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> HubSpeech:
    return speech_hub.load(CPU, folder)


def asked(pipeline: HubSpeech, **settings: Any) -> SpeechRequest:
    """A request that this model can answer: with a recording where it needs one."""
    needed = REFERENCE if pipeline._family.reference == "must" else {}
    return SpeechRequest(**({"text": TEXT} | needed | settings))


def spoken(pipeline: HubSpeech, **settings: Any) -> tuple[Audio, list[Update]]:
    updates: list[Update] = []
    return pipeline.run(asked(pipeline, **settings), updates.append), updates


def test_every_family_has_a_model_here() -> None:
    assert set(tiny_speech.FAMILIES) == set(FAMILIES)


def test_what_is_streamed_is_what_is_kept_and_captions_say_the_text(pipeline: HubSpeech) -> None:
    audio, updates = spoken(pipeline)
    sounds = [update for update in updates if isinstance(update, Sound)]
    assert np.array_equal(np.concatenate([sound.samples for sound in sounds]), audio.samples) and audio.samples.any()
    assert {sound.rate for sound in sounds} == {audio.rate}
    assert " ".join(caption.text for caption in audio.captions) == TEXT
    assert audio.captions[-1].end == pytest.approx(len(audio.samples) / audio.rate)


def test_the_same_seed_gives_the_same_bytes_whatever_others_do(pipeline: HubSpeech) -> None:
    audio, _ = spoken(pipeline, seed=3)

    def noisy(update: Update) -> None:
        torch.manual_seed(99)

    assert np.array_equal(pipeline.run(asked(pipeline, seed=3), noisy).samples, audio.samples)
    other, _ = spoken(pipeline, seed=4)
    assert not np.array_equal(other.samples, audio.samples)


def test_a_cancel_ends_in_the_middle_of_a_piece_and_leaves_nothing_behind(pipeline: HubSpeech) -> None:
    steps: list[Progress] = []

    def emit(update: Update) -> None:
        assert isinstance(update, Progress)
        steps.append(update)
        if len(steps) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline.run(asked(pipeline), emit)
    assert {step.done for step in steps} == {0}
    assert not any(module._forward_pre_hooks for module in pipeline._model.modules())


def test_what_a_family_cannot_do_is_refused(pipeline: HubSpeech) -> None:
    with pytest.raises(BadRequest, match="voice of their own"):
        spoken(pipeline, voice_b="bm_george")
    if not pipeline._family.speed:
        with pytest.raises(BadRequest, match="speed of their own"):
            spoken(pipeline, speed=1.5)
    if pipeline._family.reference == "no":
        with pytest.raises(BadRequest, match="cannot speak in the voice of a recording"):
            spoken(pipeline, **REFERENCE)
    if pipeline._family.reference == "must":
        with pytest.raises(BadRequest, match="Add one, and agree"):
            spoken(pipeline, reference=None)


def test_a_script_has_as_many_speakers_as_the_family_tells_apart(pipeline: HubSpeech) -> None:
    most = len(pipeline._family.speakers)
    many = [{"name": name} for name in "ABCDE"[: most + 1]]
    with pytest.raises(BadRequest, match=f"tell {most} speakers apart" if most > 1 else "voice of their own"):
        spoken(pipeline, speakers=many)
    if most > 1:
        audio, _ = spoken(pipeline, text=SCRIPT, speakers=SPEAKERS)
        assert [caption.speaker for caption in audio.captions] == ["Ann", "Bo", "Ann"]


def test_another_recording_is_another_voice(pipeline: HubSpeech) -> None:
    if pipeline._family.reference == "no":
        return
    one, other = (spoken(pipeline, **REFERENCE | {"reference": recording(pitch=pitch)})[0] for pitch in (9, 40))
    assert one.samples.any() and not np.array_equal(one.samples, other.samples)
    with pytest.raises(BadRequest, match=r"The recording has 2.0 s. Send 5 to 30 s"):
        spoken(pipeline, **REFERENCE | {"reference": recording(2)})


@pytest.mark.parametrize("architecture", ["DiaForConditionalGeneration", "VibeVoiceForConditionalGeneration"])
def test_a_speaker_sounds_as_before(architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = speech_hub.load(CPU, tiny_speech.make(architecture, tmp_path / "model"))
    lines: list[Line] = []
    said = pipeline._say

    def listened(line: Line, speed: float) -> Any:
        lines.append(line)
        return said(line, speed)

    monkeypatch.setattr(pipeline, "_say", listened)
    spoken(pipeline, text=SCRIPT, speakers=SPEAKERS)
    assert [line.voice.text if line.voice else None for line in lines] == [None, None, lines[0].text]
    assert lines[0].speaker == lines[2].speaker != lines[1].speaker


def test_a_model_whose_codec_is_not_there_says_so(tmp_path: Path) -> None:
    folder = tiny_speech.make("DiaForConditionalGeneration", tmp_path / "dia")
    with pytest.raises(BadWeights, match="need a codec"):
        speech_hub.load(CPU, folder / "model")


def test_a_faster_voice_says_it_in_less_time(tmp_path: Path) -> None:
    pipeline = speech_hub.load(CPU, tiny_speech.make("VitsModel", tmp_path / "vits"))
    assert len(spoken(pipeline, speed=2)[0].samples) < len(spoken(pipeline)[0].samples)


@pytest.mark.parametrize("config", [{}, {"architectures": ["LlamaForCausalLM"]}, {"architectures": None}])
def test_another_kind_of_model_is_refused_by_name(tmp_path: Path, config: dict[str, Any]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadWeights, match="VITS and MMS, Bark, CSM, Pocket TTS, VibeVoice, Dia"):
        speech_hub.load(CPU, tmp_path)
