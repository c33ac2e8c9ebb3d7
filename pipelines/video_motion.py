"""How a motion is denoised: from noise to the fields of all frames, with guidance, in even steps (Euler)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

from pipelines.image_model import velocity
from pipelines.video_held import held
from pipelines.video_model import BODY, THINGS, MotionDenoiser, Told
from pipelines.video_warp import MOVE, UNMOVED, Fields

if TYPE_CHECKING:
    from torch import Tensor

    from pipelines.image_text import TextEncoder
    from pipelines.video_things import Thing

Seen = Callable[[int, Callable[[], Fields]], None]
"""Called after each step with its number, and with what gives the fields predicted by then."""


@dataclass(frozen=True)
class Asked:
    """A motion to make."""

    caption: str
    motion: str
    frames: int
    steps: int
    guidance: float
    seed: int
    first: tuple[float, ...] | None = None  # MOVE but for the place: the first frame is the picture, moved so


class Sampler:
    """Makes motions with a network; a run has one of its own."""

    def __init__(self, denoiser: MotionDenoiser, text: TextEncoder, asked: Asked) -> None:
        self._denoiser, self._asked = denoiser, asked
        config: Any = denoiser.config
        self._codes, self._view = int(config.codes), int(config.view)
        words, there = text.tokens([asked.caption, ""])
        place = denoiser.device  # the text encoder may be on a GPU, where the image model has it; motion is not
        self._words, self._there = words.to(place), there.to(place)
        generator = torch.Generator().manual_seed(asked.seed)
        numbers = THINGS * MOVE + self._codes
        self._noise = torch.randn(1, asked.frames, numbers, generator=generator)
        self._draft, self._drafted = self._noise, 1.0

    def denoised(self, things: tuple[Thing, ...], seen: Seen) -> Fields:
        """The motion of these things."""
        told, first = self._told(things), self._first(things)
        levels = torch.linspace(1, 0, self._asked.steps + 1).tolist()
        noisy, clean = self._noise, self._noise
        for number, (level, after) in enumerate(pairwise(levels)):
            noisy, clean = self._step(noisy, level, after, told, first)
            now = clean
            seen(number + 1, lambda now=now: self._fields(now))  # type: ignore[misc]
        return self._fields(clean)

    def draft(self, things: tuple[Thing, ...], level: float) -> Fields:
        """What can be said of the motion before the things are finished: one step, from where the last draft ended
        to this level of noise."""
        level = min(level, self._drafted)
        self._draft, clean = self._step(self._draft, self._drafted, level, self._told(things), None)
        self._drafted = max(level, 0.02)
        return self._fields(clean)

    def _step(
        self, noisy: Tensor, level: float, after: float, told: Told, first: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The motion at the next level of noise, and the clean one that it is on the way to."""
        known = torch.zeros(2, self._asked.frames, dtype=torch.bool)
        if first is not None:
            noisy = torch.cat([first.view(1, 1, -1), noisy[:, 1:]], 1)
            known[:, 0] = True
        time = torch.full((2,), level)
        with_words, without = self._denoiser(noisy.expand(2, -1, -1), time, told, known).split(1)
        clean = without + self._asked.guidance * (with_words - without)
        flow = velocity(noisy[..., None], clean[..., None], time[:1])[..., 0]
        return noisy + (after - level) * flow, clean

    def _fields(self, clean: Tensor) -> Fields:
        return held(self._denoiser.fields(clean[0]), self._asked.motion, self._asked.first is not None)

    def _told(self, things: tuple[Thing, ...]) -> Told:
        bodies = torch.zeros(THINGS, BODY)
        for number, thing in enumerate(things):
            bodies[number] = torch.tensor(thing.body.numbers())
        view = things[0].small(self._view)[None].expand(2, -1, -1, -1)
        return self._denoiser.condition(self._words, self._there, view, bodies.expand(2, -1, -1))

    def _first(self, things: tuple[Thing, ...]) -> Tensor | None:
        """The first frame as numbers, where it is known."""
        if self._asked.first is None:
            return None
        moves = torch.zeros(1, THINGS, MOVE)
        for number, thing in enumerate(things):
            moves[0, number] = torch.tensor(self._asked.first)
            moves[0, number, :2] = torch.tensor(thing.centre)
        return self._denoiser.normalised(moves, torch.zeros(1, self._codes))[0]


def first_frame(fades_in: bool) -> tuple[float, ...]:
    """The picture as it is; of what fades in, nothing yet."""
    return (*UNMOVED[:-1], 0.0 if fades_in else 1.0)
