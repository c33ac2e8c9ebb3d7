"""What can be asked of the enhancer: which recording, what to take away, and how it should sound."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.enhance_tone import PRESETS, Preset, Tone
from pipelines.sent import NeededSound
from pipelines.sound_in import MOST_SECONDS
from pipelines.spec import Request

BUILT_IN = "deepfilternet-3"
READING = "Reading the recording"  # the first sign of every run: what comes before is waiting and loading
SLIDERS = ("denoise", "bass", "presence", "treble", "compression")  # each as the preset has it, if nothing is said
Loudness = Literal[-16, -23, 0]


class EnhanceRequest(Request):
    """A recording to make clean. Where a slider is empty, the preset's own value is taken."""

    model: str = Field(BUILT_IN, max_length=200, description="Which model removes the noise")
    audio: NeededSound = Field(repr=False, description="A sound file: WAV, FLAC, OGG, MP3 or AIFF, up to 10 minutes")
    denoise: float | None = Field(
        None, ge=0, le=1, description="How much of the noise is taken away, 0: none; empty: the preset's"
    )
    loudness: Loudness = Field(-16, description="In LUFS; -16 for podcasts and phones, -23 for broadcast, 0: as it is")
    preset: Preset = Field("podcast", description="How it should sound")
    bass: float | None = Field(None, ge=-12, le=12, description="dB below 200 Hz; empty: the preset's")
    presence: float | None = Field(None, ge=-12, le=12, description="dB around 3.5 kHz; empty: the preset's")
    treble: float | None = Field(None, ge=-12, le=12, description="dB above 8 kHz; empty: the preset's")
    compression: float | None = Field(
        None, ge=0, le=1, description="How much loud is brought closer to quiet; empty: the preset's"
    )
    seconds: float = Field(0, ge=0, le=MOST_SECONDS, description="Only so much of the beginning; 0: all of it")

    @property
    def tone(self) -> Tone:
        """How it should sound: the preset, and what was said otherwise."""
        given = {name: getattr(self, name) for name in SLIDERS}
        return PRESETS[self.preset].changed({name: value for name, value in given.items() if value is not None})
