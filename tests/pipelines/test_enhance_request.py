"""What can be asked for is checked before anything is fetched or computed, and the recipe keeps no recording."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from pipelines.enhance_request import EnhanceRequest
from pipelines.enhance_tone import PRESETS
from pipelines.errors import BadRequest
from pipelines.spec import validate


def wav(seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, 0.1 * np.sin(np.arange(int(8_000 * seconds)) / 5), 8_000, format="WAV")
    return file.getvalue()


def test_a_recording_is_enough() -> None:
    request = EnhanceRequest(audio=wav())
    assert (request.loudness, request.preset) == (-16, "podcast")
    assert request.tone == PRESETS["podcast"] and request.tone.denoise == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "“audio” is missing"),
        ({"audio": None}, "“audio”: send a sound file"),
        ({"audio": b"hello"}, "“audio”: is not a sound"),
        ({"audio": wav(601)}, "“audio”: is longer than 10 minutes"),
        ({"audio": wav(), "loudness": -14}, "“loudness”"),
        ({"audio": wav(), "preset": "disco"}, "“preset”"),
        ({"audio": wav(), "denoise": 1.1}, "“denoise”"),
        ({"audio": wav(), "bass": float("nan")}, "“bass”"),
        ({"audio": wav(), "volume": 3}, "There is no setting “volume”"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(given: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        validate(EnhanceRequest, given)


def test_sliders_overrule_the_preset_one_by_one() -> None:
    request = EnhanceRequest(audio=wav(), preset="music", bass=-3, compression=0)
    assert request.tone == PRESETS["music"].changed({"bass": -3, "compression": 0})
    assert request.tone.denoise == 0  # it would take the music away


def test_a_recipe_names_the_recording_and_does_not_keep_it() -> None:
    options = EnhanceRequest(audio=wav()).model_dump()
    assert options["audio"].startswith("sha256:") and len(options["audio"]) == 71
    assert "RIFF" not in repr(EnhanceRequest(audio=wav()))
