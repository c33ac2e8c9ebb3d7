"""What can be asked of a music model."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipelines import music_instruments, music_tokens, music_words
from pipelines.music_styles import STYLES
from pipelines.sent import File
from pipelines.spec import Request

BUILT_IN = "polymuse-music"
MOST_BARS = 32
MOST_MELODY = 500_000  # bytes of a MIDI file; a song has a tenth of that
SLOWEST, FASTEST = 30, 240
MOST_PLAYERS = 4
METRES = tuple(f"{beats}/{value}" for beats, value in music_tokens.METRES)


class MusicRequest(Request):
    """What to compose. What is 0 or empty is chosen from the prompt; what is given counts for more than its words."""

    model: str = Field(BUILT_IN, max_length=200, description="Which model composes")
    prompt: str = Field("", max_length=1_000, description="What it should be like, in words")
    style: str = Field("", max_length=40, description="A kind of music that the model knows; empty: from the prompt")
    key: str = Field("", max_length=20, description="Such as D minor; empty: from the prompt. A melody keeps its own")
    metre: str = Field("", max_length=5, description="Such as 3/4; empty: from the prompt. A melody keeps its own")
    tempo: int = Field(0, ge=0, le=FASTEST, description="Quarter notes per minute; 0: from the prompt")
    bars: int = Field(0, ge=0, le=MOST_BARS, description="How long, a melody of yours included; 0: from the prompt")
    instruments: tuple[str, ...] = Field(
        (), max_length=4, description="General MIDI names or groups of them, the highest first; none: from the prompt"
    )
    temperature: float = Field(1.0, ge=0, le=1.5, description="Low is safe and repetitive, high is adventurous")
    melody: File = Field(None, repr=False, description="A MIDI file with a melody to work with")
    melody_use: Literal["continue", "harmonise"] = Field(
        "continue", description="Go on from your melody, or set it for four voices"
    )

    @field_validator("style")
    @classmethod
    def _known(cls, style: str) -> str:
        if style and style not in STYLES:
            raise ValueError(f"there is no style “{style}”; there are: {', '.join(STYLES)}")
        return style

    @field_validator("key")
    @classmethod
    def _a_key(cls, key: str) -> str:
        if key.strip():
            music_words.key_named(key)
        return key.strip()

    @field_validator("metre")
    @classmethod
    def _a_metre(cls, metre: str) -> str:
        if metre and metre not in METRES:
            raise ValueError(f"“{metre}” is not a metre that can be composed in; there are: {', '.join(METRES)}")
        return metre

    @field_validator("tempo")
    @classmethod
    def _playable(cls, tempo: int) -> int:
        if 0 < tempo < SLOWEST:
            raise ValueError(f"must be 0, or {SLOWEST} to {FASTEST}")
        return tempo

    @field_validator("instruments")
    @classmethod
    def _instruments(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(music_instruments.players(names)) > MOST_PLAYERS:
            raise ValueError(f"at most {MOST_PLAYERS} can play")
        return names

    @field_validator("melody")
    @classmethod
    def _midi(cls, data: bytes | None) -> bytes | None:
        if data is not None and len(data) > MOST_MELODY:
            raise ValueError(f"must be at most {MOST_MELODY:,} bytes")
        if data is not None and not data.startswith(b"MThd"):
            raise ValueError("is not a MIDI file")
        return data

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.prompt.strip() or self.style or self.melody):
            raise ValueError("write a “prompt”, or choose a “style”, or send a “melody”")
        return self
