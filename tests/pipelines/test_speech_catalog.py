"""Guests may have less spoken at a time, and are told how much before anything is loaded."""

from __future__ import annotations

import pytest

from pipelines.device import detect
from pipelines.errors import BadRequest
from pipelines.job import Job
from pipelines.speech_catalog import GUEST_CHARACTERS, for_guests, speech_models
from pipelines.speech_request import SpeechRequest
from tests.pipelines.fakes import engine, say, spec

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


def test_every_speech_model_says_how_long_a_text_may_be() -> None:
    for model in speech_models(detect("cpu")):
        assert model.limits["characters"] > GUEST_CHARACTERS == for_guests(model).limits["characters"]
