"""Programs get the notes as they are written, the sound that follows, and the file with all of it."""

from __future__ import annotations

import base64
import io
import wave
from pathlib import Path
from typing import Any

import mido
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from pipelines.events import Emit, Music
from pipelines.music_request import MusicRequest
from tests.conftest import WAIT_S, Server
from tests.fakes.bandleader import BARS, beats, compose
from tests.pipelines.test_music_melody import SCALE, midi, track


def test_nothing_must_be_given_by_name_but_something_must_be_said(server: Server, connect: Any) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    parameters = {p["parameter_name"]: p for p in endpoints["named_endpoints"]["/music"]["parameters"]}
    assert set(parameters) == set(MusicRequest.model_fields)
    assert all(p["parameter_has_default"] for p in parameters.values())
    with pytest.raises(AppError, match="Write a “prompt”"):
        connect().predict(api_name="/music")


def test_what_the_api_streams_is_what_is_in_the_file(server: Server, connect: Any) -> None:
    client: Client = connect()
    job = client.submit(prompt="a tune", instruments=["Flute", "Oboe"], api_name="/music")
    job.result(timeout=WAIT_S)
    *updates, (last, path) = job.outputs()
    sounds = [update for update, _ in updates if update["type"] == "sound"]
    with wave.open(str(path)) as sound:
        assert sound.getnchannels() == 2
        assert sound.readframes(sound.getnframes()) == b"".join(base64.b64decode(one["samples"]) for one in sounds)
        assert last["seconds"] == sound.getnframes() / sound.getframerate()
    written = [update for update, _ in updates if update["type"] == "preview"]
    assert written[0]["notes"] == [] and written[0]["head"]["style"] == "air"
    streamed = [note["pitch"] for update in written for note in update["notes"]]
    assert streamed == [note.pitch for beat in range(4 * BARS) for note in beats(beat)]
    assert [note["pitch"] for note in last["notes"]] == streamed and last["recipe"]["options"]["key"] == "A minor"


def test_a_melody_comes_as_a_file(server: Server, connect: Any, tmp_path: Path) -> None:
    heard: list[bytes | None] = []

    def composes(request: MusicRequest, emit: Emit) -> Music:
        heard.append(request.melody)
        return compose()(request, emit)

    server.composes = composes
    path = tmp_path / "tune.mid"
    path.write_bytes(midi(track(SCALE)))
    last, _ = connect().predict(melody=handle_file(path), melody_use="harmonise", api_name="/music")
    assert last["recipe"]["options"]["melody"].startswith("sha256:")
    assert heard == [path.read_bytes()] and mido.MidiFile(file=io.BytesIO(heard[0] or b"")).tracks


def test_a_style_that_there_is_not_is_named(server: Server, connect: Any) -> None:
    with pytest.raises(AppError, match="there is no style “dubstep”"):
        connect().predict(style="dubstep", api_name="/music")
