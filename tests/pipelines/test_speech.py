"""Speech: what is streamed is the file, joins are silent, and the same request gives the same bytes.

A small session with a tone for each phoneme stands in for the network; the last tests speak with the real one.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pipelines import speech
from pipelines.device import detect
from pipelines.errors import BadRequest, WeightsError
from pipelines.events import Audio, Cancelled, Progress, Sound, Update
from pipelines.interrupt import Interrupts
from pipelines.spec import validate
from pipelines.speech import RATE, SpeechPipeline
from pipelines.speech_catalog import speech_models
from pipelines.speech_request import MOST_CHARACTERS, SpeechRequest
from pipelines.speech_text import MOST_FIRST
from pipelines.speech_voices import VOICES
from pipelines.weights import Store
from tests.conftest import WAIT_S
from tests.pipelines.fakes import engine, say, spec
from tests.pipelines.test_turns import spin_until

FRAME = PER_PHONEME = 600  # samples
SILENT, LOUD = -9.0, 8.0
QUIET_FRAMES = 20  # half a second, before and after
TEXT = "One for the road. Two for the show, as they say. Three to get ready."


class Reader:
    """A loud frame for each phoneme, and half a second of silence before and after them."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def run(self, names: None, inputs: Mapping[str, Any], options: Any) -> list[np.ndarray[Any, Any]]:
        count = inputs["tokens"].shape[1] - 2
        self.lengths.append(count)
        loud = [LOUD] * int(count / inputs["speed"][0])
        loudness = np.array([[SILENT] * QUIET_FRAMES + loud + [SILENT] * QUIET_FRAMES], np.float32)
        return [loudness[None], loudness.repeat(2, axis=1), loudness.repeat(2, axis=1)]


class ToneVoice:
    """A tone as loud as the style says in each loud frame, and near-silence in the others."""

    def __init__(self) -> None:
        self.frames: list[int] = []

    def run(self, names: None, inputs: Mapping[str, Any], options: Any) -> list[np.ndarray[Any, Any]]:
        assert inputs["sounds"].shape[-1] * 2 == inputs["pitch"].shape[-1] == inputs["loudness"].shape[-1]
        self.frames.append(inputs["sounds"].shape[-1])
        loud = (inputs["loudness"].ravel() > 0).repeat(FRAME // 2)
        tone = np.sin(np.arange(len(loud)) / 7) * inputs["style"].mean()
        return [np.where(loud, tone, np.random.default_rng(0).normal(0, 1e-4, len(loud))).astype(np.float32)]


class Letters:
    """A tokenizer for which each letter is a phoneme."""

    def phonemize(self, text: str, language: str) -> str:
        return text

    def tokenize(self, phonemes: str) -> list[int]:
        return [ord(letter) for letter in phonemes]


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def voice() -> ToneVoice:
    return ToneVoice()


@pytest.fixture
def pipeline(reader: Reader, voice: ToneVoice) -> SpeechPipeline:
    voices = {id: np.full((510, 256), 0.2 + number / 60, np.float32) for number, id in enumerate(VOICES)}
    return SpeechPipeline(reader, voice, Letters(), voices)  # type: ignore[arg-type]


def spoken(pipeline: SpeechPipeline, text: str = TEXT, **settings: Any) -> tuple[Audio, list[Update]]:
    updates: list[Update] = []
    return pipeline.run(validate(SpeechRequest, {"text": text, **settings}), updates.append), updates


def joined(updates: list[Update]) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.concatenate([update.samples for update in updates if isinstance(update, Sound)])


def test_what_is_streamed_is_what_is_kept(pipeline: SpeechPipeline) -> None:
    audio, updates = spoken(pipeline)
    assert np.array_equal(joined(updates), audio.samples) and audio.rate == RATE
    assert audio.samples.dtype == np.int16
    assert [u.caption for u in updates if isinstance(u, Sound)] == list(audio.captions)
    assert len(audio.captions) >= 3


def test_captions_cover_the_sound_in_order_and_say_the_whole_text(pipeline: SpeechPipeline) -> None:
    audio, _ = spoken(pipeline)
    assert " ".join(caption.text for caption in audio.captions) == TEXT
    assert audio.captions[0].start == 0 and audio.captions[-1].end == len(audio.samples) / RATE
    for caption, after in pairwise(audio.captions):
        assert caption.start < caption.end <= after.start
        between = audio.samples[round(caption.end * RATE) : round(after.start * RATE)]
        assert not between.any()


def test_captions_say_how_they_are_pronounced(pipeline: SpeechPipeline, reader: Reader) -> None:
    audio, _ = spoken(pipeline, "It cost $3.")
    assert [caption.phonemes for caption in audio.captions] == ["It cost 3 dollars."]  # espeak reads figures
    assert reader.lengths == [len("It cost 3 dollars.")]


def test_marks_of_another_language_are_no_sounds(reader: Reader, voice: ToneVoice) -> None:
    class Marking(Letters):
        """Takes each word for an English one in a French text."""

        def phonemize(self, text: str, language: str) -> str:
            return " ".join(f"(en){word}(fr)" for word in text.split())

    voices = {"ff_siwis": np.full((510, 256), 0.2, np.float32)}
    audio, _ = spoken(SpeechPipeline(reader, voice, Marking(), voices), "Le week-end", voice="ff_siwis")  # type: ignore[arg-type]
    assert [caption.phonemes for caption in audio.captions] == ["Le week-end"]
    assert reader.lengths == [len("Le week-end")]


def test_pieces_begin_and_end_at_nothing_without_the_models_own_silence(pipeline: SpeechPipeline) -> None:
    audio, _ = spoken(pipeline)
    for caption in audio.captions:
        piece = audio.samples[round(caption.start * RATE) : round(caption.end * RATE)].astype(int)
        assert piece[0] == piece[-1] == 0
        assert abs(piece[:30]).max() < 40 and abs(piece[-30:]).max() < 40
        tone = len(caption.text) * PER_PHONEME
        assert tone <= len(piece) <= tone + RATE // 10


def test_silent_frames_around_a_piece_never_reach_the_voice(
    pipeline: SpeechPipeline, reader: Reader, voice: ToneVoice
) -> None:
    spoken(pipeline)
    assert [frames - 2 * speech.MARGIN for frames in voice.frames] == reader.lengths


@pytest.mark.parametrize("level", [SILENT, LOUD])
def test_frames_stay_as_they_are_where_all_are_alike(level: float) -> None:
    frames = np.zeros((1, 512, 6), np.float32), np.zeros((1, 12), np.float32), np.full((1, 12), level, np.float32)
    assert [len(kept[0].T) for kept in speech.without_silence(*frames)] == [6, 12, 12]


def test_pauses_inside_a_piece_stay() -> None:
    loudness = np.array([[SILENT] * 40 + [LOUD] * 2 + [SILENT] * 100 + [LOUD] * 2 + [SILENT] * 40], np.float32)
    sounds, pitch, kept = speech.without_silence(np.zeros((1, 512, 92), np.float32), loudness, loudness)
    assert sounds.shape[-1] == 52 + 2 * speech.MARGIN
    assert kept.shape == pitch.shape == (1, 2 * sounds.shape[-1]) and kept[0, 2 * speech.MARGIN] == LOUD


def test_the_first_sound_comes_after_the_first_piece(pipeline: SpeechPipeline, reader: Reader) -> None:
    class Enough(Exception):
        pass

    def emit(update: Update) -> None:
        if isinstance(update, Sound):
            raise Enough

    with pytest.raises(Enough):
        pipeline.run(SpeechRequest(text=TEXT * 50), emit)
    assert len(reader.lengths) == 1 and reader.lengths[0] <= MOST_FIRST


def test_a_cancelled_run_makes_no_further_piece(pipeline: SpeechPipeline, reader: Reader) -> None:
    def emit(update: Update) -> None:
        if isinstance(update, Progress) and update.done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline.run(SpeechRequest(text=TEXT * 50), emit)
    assert len(reader.lengths) == 2


def test_a_job_cancelled_in_mid_sentence_ends_in_mid_sentence() -> None:
    began = threading.Event()

    class EndlessSession:
        def run(self, names: None, inputs: Mapping[str, Any], options: Any) -> list[np.ndarray[Any, Any]]:
            began.set()
            spin_until(lambda: options.terminate)
            raise RuntimeError("Exiting due to terminate flag being set to true.")

    voices = {id: np.zeros((510, 256), np.float32) for id in VOICES}
    pipeline = SpeechPipeline(Reader(), EndlessSession(), Letters(), voices)  # type: ignore[arg-type]
    speaker = spec("speaker", say(), request=SpeechRequest, modality="speech", load=lambda device, path: pipeline)
    job = engine(speaker).submit("speaker", SpeechRequest(text=TEXT), "me")
    assert began.wait(WAIT_S)
    job.cancel()
    assert job.wait_let_go(WAIT_S)
    assert job.state == "cancelled"
    with pytest.raises(Cancelled):
        assert not any(isinstance(event, Sound) for event in job)


def test_a_network_that_fails_by_itself_is_no_cancel(pipeline: SpeechPipeline, reader: Reader) -> None:
    def fails(*args: Any) -> None:
        raise RuntimeError("broken")

    reader.run = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(RuntimeError, match="broken"):
        spoken(pipeline)


def test_speed_shortens_sound_and_pauses(pipeline: SpeechPipeline) -> None:
    normal, fast = spoken(pipeline)[0], spoken(pipeline, speed=2)[0]
    assert len(normal.samples) / len(fast.samples) == pytest.approx(2, rel=0.06)


def test_a_blend_lies_between_its_voices_and_its_ends_are_the_voices(pipeline: SpeechPipeline) -> None:
    def loudness(**settings: Any) -> float:
        return float(np.abs(spoken(pipeline, "Hello.", **settings)[0].samples.astype(int)).max())

    first, second = loudness(voice="af_heart"), loudness(voice="pm_alex", language="en-us")
    both = {"voice": "af_heart", "voice_b": "pm_alex"}
    assert loudness(**both, blend=0) == first and loudness(**both, blend=1) == second
    assert loudness(**both, blend=0.5) == pytest.approx((first + second) / 2, rel=0.01)


def test_a_voice_that_is_louder_than_the_others_is_turned_down(pipeline: SpeechPipeline) -> None:
    loud = {id: np.abs(spoken(pipeline, "Hello.", voice=id, language="it")[0].samples).max() for id in VOICES}
    for id, level in loud.items():
        style = float(pipeline._voices[id].mean())
        assert level / 32767 == pytest.approx(style * 10 ** (VOICES[id].gain_db / 20), rel=0.02)


def test_each_speaker_of_a_script_has_a_voice(pipeline: SpeechPipeline) -> None:
    cast = [{"name": "Anna", "voice": "af_heart"}, {"name": "Ben", "voice": "bm_george"}]
    audio, _ = spoken(pipeline, "Anna: Hello there.\nBen: Good day.\nAnna: Goodbye.", speakers=cast)
    assert [caption.speaker for caption in audio.captions] == ["Anna", "Ben", "Anna"]
    loud = [np.abs(audio.samples[round(c.start * RATE) : round(c.end * RATE)]).max() for c in audio.captions]
    assert loud[0] == loud[2] < loud[1]


def test_figures_that_become_long_words_are_spoken_in_several_goes(pipeline: SpeechPipeline, reader: Reader) -> None:
    spoken(pipeline, "99% " * 50, speed=0.5)
    assert max(reader.lengths) <= speech.MOST_PHONEMES // 2


def test_the_longest_text_streams_and_is_held_once(pipeline: SpeechPipeline) -> None:
    text = "It goes on. " * (MOST_CHARACTERS // 12)
    audio, updates = spoken(pipeline, text, speed=2)
    sounds = [update for update in updates if isinstance(update, Sound)]
    assert " ".join(caption.text for caption in audio.captions) == text.strip()
    assert len(sounds) > 900 and all(np.shares_memory(sound.samples, audio.samples) for sound in sounds)
    assert sum(len(sound.samples) for sound in sounds) == len(audio.samples)


@pytest.mark.parametrize("text", ["日本語", "日本語 🎉 中文", "привет"])
def test_a_text_without_anything_to_say_in_the_language_is_refused(pipeline: SpeechPipeline, text: str) -> None:
    with pytest.raises(BadRequest, match=r"English \(US\)"):
        spoken(pipeline, text)


def test_what_cannot_be_said_is_left_out(pipeline: SpeechPipeline) -> None:
    audio, _ = spoken(pipeline, "日本語です。\n\nHello there, my friend. 🎉")
    assert audio.captions[0].text.startswith("Hello")


@pytest.fixture(scope="module")
def kokoro() -> SpeechPipeline:
    (model, *_) = speech_models(detect("cpu"))
    try:
        fetched = Store().fetch(model.weights, lambda update: None)
    except WeightsError as error:
        pytest.skip(f"the weights of the speech model cannot be had: {error}")
    return speech.load(fetched.path)


def test_kokoro_speaks_and_repeats_itself_to_the_byte(kokoro: SpeechPipeline) -> None:
    audio, _ = spoken(kokoro, "Hello there.")
    again, _ = spoken(kokoro, "Hello there.", seed=7)
    assert np.array_equal(audio.samples, again.samples)
    assert 0.4 < len(audio.samples) / RATE < 2
    level = 20 * np.log10(np.sqrt(np.square(audio.samples / 32768).mean()))
    assert -32 < level < -14


def test_kokoro_itself_stops_in_the_middle(kokoro: SpeechPipeline) -> None:
    interrupts = Interrupts()
    interrupts.stop()
    updates: list[Update] = []
    with interrupts.here(), pytest.raises(Cancelled):
        kokoro.run(SpeechRequest(text=TEXT), updates.append)
    assert not any(isinstance(update, Sound) for update in updates)


@pytest.mark.parametrize("voice", ["ef_dora", "hf_alpha"])
def test_kokoro_speaks_other_languages(kokoro: SpeechPipeline, voice: str) -> None:
    audio, _ = spoken(kokoro, {"ef_dora": "Hola.", "hf_alpha": "नमस्ते।"}[voice], voice=voice)
    assert len(audio.samples) > RATE // 5
