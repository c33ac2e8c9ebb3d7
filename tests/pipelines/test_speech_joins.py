"""Silence around a piece goes, sound stays as it is, and what is cut fades."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.speech_joins import FADE_S, MARGIN_S, Tape, pcm, trimmed

RATE = 24_000


def test_sound_between_silences_is_kept_as_it_is() -> None:
    tone = np.sin(np.arange(RATE // 2) / 5).astype(np.float32) / 2
    cut = trimmed(np.concatenate([np.zeros(RATE, np.float32), tone, np.zeros(RATE, np.float32)]), RATE)
    margin = int(MARGIN_S * RATE)
    assert np.array_equal(cut[margin : margin + len(tone)], tone)
    assert len(cut) <= len(tone) + 2 * margin + RATE // 100


def test_a_quiet_word_end_is_no_silence() -> None:
    loud, soft = (np.sin(np.arange(RATE // 4) / 5).astype(np.float32) * level for level in (0.5, 0.01))
    assert len(trimmed(np.concatenate([loud, soft]), RATE)) == RATE // 2


def test_edges_fade_even_where_there_is_no_silence() -> None:
    cut = trimmed(np.ones(RATE, np.float32), RATE)
    fade = int(FADE_S * RATE)
    assert cut[0] == cut[-1] == 0 and (np.diff(cut[:fade]) > 0).all() and (cut[fade:-fade] == 1).all()


@pytest.mark.parametrize("sound", [np.zeros(RATE, np.float32), np.zeros(0, np.float32), np.ones(3, np.float32)])
def test_silence_alone_leaves_nothing(sound: np.ndarray) -> None:  # type: ignore[type-arg]
    assert len(trimmed(sound, RATE)) == 0


def test_pcm_clips_rather_than_wraps_and_ends_in_a_pause() -> None:
    samples = pcm(np.array([-2, -1, 0, 0.5, 2], np.float32), 10, 0.3)
    assert samples.tolist() == [-32767, -32767, 0, 16384, 32767, 0, 0, 0]


@pytest.mark.parametrize("likely", [1_000, 10, 0])
def test_a_tape_holds_what_is_put_on_it_once_and_as_it_was(likely: int) -> None:
    parts = [np.arange(start, start + 25, dtype=np.int16) for start in range(0, 300, 25)]
    tape = Tape(likely)
    held = [tape.add(part) for part in parts]
    assert np.array_equal(tape.samples, np.arange(300)) and tape.length == 300
    assert all(np.array_equal(one, part) for one, part in zip(held, parts, strict=True))
    assert np.shares_memory(held[-1], tape.samples)
    if likely == 1_000:
        assert all(np.shares_memory(one, tape.samples) for one in held)
