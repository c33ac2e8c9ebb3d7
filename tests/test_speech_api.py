"""Programs hear what the page hears: stretches of sound with their captions, then the file with all of it."""

from __future__ import annotations

import base64
import wave
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from pipelines.speech_request import SpeechRequest
from tests.conftest import WAIT_S, Server
from tests.pipelines.test_speech_match import wav


def test_only_the_text_must_be_given(server: Server, connect: Any) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    parameters = {p["parameter_name"]: p for p in endpoints["named_endpoints"]["/speech"]["parameters"]}
    assert set(parameters) == set(SpeechRequest.model_fields)
    assert [name for name, p in parameters.items() if not p["parameter_has_default"]] == ["text"]


def test_what_the_api_streams_is_what_is_in_the_file(server: Server, connect: Any) -> None:
    client: Client = connect()
    cast = [{"name": "Anna", "voice": "bf_emma"}]
    job = client.submit(text="One. Two.", voice="bm_george", speakers=cast, api_name="/speech")
    job.result(timeout=WAIT_S)
    *updates, (last, file) = job.outputs()
    sounds = [update for update, _ in updates if update["type"] == "sound"]
    streamed = b"".join(base64.b64decode(sound["samples"]) for sound in sounds)
    with wave.open(str(file)) as sound:
        assert sound.readframes(sound.getnframes()) == streamed
        assert last["seconds"] == sound.getnframes() / sound.getframerate()
    assert np.frombuffer(streamed, "<i2").any()
    assert [sound["caption"] for sound in sounds] == last["captions"]
    assert last["recipe"]["options"]["voice"] == "bm_george" and last["recipe"]["options"]["speakers"] == cast


def test_a_voice_is_taken_from_a_file_with_consent_and_the_recipe_says_so(
    server: Server, connect: Any, tmp_path: Path
) -> None:
    client: Client = connect()
    path = tmp_path / "voice.wav"
    path.write_bytes(wav())
    asked = {"text": "One.", "model": "cloning-speaker", "reference": handle_file(path), "api_name": "/speech"}
    with pytest.raises(AppError, match="“consent”: tick the box"):
        client.predict(**asked)
    last, _ = client.predict(**asked, consent=True)
    options = last["recipe"]["options"]
    assert options["reference"] == f"sha256:{sha256(wav()).hexdigest()}" and options["consent"] is True


def test_a_language_that_there_is_not_is_named(server: Server, connect: Any) -> None:
    with pytest.raises(AppError, match="“language”"):
        connect().predict(text="One.", language="tlh", api_name="/speech")
