"""What can be asked of a video model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.sent import Picture
from pipelines.spec import Request

BUILT_IN = "polymuse-motion"


class VideoRequest(Request):
    """A moving picture to make. Where a number is 0 or empty, the model's own best value is taken."""

    model: str = Field(BUILT_IN, max_length=200, description="Which model makes it")
    prompt: str = Field("", max_length=4_000, description="What is seen, and how it moves")
    negative_prompt: str = Field("", max_length=4_000, description="What should not be seen")
    image: Picture = Field(None, repr=False, description="A picture file: the first frame")
    motion: str = Field("", max_length=200, description="How it moves; empty: as the prompt says")
    speed: Literal["slowly", "", "quickly"] = Field("", description="How fast; empty: as the prompt says")
    loop: bool = Field(False, description="Whether the end meets the beginning, where the motion can")
    steps: int = Field(0, ge=0, le=150, description="Denoising steps; 0: as many as the model is made for")
    guidance: float | None = Field(
        None, ge=0, le=30, description="How closely to follow the prompt; empty: as the model is made for"
    )
    frames: int = Field(0, ge=0, le=257, description="How many the model makes; 0: as it is made for")
    fps: int = Field(
        0, ge=0, le=60, description="Frames a second of the file; frames between are made; 0: the model's"
    )
    upscale: Literal[0, 1, 4] = Field(0, description="4: enlarge four times; 1: don't; 0: as the model is made for")
