"""What may be asked of a composer, and what is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.errors import BadRequest
from pipelines.music_request import MOST_BARS, MOST_MELODY, MusicRequest
from pipelines.spec import validate

FIELDS = {"prompt", "style", "key", "tempo", "bars", "instruments", "temperature", "melody", "model", "seed"}


def test_the_fields_are_those_that_programs_rely_on() -> None:
    assert set(MusicRequest.model_fields) == FIELDS | {"melody_use", "metre"}
    assert MusicRequest(prompt="a tune").melody_use == "continue"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "Write a “prompt”"),
        ({"prompt": "  "}, "Write a “prompt”"),
        ({"prompt": "x" * 1_001}, "“prompt”"),
        ({"style": "dubstep"}, "there is no style “dubstep”; there are: chorale"),
        ({"prompt": "x", "key": "H minor"}, "“key”: “H minor” is not a key"),
        (
            {"prompt": "x", "metre": "5/4"},
            "“metre”: “5/4” is not a metre that can be composed in; there are: 2/4, 3/4",
        ),
        ({"prompt": "x", "tempo": 10}, "“tempo”: must be 0, or 30 to 240"),
        ({"prompt": "x", "tempo": 999}, "“tempo”"),
        ({"prompt": "x", "bars": MOST_BARS + 1}, "“bars”"),
        ({"prompt": "x", "instruments": ["Flute"] * 5}, "“instruments”"),
        ({"prompt": "x", "instruments": ["String quartet", "Flute"]}, "at most 4 can play"),
        ({"prompt": "x", "instruments": ["Kazoo"]}, "there is no instrument “Kazoo”"),
        ({"prompt": "x", "instruments": ["Helicopter"]}, "“Helicopter” plays no melodies"),
        ({"prompt": "x", "temperature": 2}, "“temperature”"),
        ({"melody": b"RIFF"}, "“melody”: is not a MIDI file"),
        ({"melody": b"MThd" + bytes(MOST_MELODY)}, "“melody”: must be at most"),
        ({"prompt": "x", "melody_use": "sing"}, "“melody_use”"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        validate(MusicRequest, values)
    assert reason in str(refusal.value)


def test_a_recipe_names_a_melody_and_does_not_keep_it() -> None:
    options = MusicRequest(melody=b"MThd and so on").model_dump()
    assert options["melody"].startswith("sha256:") and len(options["melody"]) == 71
