"""What can be asked of an image model."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipelines import schedulers
from pipelines.schedulers import SchedulerName
from pipelines.sent import Picture
from pipelines.spec import Request

BUILT_IN = "polymuse-emoji"


class ImageRequest(Request):
    """What to draw, from what, and how. Where a number is 0 or empty, the model's own best value is taken."""

    model: str = Field(BUILT_IN, description="Which model draws")
    prompt: str = Field(min_length=1, max_length=4_000, description="What the picture shows")
    negative_prompt: str = Field("", max_length=4_000, description="What it should not show")
    steps: int = Field(0, ge=0, le=150, description="Denoising steps; 0: as many as the model is made for")
    guidance: float | None = Field(
        None, ge=0, le=30, description="How closely to follow the prompt; empty: as the model is made for"
    )
    width: int = Field(0, ge=0, le=4_096, description="In pixels; 0: the model's own, or the shape of your picture")
    height: int = Field(0, ge=0, le=4_096, description="In pixels; 0: the model's own, or the shape of your picture")
    count: int = Field(1, ge=1, le=4, description="How many pictures; each has the next seed")
    scheduler: SchedulerName = Field(schedulers.OWN, description="How the noise is taken away")
    image: Picture = Field(None, repr=False, description="A picture file to start from")
    mask: Picture = Field(None, repr=False, description="A picture file, white where to repaint your picture")
    strength: float = Field(0.6, ge=0.05, le=1, description="How far to go from your picture; 1 forgets it")
    upscale: Literal[0, 1, 4] = Field(
        0, description="4: enlarge the finished pictures four times; 1: don't; 0: as the model is made for"
    )
    reference: Picture = Field(None, repr=False, description="A picture file to draw upon, not to start from")
    lora: str = Field(
        "", max_length=400, description="A LoRA: “organisation/name” on the hub, “:file” after it if it has several"
    )
    lora_scale: float = Field(1.0, ge=0, le=2, description="How strongly the LoRA works; 0: not at all")

    @field_validator("prompt")
    @classmethod
    def _not_blank(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("must say something")
        return prompt

    @field_validator("lora")
    @classmethod
    def _trimmed(cls, name: str) -> str:
        return name.strip()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.mask is not None and self.image is None:
            raise ValueError("a mask needs the picture that it lies on: send “image” too")
        if (self.width == 0) != (self.height == 0):
            raise ValueError("give both “width” and “height”, or neither")
        return self
