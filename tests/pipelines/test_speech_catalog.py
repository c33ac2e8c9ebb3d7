"""Guests may have less spoken at a time, and are told how much before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.device import detect
from pipelines.errors import BadRequest
from pipelines.job import Job
from pipelines.speech_catalog import GUEST_CHARACTERS, MORE_VOICES, WithVoices, for_guests, load_hub, speech_models
from pipelines.speech_request import SpeechRequest
from pipelines.speech_voices import BUNDLED, VOICES
from pipelines.weights import Hub, Store, Together
from tests.pipelines.fakes import engine, say, spec

KNOWN, OTHER = SpeechRequest(text="a"), SpeechRequest(text="a", voice_b="am_puck")
SPEECH = spec("speech", say("ok"), modality="speech", request=SpeechRequest)


def said_to_guests(text: str) -> Job:
    return engine(for_guests(SPEECH)).submit("speech", SpeechRequest(text=text), "guest")


def test_guests_are_told_their_limit() -> None:
    said_to_guests("x" * GUEST_CHARACTERS).result()
    with pytest.raises(BadRequest, match=r"This text has 20,001 characters; guests .* 20,000"):
        said_to_guests("x" * (GUEST_CHARACTERS + 1)).result()


def test_models_of_other_kinds_are_the_same_for_guests() -> None:
    chat = spec("chat", say())
    assert for_guests(chat) is chat


def test_models_of_the_hub_are_loaded_by_their_family_and_need_nothing_else() -> None:
    built_in, *others = speech_models(detect("cpu"))
    assert {model.load for model in others} == {load_hub} and built_in.load is not load_hub
    assert all(isinstance(model.weights, Hub) and model.settle is None for model in others)


def test_every_speech_model_says_how_long_a_text_may_be() -> None:
    for model in speech_models(detect("cpu")):
        assert model.limits["characters"] > GUEST_CHARACTERS == for_guests(model).limits["characters"]


def test_other_voices_are_fetched_when_one_is_named(tmp_path: Path) -> None:
    (model, *_) = speech_models(detect("cpu"))
    store = Store(tmp_path)
    settle = WithVoices()
    assert settle(model, KNOWN, store, print) is model
    more = settle(model, OTHER, store, print)
    assert isinstance(more.weights, Together) and dict(more.weights.parts)["more"] == MORE_VOICES
    assert more.id != model.id and more.resident > model.resident


def test_guests_set_off_no_fetch_of_voices() -> None:
    (model, *_) = speech_models(detect("cpu"))
    settle = for_guests(model).settle
    assert settle is not None
    with pytest.raises(BadRequest, match=r"not on this server. There are: af_heart, "):
        settle(model, OTHER, Store(Path("/nowhere")), print)
    assert settle(model, KNOWN, Store(Path("/nowhere")), print) is model


def test_there_are_voices_to_fetch_in_most_languages_and_their_names_say_what_they_are() -> None:
    assert len(VOICES) == 41 and len(MORE_VOICES.members) == len(VOICES) - len(BUNDLED)
    assert (VOICES["am_puck"].label, VOICES["hf_beta"].label) == ("Puck · English (US), male", "Beta · Hindi, female")
