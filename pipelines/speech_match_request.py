"""What can be asked of voice matching, and that whoever asks has a right to."""

from __future__ import annotations

from pydantic import Field, field_validator

from pipelines.sent import NeededSound
from pipelines.spec import Request
from pipelines.speech_request import CONSENT, LEAST_REFERENCE_S, MOST_REFERENCE_S

MATCH = "voice-match"
LEAST_SECONDS, MOST_SECONDS = LEAST_REFERENCE_S, MOST_REFERENCE_S


class MatchRequest(Request):
    """A recording whose speaker the stock voices are compared with."""

    model: str = Field(MATCH, max_length=200, description="Which model compares")
    recording: NeededSound = Field(
        repr=False, description=f"A sound file with {LEAST_SECONDS} to {MOST_SECONDS} s of one person's speech"
    )
    consent: bool = Field(False, description="That it is your own voice, or that its owner has agreed to this")

    @field_validator("consent")
    @classmethod
    def _given(cls, consent: bool) -> bool:
        if not consent:
            raise ValueError(CONSENT)
        return consent
