"""A scripted video model: a square that goes from left to right, out of grey noise, as fast as it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from pipelines.events import Clip, Emit, Frames, Progress
from pipelines.spec import ModelSpec
from pipelines.video_request import BUILT_IN, VideoRequest
from tests.pipelines.fakes import say, spec

Animates = Callable[[VideoRequest, Emit], Clip]
SIDE = 32
STEPS = 3
FRAMES = 6
FPS = 8.0
REMARK = "“explodes” is no motion that it knows <b>; it took “flies off”."


@dataclass(frozen=True)
class Animator:
    """A pipeline that does what its script says."""

    animates: Animates

    def run(self, request: VideoRequest, emit: Emit) -> Clip:
        return self.animates(request, emit)


def animator(animates: Animates, **facts: Any) -> ModelSpec[Any]:
    """The spec of a scripted video model, by the name of the real one."""
    load = lambda device, path: Animator(animates)  # noqa: E731
    kind: dict[str, Any] = {"modality": "video", "family": "diffusion", "request": VideoRequest}
    return spec(BUILT_IN, say(), load=load, **(kind | {"limits": {"steps": STEPS, "frames": FRAMES}} | facts))


def animate(pause_s: float = 0.0, side: int = SIDE, own_steps: int = STEPS) -> Animates:
    """A script that makes a clip in as many steps as asked for; an unknown motion is remarked upon."""

    def script(request: VideoRequest, emit: Emit) -> Clip:
        steps = request.steps or own_steps
        clip = moving(request.frames or FRAMES, request.seed, side)
        emit(Progress(label="Reading the prompt"))
        for step in range(1, steps + 1):
            time.sleep(pause_s)
            emit(Progress(step - 1, steps, "Making frames"))
            emit(Frames(shown(clip, step / steps), step, steps))
        remarks = (REMARK,) if request.motion == "explodes" else ()
        return Clip(
            clip, float(request.fps or FPS), request.loop, None, remarks, {"steps": steps, "frames": len(clip)}
        )

    return script


def moving(frames: int, seed: int, side: int = SIDE) -> np.ndarray:
    """Frames whose square has a colour of its own for each seed."""
    made = np.full((frames, side, side, 3), 235, np.uint8)
    colour = np.random.default_rng(seed).integers(0, 200, 3, np.uint8)
    size = side // 3
    for number in range(frames):
        left = number * (side - size) // max(1, frames - 1)
        made[number, size : 2 * size, left : left + size] = colour
    return made


def shown(clip: np.ndarray, share: float) -> tuple[Image.Image, ...]:
    """The frames when so much of their noise is gone."""
    noise = np.random.default_rng(0).integers(0, 255, clip.shape)
    return tuple(Image.fromarray(frame) for frame in (clip * share + noise * (1 - share)).astype(np.uint8))
