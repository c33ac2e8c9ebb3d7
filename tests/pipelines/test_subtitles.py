"""Captions as the two formats want them."""

from __future__ import annotations

from pipelines.events import Caption
from pipelines.subtitles import srt, vtt

CAPTIONS = (Caption(0, 1.2, "Hello <b>& co."), Caption(75.5, 3_725.0004, "Bye.", "An<na"))


def test_srt_has_numbers_commas_and_names() -> None:
    assert srt(CAPTIONS) == (
        "1\n00:00:00,000 --> 00:00:01,200\nHello <b>& co.\n\n2\n00:01:15,500 --> 01:02:05,000\nAn<na: Bye.\n"
    )


def test_vtt_has_a_head_dots_and_voices_and_no_markup_of_the_text() -> None:
    assert vtt(CAPTIONS) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.200\nHello &lt;b&gt;&amp; co.\n\n"
        "00:01:15.500 --> 01:02:05.000\n<v An&lt;na>Bye.\n"
    )


def test_no_captions_are_empty_files() -> None:
    assert srt(()) == "" and vtt(()) == "WEBVTT\n"
