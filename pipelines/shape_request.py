"""What can be asked of a 3D model."""

from __future__ import annotations

from pydantic import Field

from pipelines.sent import Picture
from pipelines.spec import Request

BUILT_IN = "polymuse-shapes"


class ShapeRequest(Request):
    """A thing to make in the round. Where a number is 0 or empty, the model's own best value is taken.

    `detail` and `smoothing` are of the mesh: another value of them needs no other run, see pipelines.shape_mesh.
    """

    model: str = Field(BUILT_IN, max_length=200, description="Which model makes it")
    prompt: str = Field("", max_length=1_000, description="What it is")
    image: Picture = Field(None, repr=False, description="A picture of it, for models that can use one")
    steps: int = Field(0, ge=0, le=150, description="Denoising steps; 0: as many as the model is made for")
    guidance: float | None = Field(
        None, ge=0, le=30, description="How closely to follow the prompt; empty: as the model is made for"
    )
    detail: int = Field(2, ge=1, le=4, description="How fine the mesh is, 1: coarse, 4: finest")
    smoothing: float = Field(0.3, ge=0, le=1, description="How much the surface is smoothed")
