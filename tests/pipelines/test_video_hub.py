"""The hub's video families through their own classes, at tiny sizes: previews, seeds, cancel, sound, refusals."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines import video_hub
from pipelines.device import Device
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Clip, Frames, Update
from pipelines.video_families import FAMILIES, family_of
from pipelines.video_hub import HubVideo
from pipelines.video_request import VideoRequest
from tests.pipelines import tiny_video

# What diffusers still does with Stable Video Diffusion's picture; numpy 2 asks for another way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CPU = Device("cpu", "a CPU", 16 * 2**30, half=False)
STEPS, SIDE, COUNT = 3, 32, 9
BOTH = ("ltx", "ltx_2")
FROM_PICTURE = ("wan_from_picture", "stable_video_diffusion")
NAMES = ("wan", "wan_from_picture", "ltx", "ltx_2", "cogvideox", "animatediff", "stable_video_diffusion")


@pytest.fixture(scope="module", params=NAMES)
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, HubVideo]:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp(request.param)
    getattr(tiny_video, request.param)(folder)
    loaded = video_hub.load(CPU, folder)
    small = dataclasses.replace(loaded._family.made_for, width=SIDE, height=SIDE, frames=COUNT, most=17)
    loaded._family = dataclasses.replace(loaded._family, made_for=small, multiple=SIDE)
    return request.param, loaded


def asked(name: str, **values: Any) -> VideoRequest:
    if name in FROM_PICTURE:
        buffer = io.BytesIO()
        Image.new("RGB", (SIDE, SIDE), "teal").save(buffer, "PNG")
        values = {"image": buffer.getvalue(), **values}
    return VideoRequest.model_validate({"prompt": "a fox", "steps": STEPS, "seed": 1, **values})


def made(named: tuple[str, HubVideo], **values: Any) -> tuple[list[Update], Clip]:
    updates: list[Update] = []
    return updates, named[1].run(asked(named[0], **values), updates.append)


def test_a_clip_comes_with_previews_of_all_frames_and_repeats_itself_by_seed(named: tuple[str, HubVideo]) -> None:
    updates, clip = made(named)
    assert clip.frames.shape == (COUNT, SIDE, SIDE, 3) and clip.frames.dtype == np.uint8
    shown = [update for update in updates if isinstance(update, Frames)]
    assert [one.step for one in shown] == list(range(1, STEPS + 1)) and {one.total for one in shown} == {STEPS}
    family = named[1]._family
    packed = (COUNT - 1) // family.stride + 1 if family.stride > 1 else COUNT
    assert all(len(one.images) >= min(packed, 3) for one in shown)
    assert np.array_equal(made(named)[1].frames, clip.frames)
    assert not np.array_equal(made(named, seed=2)[1].frames, clip.frames)


@pytest.mark.parametrize("after", [0, 2])
def test_a_cancel_ends_it_at_the_next_step(named: tuple[str, HubVideo], after: int) -> None:
    seen = 0

    def emit(update: Update) -> None:
        nonlocal seen
        if seen == after:
            raise Cancelled
        seen += 1

    with pytest.raises(Cancelled):
        named[1].run(asked(named[0]), emit)
    assert seen == after


def test_sound_is_kept_where_there_is_one(named: tuple[str, HubVideo]) -> None:
    _, clip = made(named)
    if named[0] != "ltx_2":
        assert clip.audio is None
        return
    assert clip.audio is not None and clip.audio.rate == tiny_video.RATE
    assert clip.audio.samples.ndim == 2 and clip.audio.samples.shape[1] == 2 and clip.audio.samples.std() > 0


def test_what_a_model_cannot_do_is_said(named: tuple[str, HubVideo]) -> None:
    with pytest.raises(BadRequest, match="frames"):
        made(named, frames=200)
    if named[0] in FROM_PICTURE:
        with pytest.raises(BadRequest, match="picture"):
            made(named, image=None)
    elif named[0] not in BOTH:
        with pytest.raises(BadRequest, match="prompt alone"):
            made(named, image=asked("wan_from_picture").image)


def test_a_model_for_both_begins_with_a_picture_too(named: tuple[str, HubVideo]) -> None:
    if named[0] not in BOTH:
        pytest.skip("this family has a model for each")
    updates, clip = made(named, image=asked("wan_from_picture").image)
    assert clip.frames.shape == (COUNT, SIDE, SIDE, 3)
    assert sum(isinstance(update, Frames) for update in updates) == STEPS
    assert not np.array_equal(clip.frames, made(named)[1].frames)


def test_an_unknown_class_and_parts_from_elsewhere_are_refused(tmp_path: Path) -> None:
    index = tmp_path / "model_index.json"
    with pytest.raises(BadRequest, match=r"model_index\.json"):
        family_of(tmp_path)
    index.write_text(json.dumps({"_class_name": "FluxPipeline"}))
    with pytest.raises(BadRequest, match="Wan, LTX-Video"):
        family_of(tmp_path)
    index.write_text(json.dumps({"_class_name": "WanPipeline", "vae": ["os", "system"]}))
    with pytest.raises(BadRequest, match="“vae” from “os”"):
        family_of(tmp_path)


def test_every_family_s_classes_are_diffusers_own() -> None:
    import diffusers

    assert all(hasattr(diffusers, name) for name in FAMILIES)


def test_a_strip_and_what_it_would_leave_out_are_refused(named: tuple[str, HubVideo]) -> None:
    with pytest.raises(BadRequest, match="enlarged"):
        made(named, upscale=4)
    if named[0] == "stable_video_diffusion":
        with pytest.raises(BadRequest, match="no negative prompt"):
            made(named, negative_prompt="rain")
    if named[0] in FROM_PICTURE:
        buffer = io.BytesIO()
        Image.new("RGB", (5_000, 1)).save(buffer, "PNG")
        with pytest.raises(BadRequest, match="too long and thin"):
            made(named, image=buffer.getvalue())


def test_animatediff_walks_along_the_levels_of_noise_that_its_adapters_were_trained_with() -> None:
    from diffusers import DDIMScheduler, PNDMScheduler

    for_pictures = PNDMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    theirs = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="linear",
        timestep_spacing="linspace",
        steps_offset=1,
        clip_sample=False,
    )
    ours = video_hub.own_scheduler(for_pictures, FAMILIES["AnimateDiffPipeline"])
    for scheduler in (ours, theirs):
        scheduler.set_timesteps(10)
    assert torch.equal(ours.alphas_cumprod, theirs.alphas_cumprod) and torch.equal(ours.timesteps, theirs.timesteps)
    assert not ours.config.clip_sample
