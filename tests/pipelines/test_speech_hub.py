"""Families of the hub speak through their own classes: what is streamed is kept, a seed repeats, a step cancels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipelines import speech_hub
from pipelines.device import detect
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Audio, Cancelled, Progress, Sound, Update
from pipelines.speech_families import FAMILIES
from pipelines.speech_hub import HubSpeech
from pipelines.speech_request import SpeechRequest
from tests.pipelines import tiny_speech

TEXT = "One two three, three two one. Two one."


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_speech.make(request.param, tmp_path_factory.mktemp("hub") / request.param)


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> HubSpeech:
    return speech_hub.load(detect("cpu"), folder)


def spoken(pipeline: HubSpeech, **settings: Any) -> tuple[Audio, list[Update]]:
    updates: list[Update] = []
    return pipeline.run(SpeechRequest(**({"text": TEXT} | settings)), updates.append), updates


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

    assert np.array_equal(pipeline.run(SpeechRequest(text=TEXT, seed=3), noisy).samples, audio.samples)
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
        pipeline.run(SpeechRequest(text=TEXT), emit)
    assert {step.done for step in steps} == {0}
    assert not any(module._forward_pre_hooks for module in pipeline._model.modules())


def test_what_a_family_cannot_do_is_refused(pipeline: HubSpeech) -> None:
    with pytest.raises(BadRequest, match="voice of their own"):
        spoken(pipeline, voice_b="bm_george")
    if not pipeline._family.speed:
        with pytest.raises(BadRequest, match="speed of their own"):
            spoken(pipeline, speed=1.5)


def test_a_faster_voice_says_it_in_less_time(tmp_path: Path) -> None:
    pipeline = speech_hub.load(detect("cpu"), tiny_speech.make("VitsModel", tmp_path / "vits"))
    assert len(spoken(pipeline, speed=2)[0].samples) < len(spoken(pipeline)[0].samples)


@pytest.mark.parametrize("config", [{}, {"architectures": ["LlamaForCausalLM"]}, {"architectures": None}])
def test_another_kind_of_model_is_refused_by_name(tmp_path: Path, config: dict[str, Any]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadWeights, match="VITS and MMS, Bark, CSM"):
        speech_hub.load(detect("cpu"), tmp_path)
