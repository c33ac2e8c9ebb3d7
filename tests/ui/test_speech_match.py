"""Voice matching on the page: nothing without consent, and what was found is told in words."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from tests.pipelines.test_speech_match import wav
from ui import speech_match

FOUND = {
    "voice": "af_heart",
    "voice_b": "bm_george",
    "blend": 0.35,
    "nearest": "bm_george",
    "before": 0.7,
    "after": 0.8,
}


def test_without_consent_or_recording_it_is_said_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav())
    with pytest.raises(gr.Error, match="tick the box"):
        speech_match.request(str(tmp_path / "a.wav"), False)
    with pytest.raises(gr.Error, match="send a sound file"):
        speech_match.request(None, True)
    assert speech_match.request(str(tmp_path / "a.wav"), True).recording == wav()


def test_what_was_found_is_told_with_the_likeness_before_and_after() -> None:
    line = speech_match.told(FOUND)
    assert "65 % Heart, 35 % George" in line and "0.70 for George alone, 0.80 for what you hear" in line
    assert "Nearest: Heart, chosen" in speech_match.told(FOUND | {"voice_b": ""})
