"""Things in the round: the built-in model makes a grid of distances and colours out of noise, and shows it turning.

A prompt becomes a kind and shapes of that kind to go by (shape_library), a transformer takes noise away in straight
steps (shape_model), a codec makes the grid of what is left, and paints and gaps are put in order (shape_finish).
Meshes are made of the grid later, as fine as one likes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.modeling_utils import ModelMixin
from torch import Generator, Tensor

from pipelines.errors import BadRequest
from pipelines.events import Emit, Frames, Progress, Solid
from pipelines.image_text import TextEncoder
from pipelines.shape_codec import Grids, ShapeCodec
from pipelines.shape_finish import finished
from pipelines.shape_library import Kind, ShapeLibrary, paint_in
from pipelines.shape_model import ShapeDenoiser, Told
from pipelines.shape_preview import views
from pipelines.shape_request import ShapeRequest

Part = TypeVar("Part", bound=ModelMixin)

STEPS, GUIDANCE = 60, 1.5
BEGIN = 0.3  # how much of what it begins with is noise; the rest is the first reference. 1: made of noise alone
REACH = 3.0  # voxels that a distance of 1 stands for
SHARE = 0.02  # of the time, at most, for previews after the first


@dataclass
class Turntable:
    """Previews, made as long as they take a small share of the time."""

    emit: Emit
    total: int
    began: float
    spent: float = 0.0
    last: float = 0.0

    def show(self, predicted: Callable[[], Solid], step: int) -> None:
        start = time.perf_counter()
        solid = predicted()
        self.emit(Frames(views(solid.distance.astype(np.float32), solid.colour), step, self.total))
        self.last = time.perf_counter() - start
        self.spent += self.last

    def affordable(self) -> bool:
        return self.spent + self.last <= SHARE * (time.perf_counter() - self.began)


class ShapePipeline:
    """A loaded model. `previews`: whether to show the thing while it is made; it is the same either way."""

    def __init__(
        self,
        codec: ShapeCodec,
        denoiser: ShapeDenoiser,
        library: ShapeLibrary,
        text: TextEncoder,
        previews: bool = True,
    ) -> None:
        self._codec = codec
        self._denoiser = denoiser
        self._library = library
        self._text = text
        self._previews = previews

    @torch.no_grad()
    def run(self, request: ShapeRequest, emit: Emit) -> Solid:
        """Make it. Emits Frames of some steps, Progress of the others. Raises BadRequest for what it cannot do."""
        prompt = request.prompt.strip()
        if request.image is not None:
            raise BadRequest("This model makes things from words alone. Take the picture away, or choose Shap-E.")
        if not prompt:
            raise BadRequest("Say in “prompt” what to make, such as “a red chair with four legs”.")
        emit(Progress(label="Reading the prompt"))
        steps = request.steps or STEPS
        guidance = GUIDANCE if request.guidance is None else request.guidance
        chance = Generator().manual_seed(request.seed)
        kind = self._library.kind(prompt, self._text.sentences)
        told = self._told(prompt, kind, guidance, chance)
        table = Turntable(emit, steps, time.perf_counter())
        latents = BEGIN * torch.randn(told.first[:1].shape, generator=chance).to(told.first)
        latents = latents + (1 - BEGIN) * told.first[:1]
        levels = torch.linspace(BEGIN, 0, steps + 1).tolist()
        for step, (level, following) in enumerate(pairwise(levels), 1):
            clean = self._clean(latents, level, told, guidance)
            latents = latents + (following - level) / level * (latents - clean)
            if self._previews and step < steps and (step == 1 or table.affordable()):
                table.show(partial(self._solid, clean), step)
            else:
                emit(Progress(step, steps, "Shaping"))
        made = self._solid(latents)
        distance, colour = finished(made.distance.astype(np.float32), made.colour)
        remarks = () if kind.named else (unknown(kind, self._library),)
        settings = {"steps": steps, "guidance": guidance, "kind": kind.name}
        return Solid(distance.astype(np.float16), colour, remarks, settings)

    def _told(self, prompt: str, kind: Kind, guidance: float, chance: Generator) -> Told:
        """What to make and, in second place, nothing said, both after the same shapes."""
        rows = self._library.find(prompt, kind.name, self._text.sentences, self._denoiser.slots, chance)
        prompts = [prompt] if guidance == 1 else [prompt, ""]
        words, mask = self._text.tokens(prompts)
        like = self._denoiser.place
        shown = self._shown(rows, paint_in(prompt, self._library.paints)).expand(len(prompts), -1, -1, -1, -1, -1)
        told: Told = self._denoiser.condition(words.to(like), mask.to(like.device), shown.to(like))
        return told

    def _shown(self, rows: list[int], asked: str) -> Tensor:
        """The library's shapes to go by, (1, slots, c, s, s, s), in the paint asked for: where there is none of a kind
        in that paint, one in another is painted over. The model would rather keep the colours that it is shown."""
        library = self._library
        shown = library.stack(rows, self._denoiser.slots).to(self._codec.mean)
        for slot, row in enumerate(rows):
            paint = library.paints[row]
            if asked != paint and asked in library.tints and paint in library.tints:
                old, new = library.tints[paint], library.tints[asked]
                shown[:, slot] = self._codec.repainted(shown[:, slot], old, new)
        return shown

    def _solid(self, latents: Tensor) -> Solid:
        return solid_of(self._codec.decode(latents))

    def _clean(self, latents: Tensor, level: float, told: Told, guidance: float) -> Tensor:
        both = latents.expand(len(told.first), -1, -1, -1, -1)
        made, *unsaid = self._denoiser(both, both.new_full((len(both),), level), told).split(1)
        clean: Tensor = unsaid[0] + guidance * (made - unsaid[0]) if unsaid else made
        return clean


def solid_of(grids: Grids) -> Solid:
    """The first of these shapes, its colours as fine as its distances."""
    distance = grids.distance[0, 0].float().cpu().numpy() * REACH
    fine = F.interpolate(grids.colour[:1].float(), scale_factor=2, mode="trilinear")[0]
    colour = ((fine.movedim(0, -1) + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
    return Solid(distance.astype(np.float16), colour)


def unknown(kind: Kind, library: ShapeLibrary) -> str:
    """That the prompt names nothing this model knows, and what was made instead."""
    others = ", ".join(kind.nearest[1:4])
    return (
        f"This model does not know that thing; it made the nearest in meaning: {kind.name} (then came {others}). "
        f"It knows {len(library.names)} kinds: {', '.join(library.names)}."
    )


def load(path: Path) -> ShapePipeline:
    """A model from a folder with the folders `model` and `sentences`."""
    return assembled(path / "model", TextEncoder.load(path / "sentences"))


def assembled(folder: Path, text: TextEncoder, previews: bool = True) -> ShapePipeline:
    """Of the parts in a folder. It computes in float32."""

    def part(kind: type[Part], name: str) -> Part:
        made: Part = kind.from_pretrained(folder / name, dtype=torch.float32).eval().requires_grad_(False)
        return made

    parts = part(ShapeCodec, "codec"), part(ShapeDenoiser, "denoiser"), part(ShapeLibrary, "library")
    return ShapePipeline(*parts, text, previews)
