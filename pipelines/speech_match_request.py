"""What can be asked of voice matching, and that whoever asks has a right to."""

from __future__ import annotations

from hashlib import sha256

from pydantic import Field, field_serializer, field_validator

from pipelines import sound_in
from pipelines.errors import BadRequest
from pipelines.spec import Request
from pipelines.speech_request import CONSENT, LEAST_REFERENCE_S, MOST_REFERENCE_S

MATCH = "voice-match"
LEAST_SECONDS, MOST_SECONDS = LEAST_REFERENCE_S, MOST_REFERENCE_S


class MatchRequest(Request):
    """A recording whose speaker the stock voices are compared with."""

    model: str = Field(MATCH, max_length=200, description="Which model compares")
    recording: bytes | None = Field(
        repr=False, description=f"A sound file with {LEAST_SECONDS} to {MOST_SECONDS} s of one person's speech"
    )
    consent: bool = Field(False, description="That it is your own voice, or that its owner has agreed to this")

    @field_validator("consent")
    @classmethod
    def _given(cls, consent: bool) -> bool:
        if not consent:
            raise ValueError(CONSENT)
        return consent

    @field_validator("recording")
    @classmethod
    def _readable(cls, data: bytes | None) -> bytes:
        if data is None:
            raise ValueError("send a sound file")
        try:
            sound_in.check(data, "recording")
        except BadRequest as error:
            raise ValueError(str(error).removeprefix("“recording” ")) from None
        return data

    @field_serializer("recording")
    def _digest(self, data: bytes) -> str:
        """A recipe names a recording by its digest, and does not keep it."""
        return f"sha256:{sha256(data).hexdigest()}"
