"""What can be asked of a speech model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from pipelines.sent import Sound
from pipelines.spec import Request
from pipelines.speech_voices import VOICES, Language

BUILT_IN = "kokoro-82m"
MOST_CHARACTERS = 100_000  # about an hour and a half
MOST_SPEAKERS = 12
LEAST_REFERENCE_S, MOST_REFERENCE_S = 5, 30  # of a recording whose voice is taken
CONSENT = "tick the box: it must be your own voice, or its owner must have agreed to this"


def _known(voice: str) -> str:
    if voice not in VOICES:
        raise ValueError(f"there is no voice “{voice}”; there are: {', '.join(VOICES)}")
    return voice


class Speaker(BaseModel):
    """Somebody in a script: lines that begin with “name:” are said in this voice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=40)
    voice: str = "af_heart"  # of the built-in model; others give each speaker one of their own

    _voice_exists = field_validator("voice")(_known)


class SpeechRequest(Request):
    """What to say, in whose voice, and how fast."""

    model: str = Field(BUILT_IN, max_length=200, description="Which model speaks")
    text: str = Field(
        min_length=1, max_length=MOST_CHARACTERS, description="What is said; “[pause 2 s]” waits so long"
    )
    voice: str = Field("af_heart", description="Who says it")
    voice_b: str = Field("", description="A second voice to blend with the first; empty: none")
    blend: float = Field(0.5, ge=0, le=1, description="0 is all the first voice, 1 all the second")
    speed: float = Field(1.0, ge=0.5, le=2, description="1 is as the voice speaks by itself")
    language: Literal[Language, ""] = Field("", description="How the text is read; empty: in the voice's own language")
    speakers: tuple[Speaker, ...] = Field(
        (), max_length=MOST_SPEAKERS, description="Who says the lines of a script that begin with a name and a colon"
    )
    reference: Sound = Field(
        None,
        repr=False,
        description=f"A sound file with {LEAST_REFERENCE_S} to {MOST_REFERENCE_S} s of one person's speech, for "
        "models that take a voice from it",
    )
    consent: bool = Field(
        False,
        validate_default=True,
        description="That the recording is of your own voice, or that its owner has agreed to this",
    )

    @field_validator("text")
    @classmethod
    def _speakable(cls, text: str) -> str:
        if not any(character.isalnum() for character in text):
            raise ValueError("must have at least a word to say")
        return text

    @field_validator("voice", "voice_b")
    @classmethod
    def _exists(cls, voice: str, field: ValidationInfo) -> str:
        return voice if field.field_name == "voice_b" and not voice else _known(voice)

    @field_validator("consent")
    @classmethod
    def _given(cls, consent: bool, field: ValidationInfo) -> bool:
        if field.data.get("reference") is not None and not consent:
            raise ValueError(CONSENT)
        return consent

    @property
    def voices(self) -> set[str]:
        """All that are heard."""
        return {self.voice, self.voice_b or self.voice, *(speaker.voice for speaker in self.speakers)}

    def reads_as(self, voice: str) -> Language:
        """The language in which this voice reads."""
        return self.language or VOICES[voice].language
