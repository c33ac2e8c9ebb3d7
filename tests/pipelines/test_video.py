"""The built-in video model at tiny size: previews, seeds, cancel, pictures of visitors, bad input."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from pipelines import image
from pipelines.device import Device
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Clip, Emit, Frames, Progress, Update
from pipelines.image_text import TextEncoder
from pipelines.video import FEWEST, MOST, PREVIEW, Pace, VideoPipeline
from pipelines.video_model import MotionDenoiser
from pipelines.video_motion import Asked, Sampler
from pipelines.video_request import VideoRequest
from pipelines.video_things import SIDE
from tests.pipelines.tiny_emoji import emoji

CPU = Device("cpu", "a CPU", 16 * 2**30, half=False)
STEPS = 3


class Doubled:
    """Enlarges without a network."""

    def run(self, picture: Image.Image, emit: Emit) -> Image.Image:
        emit(Progress(1, 1, "Enlarging", "parts"))
        return picture.resize((4 * picture.width, 4 * picture.height))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> VideoPipeline:
    torch.manual_seed(0)
    pipe = emoji()
    folder = tmp_path_factory.mktemp("emoji")
    pipe.save_pretrained(folder)
    text = TextEncoder(pipe.text_encoder.eval(), pipe.tokenizer)
    parts = {"text_encoder": pipe.text_encoder, "tokenizer": pipe.tokenizer}
    denoiser = MotionDenoiser(codes=4, width=32, layers=1, head_width=16)
    for weight in denoiser.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    denoiser.mean[[2, 5, 6, 9, 12, 13]] = 1.0  # upright, of its own size, opaque
    denoiser.spread.fill_(0.1)
    torch.nn.init.normal_(denoiser.principal, std=0.01)
    return VideoPipeline(image.load(CPU, folder, components=parts), denoiser.eval(), text, Doubled(), ("cat", "dog"))  # type: ignore[arg-type]


def made(pipeline: VideoPipeline, **values: Any) -> tuple[list[Update], Clip]:
    updates: list[Update] = []
    clip = pipeline.run(VideoRequest.model_validate({"steps": STEPS, "upscale": 1, **values}), updates.append)
    return updates, clip


def sent(size: tuple[int, int] = (128, 128), *discs: tuple[int, int]) -> bytes:
    """A picture file: red discs on yellow."""
    page = Image.new("RGB", size, (250, 215, 70))
    for x, y in discs or ((64, 64),):
        ImageDraw.Draw(page).ellipse((x - 20, y - 20, x + 20, y + 20), (200, 20, 30))
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_prompt_becomes_a_clip_and_the_way_there_is_seen_moving(pipeline: VideoPipeline) -> None:
    updates, clip = made(pipeline, prompt="a cat bounces slowly")
    assert clip.frames.shape == (16, SIDE, SIDE, 3) and clip.frames.dtype == np.uint8
    assert clip.loop and clip.fps > 0 and clip.settings["motion"] == "bounces" and clip.settings["speed"] == "slowly"
    shown = [update for update in updates if isinstance(update, Frames)]
    assert shown[0].step == 1 and shown[0].total == 2 * STEPS
    for one in shown:
        assert len(one.images) == 16 and all(image.size == (PREVIEW, PREVIEW) for image in one.images)
    steps = [update.step if isinstance(update, Frames) else update.done for update in updates if update.total]
    assert steps == sorted(steps) and set(steps) == set(range(1, 2 * STEPS + 1)), "every step is told, none goes back"


def test_the_same_seed_gives_the_same_bytes_another_another(pipeline: VideoPipeline) -> None:
    values = {"prompt": "a cat grows", "seed": 5}
    first = made(pipeline, **values)[1].frames
    assert np.array_equal(made(pipeline, **values)[1].frames, first)
    assert not np.array_equal(made(pipeline, **{**values, "seed": 6})[1].frames, first)


@pytest.mark.parametrize("after", range(5))
def test_a_cancel_ends_it_at_the_next_step(pipeline: VideoPipeline, after: int) -> None:
    seen = itertools.count()

    def emit(update: Update) -> None:
        if next(seen) >= after:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline.run(VideoRequest(prompt="a cat grows", steps=STEPS, upscale=1), emit)  # type: ignore[call-arg]
    assert next(seen) == after + 1


def test_a_clip_from_a_picture_begins_with_it(pipeline: VideoPipeline) -> None:
    picture = sent()
    for upscale, side in ((1, SIDE), (4, 4 * SIDE)):
        _, clip = made(pipeline, image=picture, motion="slides left", upscale=upscale)
        wanted = Image.open(io.BytesIO(picture)).resize((side, side), Image.Resampling.LANCZOS)
        error = np.square(clip.frames[0].astype(float) - np.asarray(wanted)).mean() + 1e-3
        assert clip.frames.shape[1] == side and 10 * np.log10(255**2 / error) > 26


def test_of_what_fades_in_nothing_is_seen_at_first(pipeline: VideoPipeline) -> None:
    _, clip = made(pipeline, image=sent(), motion="fades in")
    assert np.abs(clip.frames[0].astype(int) - (250, 215, 70)).max() < 3


def test_two_things_can_pass_one_slides(pipeline: VideoPipeline) -> None:
    two = sent((256, 256), (50, 100), (200, 150))
    _, clip = made(pipeline, image=two, prompt="they pass each other")
    assert clip.settings["motion"] == "pass each other" and not clip.remarks
    _, clip = made(pipeline, image=sent(), prompt="they pass each other")
    assert clip.settings["motion"] == "slides right" and "two things" in clip.remarks[0]


def test_a_wide_picture_and_a_photo_become_square_clips(pipeline: VideoPipeline) -> None:
    _, clip = made(pipeline, image=sent((600, 200), (100, 100)), motion="shakes")
    assert clip.frames.shape[1:3] == (SIDE, SIDE)
    noise = np.random.default_rng(0).integers(0, 255, (150, 300, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    _, clip = made(pipeline, image=buffer.getvalue(), motion="slides left")
    assert clip.frames.shape[1:3] == (SIDE, SIDE) and clip.frames.std() > 20


def test_enlarged_it_is_the_same_clip_larger(pipeline: VideoPipeline) -> None:
    small, large = (made(pipeline, prompt="a cat swings", upscale=upscale)[1].frames for upscale in (1, 4))
    assert large.shape == (16, 4 * SIDE, 4 * SIDE, 3)
    reduced = large.reshape(16, SIDE, 4, SIDE, 4, 3).mean((2, 4))
    assert np.abs(reduced - small).mean() < 0.3 * max(1.0, small.std())


def test_an_unknown_motion_and_a_loop_that_cannot_be_are_remarked_upon(pipeline: VideoPipeline) -> None:
    _, clip = made(pipeline, prompt="a cat", motion="zzz", loop=True)
    assert "zzz" in clip.remarks[0]
    _, clip = made(pipeline, prompt="a cat slides left", loop=True)
    assert not clip.loop and "repeated" in clip.remarks[-1]


@pytest.mark.parametrize("frames", [FEWEST, 24, MOST])
def test_it_makes_as_many_frames_as_asked_for(pipeline: VideoPipeline, frames: int) -> None:
    assert len(made(pipeline, prompt="a cat grows", frames=frames, steps=1)[1].frames) == frames


@pytest.mark.parametrize("frames", [1, MOST + 1, 257])
def test_too_few_or_many_frames_are_refused_with_what_there_is(pipeline: VideoPipeline, frames: int) -> None:
    with pytest.raises(BadRequest, match=f"{FEWEST} to {MOST}"):
        made(pipeline, prompt="a cat", frames=frames)


def test_nothing_to_move_is_refused(pipeline: VideoPipeline) -> None:
    with pytest.raises(BadRequest, match="nothing to move"):
        made(pipeline, prompt="  ")


def test_without_previews_the_clip_is_the_same(pipeline: VideoPipeline) -> None:
    quiet = VideoPipeline(
        *(getattr(pipeline, f"_{name}") for name in ("pictures", "denoiser", "text", "enlarge")), previews=False
    )
    updates, clip = made(quiet, prompt="a cat grows")
    assert not any(isinstance(update, Frames) for update in updates)
    assert np.array_equal(clip.frames, made(pipeline, prompt="a cat grows")[1].frames)


def test_previews_take_no_more_than_their_share_of_the_time() -> None:
    now, spent = 0.0, 0.0
    pace = Pace(0.1, lambda: now)

    def preview() -> None:
        nonlocal now, spent
        now, spent = now + 0.5, spent + 0.5

    for _ in range(1000):
        pace.take(preview)
        now += 0.1
    assert 0.05 < spent / now < 0.11


def test_it_comes_back_from_disk_as_it_was(pipeline: VideoPipeline, tmp_path: Path) -> None:
    before = pipeline._denoiser
    before.save_pretrained(tmp_path)
    after = MotionDenoiser.from_pretrained(tmp_path)
    assert all(
        torch.equal(one, other)
        for one, other in zip(before.state_dict().values(), after.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("prompt", ["bounces", "slowly spinning", "they pass each other"[5:]])
def test_a_motion_of_nothing_is_refused(pipeline: VideoPipeline, prompt: str) -> None:
    with pytest.raises(BadRequest, match="says how, but not what"):
        made(pipeline, prompt=prompt)
    assert len(made(pipeline, prompt=prompt, image=sent())[1].frames) == 16


@pytest.mark.parametrize("size", [(1000, 1), (1, 1000)])
def test_a_strip_is_refused_and_a_dot_is_not(pipeline: VideoPipeline, size: tuple[int, int]) -> None:
    with pytest.raises(BadRequest, match="too long and thin"):
        made(pipeline, image=sent(size), motion="shakes")
    assert made(pipeline, image=sent((1, 1)), motion="shakes")[1].frames.shape[1:] == (SIDE, SIDE, 3)


def test_what_is_told_comes_to_where_motion_is_computed(pipeline: VideoPipeline) -> None:
    """On a GPU the text encoder is there, with the image model; the motion's network is not."""
    network = MotionDenoiser(codes=4, width=32, layers=1, head_width=16).to("meta")
    sampler = Sampler(network, pipeline._text, Asked("a cat bounces", "bounces", 8, 1, 1.5, 0))
    assert sampler._words.device == sampler._there.device == torch.device("meta")
