"""What cannot be spoken is refused with a sentence that says why."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.errors import BadRequest
from pipelines.spec import validate
from pipelines.speech_request import MOST_CHARACTERS, SpeechRequest
from pipelines.speech_voices import VOICES


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"text": ""}, "“text”"),
        ({"text": " \n\t "}, "“text”: must have at least a word to say"),
        ({"text": "🎉👍🏽 …!"}, "“text”: must have at least a word to say"),
        ({"text": "x" * (MOST_CHARACTERS + 1)}, "at most 100000 characters"),
        ({"text": "a", "language": "xx"}, "“language”"),
        ({"text": "a", "voice": "nobody"}, "there is no voice “nobody”; there are: af_heart"),
        ({"text": "a", "voice": ""}, "there is no voice “”"),
        ({"text": "a", "voice_b": "nobody"}, "there is no voice “nobody”"),
        ({"text": "a", "speed": 3}, "“speed”"),
        ({"text": "a", "blend": 1.1}, "“blend”"),
        ({"text": "a", "speakers": [{"name": "A", "voice": "nobody"}]}, "there is no voice “nobody”"),
    ],
)
def test_what_makes_no_sense_is_named(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequest) as refused:
        validate(SpeechRequest, values)
    assert sentence in str(refused.value)


def test_a_voice_reads_in_its_own_language_unless_told_otherwise() -> None:
    assert SpeechRequest(text="a").reads_as("ff_siwis") == "fr-fr"
    assert SpeechRequest(text="a", language="it").reads_as("ff_siwis") == "it"


def test_the_longest_text_and_no_second_voice_are_fine() -> None:
    assert SpeechRequest(text="a" * MOST_CHARACTERS).voice_b == ""
    assert SpeechRequest(text="a").voice in VOICES
