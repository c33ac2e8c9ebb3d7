"""The hub's music families through their own classes, at tiny sizes: sound, seeds, steps, cancel, what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines import music_hub
from pipelines.device import Device
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Audio, Cancelled, Progress, Sound, Update
from pipelines.music_request import MusicRequest
from pipelines.spec import Pipeline
from tests.pipelines import tiny_sound
from tests.pipelines.test_music import Stopped
from tests.pipelines.test_music_melody import SCALE, midi, track

pytestmark = [
    pytest.mark.filterwarnings("ignore:Should have t"),  # torchsde's, of its own rounding
    pytest.mark.filterwarnings("ignore:.torch.nn.utils.weight_norm"),  # which diffusers' autoencoder still uses
]

CPU = Device("cpu", "a CPU", 16 * 2**30, half=False)
ASKED = MusicRequest(prompt="a tune", bars=2, tempo=240, key="D minor", seed=1)
SECONDS = 2.0
MAKERS = {maker.__name__: maker for maker in (tiny_sound.musicgen, tiny_sound.stable_audio, tiny_sound.ace_step)}


@pytest.fixture(scope="module", params=MAKERS)
def pipeline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pipeline[MusicRequest]:
    folder = tmp_path_factory.mktemp(request.param)
    MAKERS[request.param](folder)
    return music_hub.load(CPU, folder)


def run(pipeline: Pipeline[MusicRequest], request: MusicRequest = ASKED) -> tuple[list[Update], Audio]:
    updates: list[Update] = []
    audio = pipeline.run(request, updates.append)
    assert isinstance(audio, Audio)
    return updates, audio


def test_it_makes_the_seconds_asked_for_and_repeats_itself_by_seed(pipeline: Pipeline[MusicRequest]) -> None:
    updates, audio = run(pipeline)
    assert audio.rate == tiny_sound.RATE and len(audio.samples) / audio.rate == pytest.approx(SECONDS, rel=0.02)
    assert np.abs(audio.samples.astype(int)).max() > 100
    sounds = [update.samples for update in updates if isinstance(update, Sound)]
    assert np.array_equal(np.concatenate(sounds), audio.samples)
    steps = [update.done for update in updates if isinstance(update, Progress)]
    assert steps == list(range(len(steps))) and len(steps) > 8
    assert np.array_equal(run(pipeline)[1].samples, audio.samples)
    other = run(pipeline, ASKED.model_copy(update={"seed": 2}))[1].samples
    assert not np.array_equal(other, audio.samples)


@pytest.mark.parametrize("after", [0, 5])
def test_a_cancel_ends_it_at_the_next_step(pipeline: Pipeline[MusicRequest], after: int) -> None:
    stopped = Stopped(after)
    with pytest.raises(Cancelled):
        pipeline.run(ASKED, stopped)
    assert stopped.left == -1


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (MusicRequest(prompt="a tune", melody=midi(track(SCALE))), "cannot work with a melody"),
        (MusicRequest(prompt="a tune", bars=32, tempo=30), "256 seconds"),
    ],
)
def test_what_it_cannot_do_is_refused_before_anything_is_computed(
    pipeline: Pipeline[MusicRequest], request_: MusicRequest, reason: str
) -> None:
    updates: list[Update] = []
    with pytest.raises(BadRequest, match=reason):
        pipeline.run(request_, updates.append)
    assert not updates


def test_fields_are_put_into_words() -> None:
    request = MusicRequest(prompt=" calm ", style="air", key="D minor", metre="3/4", instruments=("Flute", "Harp"))
    assert music_hub.worded(request) == "calm, air, flute and harp, in D minor, in 3/4 time"
    assert music_hub.worded(MusicRequest(prompt="calm", tempo=90)) == "calm, 90 bpm"


def test_codes_are_those_that_musicgen_itself_would_decode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Un-delayed while they come, they are what transformers makes of them at the end."""
    import torch

    from pipelines.music_codes import CodesPipeline, Listener

    tiny_sound.musicgen(tmp_path)
    pipeline = music_hub.load(CPU, tmp_path)
    assert isinstance(pipeline, CodesPipeline)
    decode: Callable[..., object] = pipeline._model.audio_encoder.decode
    decoded, listeners = [], []

    def noted(codes: torch.Tensor, **more: object) -> object:
        decoded.append(codes)
        return decode(codes, **more)

    class Kept(Listener):
        def end(self) -> None:
            listeners.append(self)
            super().end()

    monkeypatch.setattr(pipeline._model.audio_encoder, "decode", noted)
    monkeypatch.setattr("pipelines.music_codes.Listener", Kept)
    run(pipeline)
    whole = max(decoded, key=lambda codes: codes.shape[-1])
    assert torch.equal(listeners[0].codes(), whole[0, 0])


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    with pytest.raises(BadWeights, match="StableDiffusionPipeline is no music model"):
        music_hub.load(CPU, tmp_path)
