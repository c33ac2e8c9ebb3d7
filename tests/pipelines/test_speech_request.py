"""What cannot be spoken is refused with a sentence that says why."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from pipelines.errors import BadRequest
from pipelines.spec import validate
from pipelines.speech_request import MOST_CHARACTERS, SpeechRequest
from pipelines.speech_voices import VOICES


def _wav() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(16_000, np.float32), 16_000, format="WAV")
    return file.getvalue()


WAV = _wav()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"text": ""}, "“text”: must have at least 1 character."),
        ({"text": " \n\t "}, "“text”: must have at least a word to say"),
        ({"text": "🎉👍🏽 …!"}, "“text”: must have at least a word to say"),
        ({"text": "x" * (MOST_CHARACTERS + 1)}, "at most 100,000 characters"),
        ({"text": "a", "language": "xx"}, "“language”"),
        ({"text": "a", "voice": "nobody"}, "there is no voice “nobody”; there are: af_heart"),
        ({"text": "a", "voice": ""}, "there is no voice “”"),
        ({"text": "a", "voice_b": "nobody"}, "there is no voice “nobody”"),
        ({"text": "a", "speed": 3}, "“speed”"),
        ({"text": "a", "blend": 1.1}, "“blend”"),
        ({"text": "a", "reference": WAV}, "“consent”: tick the box: it must be your own voice, or its owner"),
        ({"text": "a", "reference": b"<html>", "consent": True}, "“reference”: is not a sound that can be read"),
        ({"text": "a", "speakers": [{"name": "A", "voice": "nobody"}]}, "there is no voice “nobody”"),
    ],
)
def test_what_makes_no_sense_is_named(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequest) as refused:
        validate(SpeechRequest, values)
    assert sentence in str(refused.value)


def test_a_recipe_names_a_recording_by_its_digest_and_says_that_its_owner_agreed() -> None:
    told = SpeechRequest(text="a", reference=WAV, consent=True).model_dump(mode="json")
    assert told["reference"].startswith("sha256:") and len(told["reference"]) == 71 and told["consent"] is True
    assert SpeechRequest(text="a").model_dump(mode="json")["reference"] is None
    assert repr(WAV) not in repr(SpeechRequest(text="a", reference=WAV, consent=True))


def test_a_voice_reads_in_its_own_language_unless_told_otherwise() -> None:
    assert SpeechRequest(text="a").reads_as("ff_siwis") == "fr-fr"
    assert SpeechRequest(text="a", language="it").reads_as("ff_siwis") == "it"


def test_the_longest_text_and_no_second_voice_are_fine() -> None:
    assert SpeechRequest(text="a" * MOST_CHARACTERS).voice_b == ""
    assert SpeechRequest(text="a").voice in VOICES
