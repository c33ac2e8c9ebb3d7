"""Programs send a sound file and hear what the page hears, then get the file with all of it."""

from __future__ import annotations

import base64
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from pipelines.enhance_request import EnhanceRequest
from pipelines.sound_in import RATE
from tests.conftest import WAIT_S, Server


@pytest.fixture
def sound(tmp_path: Path) -> Any:
    path = tmp_path / "sound.flac"
    soundfile.write(path, 0.3 * np.sin(np.arange(RATE) / 9), RATE)
    return handle_file(str(path))


def test_only_the_recording_must_be_given(server: Server, connect: Any) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    parameters = {p["parameter_name"]: p for p in endpoints["named_endpoints"]["/enhance"]["parameters"]}
    assert set(parameters) == set(EnhanceRequest.model_fields)
    assert [name for name, p in parameters.items() if not p["parameter_has_default"]] == ["audio"]


def test_what_the_api_streams_is_what_is_in_the_file(server: Server, connect: Any, sound: Any) -> None:
    client: Client = connect()
    job = client.submit(audio=sound, loudness=-23, preset="music", bass=2, api_name="/enhance")
    job.result(timeout=WAIT_S)
    *updates, (last, file) = job.outputs()
    streamed = b"".join(base64.b64decode(update["samples"]) for update, _ in updates if update["type"] == "sound")
    with wave.open(str(file)) as made:
        assert made.readframes(made.getnframes()) == streamed and made.getframerate() == RATE
    assert any(update["type"] == "preview" and update["noisy"] for update, _ in updates)
    assert last["recipe"]["options"]["loudness"] == -23 and last["recipe"]["options"]["bass"] == 1.0  # the fake's own
    assert (last["was"], last["loudness"], last["seconds"]) == (-30.0, -16.02, 1.0)


def test_what_is_no_sound_is_refused_by_name(server: Server, connect: Any, tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("hello")
    with pytest.raises(AppError, match="“audio”: is not a sound that can be read"):
        connect().predict(audio=handle_file(str(text)), api_name="/enhance")
