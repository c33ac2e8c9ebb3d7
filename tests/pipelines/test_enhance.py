"""Recordings made clean: what is streamed is the result, as loud as was asked for, and a cancelled run ends soon.

A stand-in for the network takes away half of everything; the last tests use the real one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import soundfile

from pipelines import loudness
from pipelines.device import detect
from pipelines.engine import LocalEngine
from pipelines.enhance import EnhancePipeline
from pipelines.enhance_bands import BANDS, FILTERED
from pipelines.enhance_catalog import DEEPFILTERNET, enhance_models
from pipelines.enhance_network import AHEAD, ORDER
from pipelines.enhance_request import READING, EnhanceRequest
from pipelines.enhance_tone import PRESETS
from pipelines.errors import BadRequest, WeightsError
from pipelines.events import Cancelled, Enhanced, Preview, Progress, Sound, Update
from pipelines.memory import Memory
from pipelines.sound_in import RATE
from pipelines.spec import Registry, validate
from pipelines.weights import Store

Array = np.ndarray[Any, Any]
EXAMPLE = Path(__file__).parents[2] / "assets" / "enhance-example.flac"


class Half:
    """In place of the networks: half of everything is noise."""

    def __init__(self, keeps: float = 0.5) -> None:
        self.keeps = keeps
        self.steps = 0

    def step(self, loud: Array, low: Array, memory: object) -> tuple[Array, Array]:
        self.steps += 1
        filters = np.zeros((len(loud), FILTERED, ORDER), np.complex64)
        filters[..., ORDER - 1 - AHEAD] = self.keeps
        return np.full((len(loud), BANDS), self.keeps, np.float32), filters


@pytest.fixture
def half() -> Half:
    return Half()


@pytest.fixture
def pipeline(half: Half) -> EnhancePipeline:
    return EnhancePipeline(half)  # type: ignore[arg-type]


def voice(seconds: float = 3.0, rate: int = RATE, channels: int = 1) -> Array:
    """Syllables of noise and tone, two a second; other ones in the other channel."""
    random = np.random.default_rng(0)
    time = np.arange(int(rate * seconds)) / rate
    sides = []
    for side in range(channels):
        sound = 0.1 * random.normal(size=len(time)) + 0.2 * np.sin(2 * np.pi * (180 + 90 * side) * time)
        sides.append(sound * np.square(np.sin(2 * np.pi * time + side)))
    return np.stack(sides, axis=1)


def file(sound: Array, rate: int = RATE, kind: str = "WAV", subtype: str = "PCM_24") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate, subtype, format=kind)
    return buffer.getvalue()


def made(pipeline: EnhancePipeline, sound: Array, rate: int = RATE, **settings: Any) -> tuple[Enhanced, list[Update]]:
    updates: list[Update] = []
    request = validate(EnhanceRequest, {"audio": file(sound, rate), **settings})
    return pipeline.run(request, updates.append), updates


def loud(samples: Array) -> float:
    return float(pyloudnorm.Meter(RATE).integrated_loudness((samples / 32768).reshape(len(samples), -1)))


@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_streamed_is_what_is_kept(pipeline: EnhancePipeline, channels: int) -> None:
    result, updates = made(pipeline, voice(channels=channels))
    sounds = [update for update in updates if isinstance(update, Sound)]
    assert np.array_equal(np.concatenate([sound.samples for sound in sounds]), result.samples) and len(sounds) == 3
    assert result.samples.dtype == result.before.dtype == np.int16
    assert result.samples.shape == result.before.shape == ((3 * RATE,) if channels == 1 else (3 * RATE, 2))


@pytest.mark.parametrize("target", [-16, -23])
@pytest.mark.parametrize("preset", PRESETS)
def test_it_is_as_loud_as_asked_for_and_so_is_what_it_was(pipeline: EnhancePipeline, target: int, preset: str) -> None:
    result, _ = made(pipeline, voice(), loudness=target, preset=preset)
    assert loud(result.samples) == pytest.approx(target, abs=0.5)
    assert loud(result.before) == pytest.approx(loud(result.samples), abs=0.3)
    assert result.loudness == pytest.approx(target, abs=0.1) and result.peak < -1
    assert result.was == pytest.approx(loudness.measured(voice().astype(np.float32)), abs=0.1)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
def test_other_rates_come_out_at_48_khz_and_as_long(pipeline: EnhancePipeline, rate: int) -> None:
    result, _ = made(pipeline, voice(2, rate), rate)
    assert result.rate == RATE and abs(len(result.samples) - 2 * RATE) <= 1
    assert loud(result.samples) == pytest.approx(-16, abs=0.5)


def test_left_alone_it_is_what_came(pipeline: EnhancePipeline, half: Half) -> None:
    sound = 0.3 * voice(channels=2)
    result, _ = made(pipeline, sound, denoise=0, loudness=0, preset="none")
    assert np.abs(result.samples / 32767 - sound).max() < 1e-4
    assert half.steps == 0 and "mask" not in result.pictures


def test_nothing_is_moved_in_time(pipeline: EnhancePipeline) -> None:
    """Before and after lie on each other to the sample, or switching between them would be heard."""
    sound = 0.3 * voice()
    result, _ = made(pipeline, sound, loudness=0, preset="none")
    assert np.abs(result.samples / 32767 - 0.5 * sound[:, 0]).max() < 1e-4


def test_less_noise_removal_leaves_more(pipeline: EnhancePipeline) -> None:
    levels = [
        np.abs(made(pipeline, 0.3 * voice(), denoise=amount, loudness=0, preset="none")[0].samples.astype(int)).mean()
        for amount in (0.2, 0.6, 1.0)
    ]
    assert levels[0] > 1.1 * levels[1] > 1.2 * levels[2]


def test_the_picture_clears_from_left_to_right(pipeline: EnhancePipeline) -> None:
    result, updates = made(pipeline, voice(6))
    previews = [update for update in updates if isinstance(update, Preview)]
    assert [preview.step for preview in previews] == sorted({preview.step for preview in previews})
    first = np.asarray(previews[0].image).astype(int) - np.asarray(previews[0].noisy)
    changed = np.abs(first).max(axis=(0, 2)) > 0
    assert changed[: len(changed) // 10].any() and not changed[len(changed) // 4 :].any()
    assert {image.size for image in result.pictures.values()} == {previews[0].image.size}


def test_only_the_first_seconds_are_done_if_no_more_are_wanted(pipeline: EnhancePipeline, half: Half) -> None:
    result, _ = made(pipeline, voice(20), seconds=2)
    assert len(result.samples) == 2 * RATE and half.steps <= 3


def test_a_cancelled_run_does_no_further_second(pipeline: EnhancePipeline, half: Half) -> None:
    def emit(update: Update) -> None:
        if isinstance(update, Progress) and update.label == "Removing noise" and update.done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline.run(EnhanceRequest(audio=file(voice(20))), emit)
    assert half.steps == 2


def test_every_run_begins_by_saying_that_it_reads(pipeline: EnhancePipeline) -> None:
    _, updates = made(pipeline, voice())
    assert isinstance(updates[0], Progress) and updates[0].label == READING


def test_a_clipped_recording_is_remarked_on(pipeline: EnhancePipeline) -> None:
    assert "too loud for its microphone" in made(pipeline, np.clip(6 * voice(), -0.8, 0.8))[0].remarks[0]
    assert made(pipeline, voice())[0].remarks == ()


def test_what_cannot_be_made_so_loud_is_remarked_on(pipeline: EnhancePipeline) -> None:
    click = np.zeros((2 * RATE, 1))
    click[RATE] = 0.9
    remarks = made(pipeline, click, preset="none")[0].remarks
    assert any("could only be brought to" in remark for remark in remarks)


def test_only_noise_is_said_to_be_only_noise() -> None:
    with pytest.raises(BadRequest, match="Only noise was found"):
        made(EnhancePipeline(Half(keeps=1e-5)), voice())  # type: ignore[arg-type]


def test_the_recipe_has_the_presets_own_values(pipeline: EnhancePipeline) -> None:
    result, _ = made(pipeline, voice(), preset="voice note", bass=4)
    assert dict(result.settings) == PRESETS["voice note"].settings() | {"bass": 4}


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    try:
        Store().fetch(DEEPFILTERNET, lambda update: None)
    except WeightsError as error:
        pytest.skip(f"the weights of the noise removal cannot be had: {error}")
    device = detect("cpu")
    engine = LocalEngine(Registry(enhance_models(device)), device, Store(), Memory(device.total, device.free))
    yield engine
    engine.close()


def test_the_example_becomes_clean(engine: LocalEngine) -> None:
    request = EnhanceRequest(audio=EXAMPLE.read_bytes())
    result = engine.submit(request.model, request, "test").result()
    artifact = result.artifact
    assert isinstance(artifact, Enhanced) and result.recipe.options["audio"].startswith("sha256:")
    assert loud(artifact.samples) == pytest.approx(-16, abs=0.5)
    quiet = [np.sort(np.square(each / 32768).reshape(-1, 480).mean(axis=1)) for each in cut(artifact)]
    before, after = (10 * np.log10(each[: len(each) // 10].mean() + 1e-12) for each in quiet)
    assert after < before - 15  # its pauses, as loud as it is
    again = engine.submit(request.model, request, "test").result().artifact
    assert isinstance(again, Enhanced) and np.array_equal(again.samples, artifact.samples)


def cut(artifact: Enhanced) -> tuple[Array, Array]:
    whole = len(artifact.samples) // 480 * 480
    return artifact.before[:whole], artifact.samples[:whole]


def test_a_cancelled_job_leaves_nothing_leased(engine: LocalEngine) -> None:
    request = EnhanceRequest(audio=file(np.tile(voice(), (20, 1)), kind="FLAC", subtype="PCM_16"))
    job = engine.submit(request.model, request, "test")
    for event in job:
        if isinstance(event, Preview):
            break
    job.cancel()
    assert job.wait_let_go(20)
    assert engine.status().running == 0 and all(held.leases == 0 for held in engine.status().models)
