"""A recording is compared with stock voices, by consent only: the nearest blend is found, heard, and judged."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.numpy import load_file

from pipelines.convert import TorchToSafetensors
from pipelines.errors import BadRequest
from pipelines.events import Audio, Cancelled, Emit, Progress, Sound, Update
from pipelines.spec import validate
from pipelines.speech_match import Match, MatchPipeline, nearest
from pipelines.speech_match_request import MatchRequest
from pipelines.speech_request import SpeechRequest
from pipelines.speech_speaker import LAYERS, MELS, RATE, SIZE, SpeakerEncoder
from pipelines.speech_voices import BUNDLED
from pipelines.weights import ASSETS

VOICE = (np.random.default_rng(0).normal(0, 0.1, 8 * RATE) * np.sin(np.arange(8 * RATE) / 9_000)).astype(np.float32)


def wav(samples: Any = VOICE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV")
    return file.getvalue()


def direction(*at: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    vector = np.array([*at, *[0.0] * (3 - len(at))], np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


STOCK = {"af_heart": direction(1), "am_michael": direction(0, 1), "bf_emma": direction(0, 0, 1)}


class Ears:
    """An encoder for which whoever is heard lies where it is told."""

    def __init__(self, *speakers: Any) -> None:
        self._speakers = list(speakers)

    def embed(self, samples: Any, rate: int, tick: Any) -> Any:
        assert samples.ndim == 1 and samples.dtype == np.float32
        tick()
        return self._speakers.pop(0)


class Voices:
    """Speech that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[SpeechRequest] = []

    def run(self, request: SpeechRequest, emit: Emit) -> Audio:
        self.asked.append(request)
        samples = np.ones(RATE, np.int16)
        emit(Sound(samples, RATE))
        return Audio(samples, RATE)


def asked(**given: Any) -> MatchRequest:
    return validate(MatchRequest, {"recording": wav(), "consent": True} | given)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_speaker_between_two_voices_is_found_between_them(share: float) -> None:
    wanted = direction(1 - share, 0, share)
    match = nearest(wanted, STOCK)
    assert (match.voice, match.voice_b, match.blend) == ("af_heart", "bf_emma", pytest.approx(share))
    assert match.likeness == pytest.approx(1, abs=1e-5)


def test_a_speaker_who_is_like_one_voice_gets_that_voice_alone() -> None:
    assert nearest(STOCK["am_michael"], STOCK) == Match("am_michael", "", 0.5, 1.0)
    assert nearest(direction(1), {"af_heart": direction(1, 0.1)}).voice_b == ""


def test_the_blend_speaks_and_its_likeness_is_what_was_heard() -> None:
    voices, updates = Voices(), list[Update]()
    heard, spoken = direction(1, 1), direction(1, 0.9)
    audio = MatchPipeline(voices, Ears(heard, spoken), STOCK).run(asked(), updates.append)  # type: ignore[arg-type]
    assert (voices.asked[0].voice, voices.asked[0].voice_b, voices.asked[0].blend) == ("af_heart", "am_michael", 0.5)
    assert audio.settings["nearest"] in ("af_heart", "am_michael")
    assert audio.settings["before"] == pytest.approx(2**-0.5)
    assert audio.settings["after"] == pytest.approx(float(heard @ spoken))
    assert any(isinstance(update, Sound) for update in updates)


def test_it_can_be_cancelled_while_it_listens() -> None:
    def emit(update: Update) -> None:
        assert isinstance(update, Progress)
        raise Cancelled

    with pytest.raises(Cancelled):
        MatchPipeline(Voices(), Ears(), STOCK).run(asked(), emit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"consent": False}, "tick the box"),
        ({"recording": None}, "send a sound file"),
        ({"recording": b"hello"}, "not a sound"),
    ],
)
def test_without_consent_or_a_sound_nothing_is_compared(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        asked(**given)


@pytest.mark.parametrize(("seconds", "wrong"), [(2, "has 2.0 s"), (31, "is longer than 30 s"), (40, "is longer than")])
def test_recordings_that_are_too_short_or_too_long_are_refused(seconds: int, wrong: str) -> None:
    recording = wav(np.resize(VOICE, seconds * RATE))
    with pytest.raises(BadRequest, match=rf"The recording {wrong}.*\. Send 5 to 30 s of speech"):
        MatchPipeline(Voices(), Ears(), STOCK).run(asked(recording=recording), print)  # type: ignore[arg-type]


def test_a_recipe_names_the_recording_by_its_digest() -> None:
    assert asked().model_dump()["recording"].startswith("sha256:")


@pytest.fixture(scope="module")
def encoder() -> SpeakerEncoder:
    torch.manual_seed(0)
    return SpeakerEncoder(torch.nn.LSTM(MELS, SIZE, LAYERS, batch_first=True), torch.nn.Linear(SIZE, SIZE))


def test_who_speaks_hangs_neither_on_loudness_nor_on_silence(encoder: SpeakerEncoder) -> None:
    usual = encoder.embed(VOICE, RATE)
    assert np.linalg.norm(usual) == pytest.approx(1, abs=1e-5)
    assert np.allclose(encoder.embed(VOICE * 0.05, RATE), encoder.embed(VOICE * 0.02, RATE), atol=1e-4)
    silence = np.zeros(RATE * 3 // 100 * 50, np.float32)
    assert np.allclose(encoder.embed(np.concatenate([silence, VOICE, silence]), RATE), usual, atol=1e-5)


def test_even_a_moment_of_sound_has_a_speaker(encoder: SpeakerEncoder) -> None:
    assert np.isfinite(encoder.embed(VOICE[2_000:4_000], RATE)).all()


def test_every_bundled_voice_has_its_place_among_speakers() -> None:
    stock = load_file(ASSETS / "kokoro-voices" / "speakers.safetensors")
    assert set(stock) == set(BUNDLED)
    assert all(np.linalg.norm(speaker) == pytest.approx(1, abs=1e-4) for speaker in stock.values())


class Code:
    def __reduce__(self) -> Any:
        return print, ("run",)


def test_only_tensors_come_out_of_a_file_of_torch(tmp_path: Path) -> None:
    convert = TorchToSafetensors("a.pt", "state", ("lstm.",), "a.safetensors")
    torch.save({"state": {"lstm.w": torch.ones(2), "other": torch.ones(1)}}, tmp_path / "a.pt")
    convert(tmp_path, tmp_path)
    assert {name: table.tolist() for name, table in load_file(tmp_path / "a.safetensors").items()} == {
        "lstm.w": [1, 1]
    }
    torch.save({"state": {"lstm.w": Code()}}, tmp_path / "a.pt")
    with pytest.raises(Exception, match="Weights only"):
        convert(tmp_path, tmp_path)
