"""The listening benchmark counts each wrong, missing or added word once, and asks every English voice the same."""

from __future__ import annotations

import pytest

from benchmarks.speech_listen import AT_A_TIME, SENTENCES, english, mistakes
from pipelines.speech_voices import VOICES

SAID = ["the", "cat", "sat", "down"]


@pytest.mark.parametrize(
    ("heard", "wrong"),
    [
        ("the cat sat down", 0),
        ("the cat sat", 1),
        ("the old cat sat down", 1),
        ("the hat sat down", 1),
        ("a hat sits", 4),
        ("", 4),
    ],
)
def test_words_that_are_wrong_missing_or_too_many_count_once(heard: str, wrong: int) -> None:
    assert mistakes(SAID, heard.split()) == wrong
    assert mistakes(heard.split(), SAID) == wrong


def test_there_are_forty_different_sentences_in_whole_portions() -> None:
    assert len(set(SENTENCES)) == 40 and 40 % AT_A_TIME == 0


def test_every_bundled_english_voice_is_heard() -> None:
    assert set(english()) >= {"af_heart", "bm_george"}
    assert all(VOICES[id].language in ("en-us", "en-gb") for id in english())
